"""The roster: every peer, whether it lives, and what happens when that changes.

A peer is UP while its link is open. When the link breaks it is in LIMBO: its requests in flight have
failed, what it misses becomes hints, but nobody takes its place. It is DOWN once its address refuses a
connection, or it stayed away, or silent, for `down_after_s`; then others lead in its place. Gossip has a
say in how long it stays in LIMBO (`hearsay`). When its link opens again, hints are delivered and both sides
learn what the other knows. The task that owns a peer's scope (`supervisor`) reports connections and obeys
`on_down`; everything is decided here, from calls and the time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import define, field

from trio_dynomite.handoff.hints import HintBudget, HintQueue
from trio_dynomite.model import Node, NodeState
from trio_dynomite.peers import warming
from trio_dynomite.peers.acceptor import Acceptor
from trio_dynomite.peers.clocks import Clocks
from trio_dynomite.peers.delivery import Delivery
from trio_dynomite.peers.hearsay import NoGossip
from trio_dynomite.peers.link import Link
from trio_dynomite.peers.members import Members
from trio_dynomite.peers.peer import Liveness, Peer
from trio_dynomite.peers.strangers import STRANGERS_MAX, Strangers
from trio_dynomite.repair.sync import Sync

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.hub.channel import PeerPipe, Pipe

LEASE_SHARE = 0.6
"""The part of `down_after_s` for which a replica's answer lets a primary act."""


@define(kw_only=True)
class RosterSettings:
    """What the roster is told by the configuration."""

    cluster: str
    fingerprint: str
    """The partitioner's."""
    heartbeat_s: float
    down_after_s: float
    warm_up_s: float
    clock_drift_max_ms: int
    peer_output_max: int
    """Unacknowledged bytes to a peer, beyond its oldest frame, above which its link is given up."""
    spreads: bool
    """Every rack leads its share of the ring."""
    hints_per_peer_max: int
    hints_rate: int
    """Bytes of hints a second that are delivered, to all peers together."""


