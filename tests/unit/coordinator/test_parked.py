"""Requests that wait for a primary and are routed again: they run as they would have run at once."""

import pytest

from trio_dynomite.model import Level
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import Simulation

QUORUM = Level.DC_QUORUM


def leader_of(cluster: Simulation, key: bytes) -> str:
    return next(name for name, node in cluster.nodes.items() if node.engine.table.of_key(key).leads)


def key_led_by(cluster: Simulation, name: str, *others: bytes) -> bytes:
    keys = [b"k%d" % number for number in range(100)]
    return next(key for key in keys if leader_of(cluster, key) == name and key not in others)


@pytest.mark.parametrize("racks", [[1, 1, 1], [2, 1, 2]], ids=str)
def test_keys_are_gathered_for_a_command_that_was_parked(racks: list[int]) -> None:
    cluster = Simulation(layout(racks), 1)
    cluster.start()
    victim = "d1r2n1"
    target = key_led_by(cluster, victim)
    asked = next(name for name in cluster.nodes if name != victim)
    first = key_led_by(cluster, asked)
    second = key_led_by(cluster, next(name for name in cluster.nodes if name not in (victim, asked)))
    cluster.ask(asked, QUORUM, b"SADD", first, b"a", b"b")
    cluster.ask(asked, QUORUM, b"SADD", second, b"b", b"c")
    cluster.crash(victim)
    cluster.run_for(0.01)
    assert cluster.ask(asked, QUORUM, b"SUNIONSTORE", target, first, second) == b":3\r\n"
