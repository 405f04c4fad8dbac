"""Members: what this node knows of every node of the cluster, and how that changes while it runs.

A node that has seeds starts with what its own file tells, asks its seeds, and tells who it is; they tell whom
they know. From then on two nodes that connect, and every few seconds one and another by chance, tell each
other what they know, and news go to everybody at once. What is told of a member is a value, and of two the
one with the higher precedence stands (`membership/member.py`), so all come to know the same, whoever heard it
first. When that changes who is in the ring, or where, the ring is built anew (`adoption.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import xxhash
from attrs import define, evolve, field

from trio_dynomite.membership.member import Member, Status, decode_member, encode_member
from trio_dynomite.membership.settled import is_on_ring, nodes_of, why_not_beside
from trio_dynomite.model import NodeState
from trio_dynomite.peers import adoption
from trio_dynomite.peers.peer import Liveness
from trio_dynomite.protocol.frames import PROTOCOL

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.peers.peer import Peer

EXCHANGE_S = 2.0
"""Between two exchanges with a peer that is chosen by chance."""
FIRST_S = 2.5
"""How long a node that is its own only seed waits: if it was here before, the others call it by then."""
ALL, NEWS = b"members", b"members that changed"
Address = tuple[str, int]
"""Host and peer port."""


@define(eq=False)
class Members:
    """All members that one node knows of, itself among them."""

    engine: Engine
    known: dict[str, Member]
    is_open: bool = False
    """May others join? Else the file tells who is in the cluster, and nobody else is."""
    is_introduced: bool = True
    """A seed has told who is there, or there is nobody to ask: this node may begin to serve."""
    wait_s: float = 0.0
    """How long to wait for seeds that nobody answers for."""
    met: dict[Address, None] = field(factory=dict)
    """Seeds that were given by CLUSTER MEET."""
    on_met: Callable[[], None] = lambda: None
    """There is a new address to ask."""
    on_joined: Callable[[Peer], None] = lambda peer: None
    """There is a new peer: connect to it."""
    on_left: Callable[[Peer], None] = lambda peer: None
    """This peer is none any more."""
    _is_refused: bool = False
    """A seed refused this node when it was asked last."""
    _ourselves: set[Address] = field(factory=set)
    """Addresses at which this node answered itself."""
    _has_nobody: bool = False
    """There is nobody but this node to ask."""
    _since_s: float | None = None
    _exchanged_s: float = 0.0

    def __attrs_post_init__(self) -> None:
        listeners = self.engine.broadcasts.listeners
        listeners[ALL], listeners[NEWS] = self._on_all, self._on_news

    def open(self, wait_s: float) -> None:
        """Let others join; before this node serves, it asks its seeds, and waits so long for an answer."""
        self.is_open, self.is_introduced, self.wait_s = True, False, wait_s

    @property
    def own(self) -> Member:
        """This node, by its own word."""
        return self.known[self.engine.node.name]

    # What is told

    def packed(self) -> list[bytes]:
        """All that is known, for a frame."""
        return [encode_member(self._now(member)) for member in self.known.values()]

    def _now(self, member: Member) -> Member:
        """A member with the state that it last told this node."""
        if member.name == self.own.name:
            return evolve(member, state=self.engine.state)
        return evolve(member, state=self.state_of(member))

    def state_of(self, member: Member) -> NodeState:
        """Where a member stands, by its own word, or else by hearsay."""
        peer = self.engine.roster.peers.get(member.name)
        return member.state if peer is None or not peer.is_open else peer.state

    @property
    def digest(self) -> int:
        """Equal where the same is known."""
        told = sorted([(member.name, *member.precedence) for member in self.known.values()])
        return int(xxhash.xxh3_64_intdigest(repr(told).encode()))

    def exchange(self, peer: Peer) -> None:
        """Find out whether a peer knows the same; if not, both learn what the other knows."""
        if self.is_open and peer.is_open:
            self._tell(peer, [])

    def _tell(self, peer: Peer, told: list[bytes]) -> None:
        def answered(answer: Any) -> None:
            if not isinstance(answer, list):
                return  # the link has ended
            self.hear(map(decode_member, answer[1]))
            if not told and answer[0] != self.digest and peer.is_open:
                self._tell(peer, self.packed())

        self.engine.broadcasts.tell(peer, ALL, [self.digest, told], answered)

    def _on_all(self, values: list[Any]) -> list[Any]:
        digest, told = values
        self.hear(map(decode_member, told))
        return [self.digest, [] if digest == self.digest else self.packed()]

    def _on_news(self, values: list[Any]) -> int:
        self.hear(map(decode_member, values))
        return 1

    def _spread(self, news: Iterable[Member]) -> None:
        told = [encode_member(self._now(member)) for member in news]
        for peer in list(self.engine.roster.peers.values()):
            if peer.is_open:
                self.engine.broadcasts.tell(peer, NEWS, told, lambda answer: None)

    def ring_differs(self, peer: Peer) -> None:
        """A peer has told of another ring than before: if it is not ours, one of us lacks something."""
        if not peer.is_kin:
            self.exchange(peer)

    # What is heard

    def hear(self, told: Iterable[Member]) -> None:
        """Somebody told of members."""
        if not self.is_open:
            return
        news = [member for member in told if self._is_news(member)]
        if news:
            self.known.update({member.name: member for member in news})
            self._settle()
            self._spread(news)

    def _is_news(self, member: Member) -> bool:
        if member.name == self.own.name:
            self._hear_of_us(member)
            return False
        known = self.known.get(member.name)
        if known is not None and member.precedence <= known.precedence:
            return False
        if member.status is Status.FORGOTTEN and self._contradicts(member):
            return False
        return is_on_ring(member, self._ring_size)

    @property
    def _ring_size(self) -> int:
        return self.engine.table.view.partitioner.ring_size

    def _contradicts(self, member: Member) -> bool:
        """Somebody was told to be forgotten who lives: it hears of it, and contradicts itself."""
        peer = self.engine.roster.peers.get(member.name)
        if peer is None or not peer.is_open:
            return False
        self.engine.broadcasts.tell(peer, NEWS, [encode_member(member)], lambda answer: None)
        return True

    def _hear_of_us(self, member: Member) -> None:
        """What others hold of us is not what we say of ourselves: say it louder."""
        is_worse = member.incarnation == self.own.incarnation and member.status is not self.own.status
        if member.incarnation > self.own.incarnation or is_worse:
            self.engine.log("member.contradicted", told=member.status.name)
            self.known[self.own.name] = evolve(self.own, incarnation=member.incarnation + 1)
            self._spread([self.own])

    def _settle(self) -> None:
        """Build the ring anew if its nodes are not what they were."""
        nodes = nodes_of(self.known.values())
        if {node.name: node for node in nodes} != dict(self.engine.table.view.nodes):
            adoption.adopt(self.engine, nodes)

    # Who comes

    def why_foreign(self, protocol: int, cluster: str, fingerprint: str) -> str | None:
        """Why somebody who says so is of no cluster of ours; None when it may be."""
        settings = self.engine.roster.settings
        if protocol != PROTOCOL:
            return f"you speak peer protocol {protocol}, this node {PROTOCOL}"
        if cluster != settings.cluster:
            return f"you are of cluster {cluster!r}, this node of {settings.cluster!r}"
        if fingerprint != settings.fingerprint:
            return f"your partitioner is {fingerprint}, this node's {settings.fingerprint}"
        return None

    def why_refuse(self, name: str, datacenter: str, rack: str) -> str | None:
        """Why a peer of this cluster that says HELLO so cannot be one of ours; None when it can."""
        peer = self.engine.roster.peers.get(name)
        if peer is None:
            return f"no peer {name!r} is known here"
        node = peer.node
        if (node.datacenter, node.rack) != (datacenter, rack):
            return f"{name!r} is in {node.datacenter}/{node.rack} here, you say {datacenter}/{rack}"
        return None

    def introduce(self, told: Iterable[bytes], *, asks: bool = False) -> str | None:
        """Somebody says who it is, which others may not know yet; why it cannot be a member, or None.

        Who only asks who is there is told that it was forgotten, so that it can contradict."""
        for packed in told:
            member = decode_member(packed)
            reason = self._why_not(member) or (None if asks else self._why_gone(member))
            if reason is not None:
                return reason
            if self.is_open and member.name != self.own.name:
                self.hear([member])
        return None

    def _why_not(self, member: Member) -> str | None:
        if member.name == self.own.name:
            is_us = member.incarnation == self.own.incarnation
            return None if is_us else f"{member.name!r} is the name of this node"
        known = self.known.get(member.name)
        if known is None:
            if not self.is_open:
                return f"no peer {member.name!r} is known here, and cluster.seeds is not given"
            return why_not_beside(member, self.known.values(), self._ring_size)
        peer = self.engine.roster.peers.get(member.name)
        is_there = (known.host, known.peer_port) == (member.host, member.peer_port)
        if self.is_open and peer is not None and peer.is_open and not is_there:
            return f"there is a {member.name!r} already, at {known.host} port {known.peer_port}"
        return None

    def _why_gone(self, member: Member) -> str | None:
        known = self.known.get(member.name)
        if known is None or known.status is not Status.FORGOTTEN or member.incarnation > known.incarnation:
            return None
        return f"{member.name!r} was forgotten"

    def why_keep(self, name: str) -> str | None:
        """Why a member cannot be forgotten now; None when it can."""
        peer = self.engine.roster.peers.get(name)
        is_down = peer is None or peer.liveness is Liveness.DOWN
        return None if is_down else f"{name} is not known to be down: stop it first"

    def forget(self, name: str) -> None:
        """Take a member that is down out of the ring for good."""
        if self.why_keep(name) is None:
            self.hear([evolve(self.known[name], status=Status.FORGOTTEN)])

    # Seeds

    def meet(self, address: Address) -> None:
        """One more seed, given by hand."""
        self.met[address] = None
        self.on_met()

    def to_ask(self, seeds: Iterable[Address]) -> list[Address]:
        """Whom to ask who is there: seeds, and members, that this node has no connection to.

        With nobody but itself to ask, it is the first."""
        peers = list(self.engine.roster.peers.values())
        known = {(peer.node.host, peer.node.peer_port) for peer in peers if peer.is_open}
        known.update(self._ourselves, [(self.own.host, self.own.peer_port)])
        away = [(peer.node.host, peer.node.peer_port) for peer in peers]
        found = [address for address in dict.fromkeys([*seeds, *self.met, *away]) if address not in known]
        self._has_nobody = not found
        return found

    def answered(self, address: Address, name: str, told: Iterable[bytes]) -> None:
        """A seed has answered: it is `name`, and knows these."""
        if name == self.own.name:
            self._ourselves.add(address)
        else:
            self._is_refused = False
            self.hear(map(decode_member, told))
            self._introduced("a seed told who is there")

    def _wait_for_seeds(self, waited_s: float) -> None:
        if any(peer.is_serving for peer in self.engine.roster.peers.values()):
            self._introduced("a member that serves told")
        elif self._has_nobody and waited_s > FIRST_S:
            self._introduced("there is nobody else to ask")
        elif waited_s > self.wait_s and not self._is_refused:
            self._introduced("no seed answered in time")

    def _introduced(self, how: str) -> None:
        if not self.is_introduced:
            self.is_introduced = True
            self.engine.log("members.introduced", how=how, members=len(self.known))

    def refused(self) -> None:
        """A seed will not have this node, which must not begin a cluster of its own beside that."""
        self._is_refused = True

    def tick(self) -> None:
        """Called a few times a second."""
        now = self.engine.mono_s
        if not self.is_open:
            return
        self._since_s = now if self._since_s is None else self._since_s
        if not self.is_introduced:
            self._wait_for_seeds(now - self._since_s)
        if now - self._exchanged_s >= EXCHANGE_S:
            self._exchanged_s = now
            peers = [peer for peer in self.engine.roster.peers.values() if peer.is_open]
            if peers:
                self.exchange(peers[int(self.engine.keyspace.rng.random() * len(peers))])