@define(eq=False)
class Roster:
    """The peers of one node."""

    engine: Engine
    settings: RosterSettings
    peers: dict[str, Peer]
    hints: HintBudget
    """What the peers' queues of hints share."""
    on_down: Callable[[Peer], None] = lambda peer: None
    """The detector declared this peer down: cancel its scope."""
    on_called: Callable[[Peer], None] = lambda peer: None
    """This peer has just connected to us: it lives, connect to it now."""
    hearsay: NoGossip = field(factory=NoGossip)
    """What gossip says of peers."""
    members: Members = field(init=False)
    has_served: bool = False
    """This node has been NORMAL: it knows the ring that it served by."""
    acceptors: dict[Acceptor, None] = field(factory=dict)
    """Connections that peers opened to us."""
    strangers: Strangers = field(init=False)
    _started_s: float | None = None
    _warming_s: float = 0.0
    """When the ring last changed."""
    _pinged_s: float = 0.0
    _ticked_s: float = 0.0
    told_s: float = 0.0
    """When the log was told of a warm-up last."""
    _leapt_s: float = 0.0
    """When our wall clock last leapt."""
    _syncing: dict[str, Sync] = field(factory=dict)
    delivery: Delivery = field(init=False)
    clocks: Clocks = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.delivery = Delivery(self.engine, self.hints, self.settings)
        self.clocks = Clocks(self.settings.clock_drift_max_ms)
        self.strangers = Strangers(self.settings.down_after_s, STRANGERS_MAX + len(self.peers))

    def make_peer(self, node: Node) -> Peer:
        """The peer that a node is."""
        return make_peer(node, self.settings, self.hints)

    # Connections

    def open_link(self, peer: Peer, pipe: PeerPipe) -> Link:
        """A connection to `peer` was made: greet it. It is up when it welcomes us."""
        if peer.link is not None:
            peer.link.close("replaced by a newer connection")
        peer.link = Link(self.engine, peer, pipe)
        peer.link.start()
        return peer.link

    def accept(self, pipe: Pipe) -> Acceptor:
        """Somebody connected to our peer port."""
        acceptor = Acceptor(self.engine, pipe)
        self.strangers.came(acceptor, self.engine.mono_s)
        return acceptor

    def introduced(self, acceptor: Acceptor) -> None:
        """A connection to the peer port has said HELLO, and is a peer's."""
        self.strangers.left(acceptor)
        self.acceptors[acceptor] = None

    def acceptor_closed(self, acceptor: Acceptor) -> None:
        """A connection to the peer port has ended."""
        self.strangers.left(acceptor)
        self.acceptors.pop(acceptor, None)

    def link_opened(self, peer: Peer) -> None:
        """The peer has welcomed us."""
        self._become(peer, Liveness.UP, "connected")
        peer.synced, peer.agreed = False, frozenset()
        self.engine.common.peer_opened(peer)
        self.engine.routes_changed()
        self.engine.blocking.peer_back(peer)
        self.members.exchange(peer)
        self.delivery.peer_back(peer)

    def link_lost(self, peer: Peer, link: Link, reason: str) -> None:
        """A link ended."""
        if peer.link is not link:
            return
        peer.link = None
        peer.synced = False
        peer.hints.left()
        self.engine.blocking.peer_gone(peer)
        if peer.liveness is Liveness.UP:
            self._become(peer, Liveness.LIMBO, reason)
            self.engine.routes_changed()

    def connect_failed(self, peer: Peer, reason: str, *, refused: bool) -> None:
        """An attempt to connect failed; `refused`: the machine answered that nothing listens there."""
        peer.reason, peer.was_refused = reason, refused
        if refused and peer.liveness is Liveness.LIMBO:
            self._declare_down(peer, reason)

    def peer_said(
        self, peer: Peer, state: int, now_ms: int, view_number: int, ring: int, is_warm: bool, *newer: object
    ) -> None:
        """A peer told its state, its clock, the number of its view of who leads, its ring, its warmth."""
        peer.drift_ms = now_ms - self.engine.now_ms
        self.clocks.heard(peer.name, now_ms, self.engine.mono_s)
        if peer.synced and peer.token != view_number:
            self.disagree(peer)
        has_moved = peer.ring != ring
        if has_moved:
            peer.ring = ring
            self._compare_rings(peer)
            self.members.ring_differs(peer)
        if peer.state != state or peer.is_warm is not is_warm:
            if peer.state != state:
                self.engine.log("peer.state", peer=peer.name, state=NodeState(state).name)
            peer.state, peer.is_warm = NodeState(state), is_warm
            has_moved = True
        if has_moved:
            self.engine.routes_changed()

    def ring_changed(self) -> None:
        """Ours has: nothing that was agreed upon holds any more, and everybody is told at once."""
        self._warming_s = self.engine.mono_s
        for peer in self.peers.values():
            self._compare_rings(peer)
        for acceptor in self.acceptors:
            acceptor.tell_report()

    def _compare_rings(self, peer: Peer) -> None:
        """What was asked by another ring is not answered by this one."""
        peer.is_kin = peer.ring == self.engine.table.view.ring
        peer.synced, peer.agreed = False, frozenset()
        if peer.link is not None:
            peer.link.forget_digests()

    def peer_called(self, peer: Peer) -> None:
        """A peer has opened a connection to us and was accepted."""
        self.on_called(peer)

    # Time

    def tick(self) -> None:
        """Called a few times a second."""
        now = self.engine.mono_s
        if self._started_s is None:
            self._started_s = now
        if now - self._ticked_s > self.settings.down_after_s / 2:
            self._excuse_everybody(now)
        self._ticked_s = now
        self.strangers.tick(now)
        self.check_vouchers()
        self.look_at_clocks()
        if now - self._pinged_s >= self.settings.heartbeat_s:
            self._pinged_s = now
            for peer in self.peers.values():
                self.hearsay.look(peer)
                self._check(peer, now)
        self._sync_who_matters()
        self.delivery.tick(self.peers.values())
        self.members.tick()
        is_whole = self.engine.state is NodeState.NORMAL and self.engine.is_warm
        if not is_whole and self.members.is_introduced and not self.clocks.is_off:
            warming.warm_up(self, now - max(self._started_s, self._warming_s))

    def _excuse_everybody(self, now: float) -> None:
        """This node itself was paused: what it did not hear meanwhile says nothing about the others."""
        self.strangers.excuse(now)
        for peer in self.peers.values():
            peer.since_s = now
            if peer.link is not None:
                peer.link.heard_s = now

    def _check(self, peer: Peer, now: float) -> None:
        link = peer.link
        if link is not None:
            link.look_at_pipe()
        if link is not None and now - link.heard_s > self.settings.down_after_s:
            link.close(f"silent for {now - link.heard_s:.1f} s")
            if not self.hearsay.is_alive(peer):
                self._declare_down(peer, "silent")
        elif link is not None and link.bytes_behind > self.settings.peer_output_max:
            link.close(f"{link.unacked_bytes} bytes are not acknowledged, over limits.peer_output")
        elif link is not None and link.is_open:
            link.ping()
        elif peer.liveness is Liveness.LIMBO and now - peer.since_s > self._patience_s(peer):
            self._declare_down(peer, peer.reason)

    def _patience_s(self, peer: Peer) -> float:
        """How long a peer stays in limbo."""
        return self.hearsay.patience(peer) * self.settings.down_after_s

    def _declare_down(self, peer: Peer, reason: str) -> None:
        self._become(peer, Liveness.DOWN, reason)
        self.engine.routes_changed()
        self.on_down(peer)

    def _become(self, peer: Peer, liveness: Liveness, reason: str) -> None:
        peer.reason = reason
        peer.since_s = self.engine.mono_s
        if peer.liveness is not liveness:
            peer.liveness = liveness
            self.engine.log(f"peer.{liveness.value}", peer=peer.name, reason=reason, hints=len(peer.hints))

    # Catching up

    def hint_queues(self) -> dict[str, HintQueue]:
        """By peer, what it has missed."""
        return {name: peer.hints for name, peer in self.peers.items()}

    def _sync_who_matters(self) -> None:
        """Learn from every peer that serves and that we have not learned from since it began to matter."""
        wanted = [p for p in self.peers.values() if p.is_serving and p.is_kin and not p.synced]
        if self.engine.state.is_warming:
            # What the neighbours have need not come from afar; of the rest there is little then.
            here = self.engine.node.datacenter
            wanted = [peer for peer in wanted if peer.node.datacenter == here] or wanted
        for peer in wanted:
            if peer.name not in self._syncing:
                self._sync(peer)

    def _sync(self, peer: Peer) -> None:
        assert peer.link is not None
        link = peer.link

        def done(complete: bool) -> None:
            ended = self._syncing.pop(peer.name)
            if complete and peer.link is link:
                peer.synced, peer.token = True, ended.token or 0
                peer.was_learned = True
                if ended.dropped:
                    self.engine.log(
                        "sync.dropped", peer=peer.name, records=ended.dropped, why="collected since"
                    )
                is_same = ended.ring == self.engine.table.view.ring
                peer.agreed = self._agreed(ended.leaders) if is_same else frozenset()
                if ended.records:
                    self.engine.log("sync.done", peer=peer.name, records=ended.records)
                self.engine.synced()

        sync = Sync(self.engine, peer, link, warming.slots_to_learn(self, peer), done)
        self._syncing[peer.name] = sync
        if self.engine.state is NodeState.JOINING:
            is_restored = self.engine.keyspace.store.is_restored
            self.engine.set_state(NodeState.RESUMING if is_restored else NodeState.WRITES_ONLY)
        sync.start()

    @property
    def syncs(self) -> list[Sync]:
        """Those that are under way."""
        return list(self._syncing.values())

    def _agreed(self, leaders: list[str]) -> frozenset[int]:
        name = self.engine.node.name
        return frozenset(number for number, leader in enumerate(leaders) if leader == name)

    def vouch(self, peer: Peer, asked_s: float) -> None:
        """`peer` answered what we asked at `asked_s`: until a while after that it held us for alive."""
        peer.vouched_s = asked_s
        if not peer.vouches:
            self.check_vouchers()

    def check_vouchers(self) -> None:
        """A primary stops when its replicas' word is old, before they may put another in its place."""
        oldest = max(self._leapt_s, self.engine.mono_s - LEASE_SHARE * self.settings.down_after_s)
        changed = False
        for peer in self.peers.values():
            vouches = peer.is_open and peer.vouched_s >= oldest
            changed |= vouches is not peer.vouches
            peer.vouches = vouches
        if changed:
            self.engine.synced()

    def clock_leapt(self) -> None:
        """Our wall clock leapt ahead: before we act on as a primary, all must have heard of our new time.

        Whoever takes our place must give newer stamps than we did."""
        self._leapt_s = self.engine.mono_s
        self.look_at_clocks()
        self.check_vouchers()
        self.tell_state()

    def look_at_clocks(self) -> None:
        """A node whose clock is wrong steps back: it takes writes, and neither leads nor serves reads."""
        engine, clocks = self.engine, self.clocks
        if clocks.look(engine.now_ms, engine.mono_s):
            what = "clock.off" if clocks.is_off else "clock.right_again"
            engine.log(what, ahead_ms=clocks.beyond_ms, limit="timeouts.max_clock_drift")
            if clocks.is_off and engine.state is NodeState.NORMAL:
                engine.set_state(NodeState.WRITES_ONLY)

    def wind_clock(self) -> None:
        """Tell the clock of our keys the time: that of the others, while our own is wrong.

        A node that has not served yet does not know whether it is, and gives no stamps by it."""
        engine, clocks = self.engine, self.clocks
        stamp_ms = clocks.stamp_ms(engine.now_ms, engine.mono_s)
        now_ms = stamp_ms if clocks.is_off else engine.now_ms
        if self.has_served:
            engine.keyspace.clock.advance(now_ms, stamp_ms)
        else:
            engine.keyspace.clock.now_ms = now_ms

    def state_changed(self) -> None:
        """Our state is another: tell the peers. Once it is NORMAL, our clock is believed as far as any is."""
        if self.engine.state is NodeState.NORMAL:
            self.has_served = True
            self.wind_clock()
        self.tell_state()

    def tell_state(self) -> None:
        """Our state or view has changed: tell every peer before anything else reaches it.

        What we did as a primary goes first: a replica that has heard that we lead no more would not
        count it."""
        self.engine.send_batches()
        for peer in self.peers.values():
            if peer.link is not None and peer.is_open:
                peer.link.ping()

    def have_heard_since(self, start_s: float) -> bool:
        """Does every reachable peer know what we told at `start_s`, and have we all that it sent before?

        It answered a ping since, and pinged us after that on the connection that carries its requests."""
        pinged_s = {acceptor.peer: acceptor.pinged_s for acceptor in self.acceptors}
        links = [peer.link for peer in self.peers.values() if peer.is_open]
        return all(
            link.ponged_s >= start_s and pinged_s.get(link.peer, link.ponged_s) >= link.ponged_s
            for link in links
            if link is not None
        )

    def disagree(self, peer: Peer) -> None:
        """The peer's view of who leads is not what we learned: learn again."""
        peer.synced = False
        self.engine.synced()


def make_peer(node: Node, settings: RosterSettings, hints: HintBudget) -> Peer:
    """The peer that a node is; the hint queues of all share one budget."""
    return Peer(node, HintQueue(hints, settings.hints_per_peer_max))
