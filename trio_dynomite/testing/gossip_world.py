"""A world of gossip: any number of nodes' gossip in virtual time, over a network that loses and cuts.

Only the machines of `membership/` run here, without engines. Everything is drawn from one seed, so a run
can be repeated exactly. Datagrams take a moment, may be lost, and arrive in any order; a paused node finds
on waking what its socket had room for.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

from attrs import define, field

from trio_dynomite.membership.events import Event, Happening
from trio_dynomite.membership.gossip import Gossip, make_gossip
from trio_dynomite.membership.member import Member, Status
from trio_dynomite.membership.messages import Address
from trio_dynomite.membership.settings import GossipSettings
from trio_dynomite.model import NodeState
from trio_dynomite.testing.network import Timeline

EPOCH_MS = 1_700_000_000_000
"""The wall clock at the beginning of virtual time."""
BACKLOG_MAX = 300
"""Datagrams that the socket of a paused node holds."""
DELAY_S = (0.0002, 0.002)
TICK_S = 0.025


@define(eq=False)
class GossipNode:
    """One node of the world."""

    name: str
    gossip: Gossip
    is_running: bool = True
    paused_until_s: float = 0.0
    backlog: list[tuple[Address, bytes]] = field(factory=list)


@define(eq=False)
class GossipWorld:
    """Nodes, their network, and what they reported."""

    seed: int = 0
    loss: float = 0.0
    settings: GossipSettings = field(factory=GossipSettings)
    tick_s: float = TICK_S
    nodes: dict[str, GossipNode] = field(factory=dict)
    cuts: set[tuple[str, str]] = field(factory=set)
    """From whom to whom nothing gets through."""
    deaf: set[str] = field(factory=set)
    """Those who can send and hear nothing."""
    reports: list[tuple[float, str, Event]] = field(factory=list)
    """(When, who, what)."""
    longest: int = 0
    """Bytes of the longest datagram so far."""
    rng: random.Random = field(init=False)
    timeline: Timeline = field(init=False)
    _at: dict[Address, GossipNode] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.timeline = Timeline(self.rng)

    @property
    def now_s(self) -> float:
        """Virtual time."""
        return self.timeline.now_s

    # Nodes

    def member(self, number: int, *, incarnation: int | None = None) -> Member:
        """The `number`th node as a member."""
        born = EPOCH_MS + int(self.now_s * 1000) if incarnation is None else incarnation
        return Member(
            name=f"node{number}",
            datacenter="dc1",
            rack=f"rack{number % 3}",
            tokens=(number,),
            host=f"10.0.{number >> 8}.{number & 255}",
            client_port=8102,
            peer_port=8101,
            admin_port=22222,
            incarnation=born,
            state=NodeState.NORMAL,
        )

    def populate(self, count: int) -> None:
        """Start `count` nodes that know each other."""
        members = [self.member(number) for number in range(count)]
        for member in members:
            self.start(member, members)

    def start(
        self,
        me: Member,
        others: Iterable[Member] = (),
        contacts: Iterable[Address] = (),
        label: str = "",
    ) -> GossipNode:
        """Start a node that knows `others`, or only some addresses; again, if it ran before.

        `label` is its name in this world, where two claim one name in the cluster."""
        known = [member for member in others if member.name != me.name]
        rng = random.Random(self.rng.getrandbits(64))
        gossip = make_gossip(me, known, self.settings, ("world", "slots"), rng, self.now_s)
        gossip.contacts = tuple(contacts)
        node = GossipNode(label or me.name, gossip)
        self.nodes[node.name] = self._at[me.host, me.peer_port] = node
        self.timeline.after(self.rng.uniform(0, self.tick_s), lambda: self._tick(node))
        return node

    def kill(self, name: str) -> None:
        """The power goes."""
        self.nodes[name].is_running = False

    def restart(self, name: str) -> GossipNode:
        """It is started again, and knows the others as the configuration does."""
        number = int(name.removeprefix("node"))
        known = [self.member(int(other.removeprefix("node")), incarnation=0) for other in self.nodes]
        return self.start(self.member(number), known)

    def leave(self, name: str) -> None:
        """An orderly stop: it says so, and is gone a moment later."""
        node = self.nodes[name]
        node.gossip.leave(self.now_s)
        self._flush(node)
        self.timeline.after(0.3, lambda: self.kill(name))

    def pause(self, name: str, for_s: float) -> None:
        """The node does nothing for a while, and does not know it."""
        self.nodes[name].paused_until_s = self.now_s + for_s

    # Network

    def cut(self, ones: Iterable[str], others: Iterable[str], *, both_ways: bool = True) -> None:
        """Nothing gets from these to those any more."""
        far = list(others)
        for one in ones:
            for other in far:
                self.cuts.add((one, other))
                if both_ways:
                    self.cuts.add((other, one))

    def heal(self) -> None:
        """Everything gets through again."""
        self.cuts.clear()
        self.deaf.clear()

    def _send(self, sender: GossipNode, address: Address, data: bytes) -> None:
        self.longest = max(self.longest, len(data))
        node = self._at.get(address)
        if node is None or node.name in self.deaf or (sender.name, node.name) in self.cuts:
            return
        if self.loss and self.rng.random() < self.loss:
            return
        me = sender.gossip.table.my
        source = me.host, me.peer_port
        self.timeline.after(self.rng.uniform(*DELAY_S), lambda: self._arrive(node, source, data))

    def _arrive(self, node: GossipNode, source: Address, data: bytes) -> None:
        if not node.is_running:
            return
        if self.now_s < node.paused_until_s:
            if len(node.backlog) < BACKLOG_MAX:
                node.backlog.append((source, data))
            return
        node.gossip.receive(data, source, self.now_s)
        self._flush(node)

    # Time

    def run_for(self, duration_s: float) -> None:
        """Let time pass."""
        self.timeline.run_until(self.now_s + duration_s)

    def _tick(self, node: GossipNode) -> None:
        if not node.is_running:
            return
        if self.now_s < node.paused_until_s:
            self.timeline.at(node.paused_until_s, lambda: self._tick(node))
            return
        backlog, node.backlog = node.backlog, []
        for source, data in backlog:
            node.gossip.receive(data, source, self.now_s)
        node.gossip.tick(self.now_s)
        self._flush(node)
        self.timeline.after(self.tick_s, lambda: self._tick(node))

    def _flush(self, node: GossipNode) -> None:
        for event in node.gossip.take_events():
            self.reports.append((self.now_s, node.name, event))
        for address, data in node.gossip.take_datagrams():
            self._send(node, address, data)

    # What can be seen

    @property
    def running(self) -> list[GossipNode]:
        """The nodes that run."""
        return [node for node in self.nodes.values() if node.is_running]

    def statuses(self, about: str) -> dict[str, Status | None]:
        """How every running node holds member `about` to be."""
        found = {node.name: node.gossip.table.get(about) for node in self.running}
        return {name: None if member is None else member.status for name, member in found.items()}

    def views_agree(self) -> bool:
        """Do all running nodes know the same of everybody, and each other for alive?"""
        digests = {node.gossip.table.digest for node in self.running}
        names = {node.name for node in self.running}
        return len(digests) == 1 and all(
            {member.name for member in node.gossip.membership.here} == names for node in self.running
        )

    def until_agreed(self, limit_s: float) -> float:
        """Let time pass until the views agree; how long it took, or infinity."""
        started_s = self.now_s
        while not self.views_agree():
            if self.now_s - started_s > limit_s:
                return float("inf")
            self.run_for(0.1)
        return self.now_s - started_s

    def deaths_reported(self, about: str, since_s: float = 0.0) -> dict[str, float]:
        """Who held this member for dead, and when first since then."""
        found: dict[str, float] = {}
        for when_s, who, event in self.reports:
            if event.happening is Happening.DIED and event.member.name == about and when_s >= since_s:
                found.setdefault(who, when_s)
        return found

    def count(self, happening: Happening, *, but: Iterable[str] = ()) -> int:
        """How many reports there were of this, about others than these."""
        spared = set(but)
        return sum(
            event.happening is happening and event.member.name not in spared for _, _, event in self.reports
        )
