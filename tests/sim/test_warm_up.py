"""A node that starts empty learns a part from each of the others, and nothing twice."""

from trio_dynomite.model import Level
from trio_dynomite.testing.simulation import Simulation, layout

KEYS, VALUE_BYTES = 2000, 1000


def test_no_record_is_learned_from_two_peers() -> None:
    simulation = Simulation(layout([1, 1, 1]), seed=5)
    simulation.start()
    first, _, late = simulation.nodes
    for number in range(KEYS):
        simulation.call(
            first, Level.DC_QUORUM, [b"SET", b"key:%d" % number, b"v" * VALUE_BYTES], lambda reply: None
        )
    simulation.run_for(2.0)
    simulation.crash(late)
    simulation.run_for(2.0)
    before = simulation.network.sent
    simulation.restart(late)
    simulation.run_for(5.0)

    store = simulation.nodes[late].engine.keyspace.store
    assert store.key_count(0, len(store.records) - 1) == KEYS
    a_key = (simulation.network.sent - before) / KEYS
    assert VALUE_BYTES < a_key < 1.6 * VALUE_BYTES
