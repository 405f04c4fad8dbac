"""Quorum reads on a simulated cluster: a reply is of what was compared."""

import pytest

from trio_dynomite.commands.table import lookup
from trio_dynomite.data.record import Record
from trio_dynomite.model import Level
from trio_dynomite.testing.client import Client
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import Simulation

QUORUM = Level.DC_QUORUM


@pytest.fixture
def cluster() -> Simulation:
    simulation = Simulation(layout([1, 1, 1]), 1)
    simulation.start()
    return simulation


def newer(cluster: Simulation, key: bytes, value: bytes) -> Record:
    """The record that a later SET of `key` would make."""
    store = next(iter(cluster.nodes.values())).engine.keyspace.store
    return (store.get(store.slot_of(key), key)[0] + 1, value, 0, 0, None)


@pytest.mark.parametrize("reader", ["d1r1n1", "d1r2n1", "d1r3n1"])
def test_what_comes_in_the_turn_of_a_read_is_in_its_reply(cluster: Simulation, reader: str) -> None:
    """Its digest was compared, so the reply must be of it: it may have been acknowledged before the read."""
    cluster.ask(reader, QUORUM, b"SET", b"k", b"old")
    cluster.run_for(0.5)
    record = newer(cluster, b"k", b"new")
    for name, node in cluster.nodes.items():
        if name != reader:
            node.engine.keyspace.store.join(node.engine.keyspace.store.slot_of(b"k"), b"k", record)
    answers: list[bytes] = []
    node, client = cluster.nodes[reader], Client(QUORUM, QUORUM, answers.append)

    def turn() -> None:
        args = [b"GET", b"k"]
        assert node.engine.submit(lookup(args), args, client) is None
        store = node.engine.keyspace.store
        store.join(store.slot_of(b"k"), b"k", record)

    node.turn(turn)
    cluster.run_for(0.3)
    assert answers == [b"$3\r\nnew\r\n"]
