"""Gossip over real sockets of this machine: names, both families of addresses, garbage."""

import random
import socket
import time

import pytest
import trio
from attrs import evolve

from tests.unit.membership.gossip_subject import member
from trio_dynomite.errors import DynomiteError
from trio_dynomite.membership.events import Event, Happening
from trio_dynomite.membership.gossip import make_gossip
from trio_dynomite.membership.member import Member
from trio_dynomite.membership.settings import GossipSettings
from trio_dynomite.membership.task import GossipTask

SOON_S = 10.0


def free_port(host: str = "127.0.0.1") -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.bind((host, 0))
        return int(sock.getsockname()[1])


class Couple:
    """Two nodes that know where the other is."""

    def __init__(self, host: str, listen: str = "") -> None:
        self.events: list[Event] = []
        self.heard = trio.Event()
        ports = [free_port(listen or host), free_port(listen or host)]
        members = [
            evolve(member(name, 0), host=host, peer_port=port) for name, port in zip("ab", ports, strict=True)
        ]
        self.tasks = [self._task(members[at], members[1 - at], listen or host) for at in range(2)]

    def _task(self, me: Member, other: Member, listen: str) -> GossipTask:
        machine = make_gossip(
            evolve(me, incarnation=5),
            [other],
            GossipSettings(),
            ("c", "f"),
            random.Random(1),
            time.monotonic(),
        )
        return GossipTask(machine, listen, me.peer_port, time.monotonic, self._hear)

    def _hear(self, events: list[Event]) -> None:
        self.events += events
        self.heard.set()

    def know_each_other(self) -> bool:
        return all(
            known.incarnation == 5 for task in self.tasks for known in task.gossip.membership.members.values()
        )

    async def until(self, name: str) -> None:
        with trio.fail_after(SOON_S):
            while not getattr(self, name)():
                await trio.sleep(0.01)


def has_ipv6() -> bool:
    try:
        return bool(free_port("::1"))
    except OSError:
        return False


@pytest.mark.parametrize(
    ("host", "listen"),
    [
        ("127.0.0.1", ""),
        ("localhost", "127.0.0.1"),
        ("127.0.0.1", "0.0.0.0"),
        pytest.param("::1", "", marks=pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")),
        pytest.param("127.0.0.1", "::", marks=pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")),
    ],
)
async def test_two_nodes_learn_of_each_other(host: str, listen: str) -> None:
    couple = Couple(host, listen)
    async with trio.open_nursery() as nursery:
        for task in couple.tasks:
            await nursery.start(task.run)
        await couple.until("know_each_other")
        nursery.cancel_scope.cancel()


async def test_who_leaves_is_heard() -> None:
    couple = Couple("127.0.0.1")
    async with trio.open_nursery() as nursery:
        for task in couple.tasks:
            await nursery.start(task.run)
        await couple.until("know_each_other")
        couple.tasks[0].leave()
        with trio.fail_after(SOON_S):
            while not couple.heard.is_set():
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    assert [(event.happening, event.member.name) for event in couple.events] == [(Happening.LEFT, "a")]


async def test_garbage_is_counted_and_harms_nobody() -> None:
    couple = Couple("127.0.0.1")
    rng = random.Random(1)
    async with trio.open_nursery() as nursery:
        for task in couple.tasks:
            await nursery.start(task.run)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for size in range(200):
                for task in couple.tasks:
                    sock.sendto(rng.randbytes(size), ("127.0.0.1", task.port))
        await couple.until("know_each_other")
        nursery.cancel_scope.cancel()
    assert all(task.gossip.counters.foreign > 0 for task in couple.tasks)


async def test_a_port_that_is_taken_is_said() -> None:
    couple = Couple("127.0.0.1")
    task = couple.tasks[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", task.port))
        with pytest.raises(DynomiteError, match=f"gossip on 127.0.0.1:{task.port}"):
            await task.run()


async def test_a_host_that_nobody_knows_costs_only_its_datagrams() -> None:
    couple = Couple("127.0.0.1")
    task = couple.tasks[0]
    async with trio.open_nursery() as nursery:
        for each in couple.tasks:
            await nursery.start(each.run)
        task.gossip.meet(evolve(member("ghost", 5), host="ghost.invalid"), time.monotonic())
        task.gossip.check("ghost")
        task.flush()
        await couple.until("know_each_other")
        assert task.unsent > 0
        nursery.cancel_scope.cancel()


async def test_gossip_can_be_ended_alone() -> None:
    couple = Couple("127.0.0.1")
    task = couple.tasks[0]
    async with trio.open_nursery() as nursery:
        await nursery.start(task.run)
        task.scope.cancel()
    task.leave()
    assert task.unsent > 0
    assert free_again(task.port)


def free_again(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", port))
    return True
