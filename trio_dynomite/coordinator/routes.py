"""Routes: where a key's requests go right now.

A route is one placement of the ring seen from this node: who leads, who has copies, which levels can be
reached. All of it changes only when a peer comes, goes or changes its state, and is then worked out anew
(`refresh`), so that a request only looks.
"""

from __future__ import annotations

from binascii import crc_hqx
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping

from attrs import define, field

from trio_dynomite.coordinator.batch import Batch
from trio_dynomite.coordinator.levels import needed, quorum, shortfall
from trio_dynomite.coordinator.transition import Former, Formers, cold
from trio_dynomite.data.effect import FIELDS
from trio_dynomite.model import Level, Node
from trio_dynomite.peers.peer import Peer
from trio_dynomite.storage.keyspace import StoreKeyspace
from trio_dynomite.topology.view import Placement, View

VERIFIED = -2
"""In `Route.acks`: the level compares digests; the short way does not serve it."""
UNREACHABLE = -1
HELD_FOR_ALL_S = 0.001
"""How long a batch waits for the slower replicas when a faster one is ready for it."""
HELD_MAX = 500 * FIELDS
"""Values in a batch beyond which it leaves, whatever is under way."""


@define(eq=False)
class Route:
    """One placement, as this node sees it now."""

    number: int
    """Its place in the table; the same on every node of the view."""
    placement: Placement
    racks: Mapping[str, int]
    """Datacenter → replicas of this placement."""
    local: str
    """Our datacenter."""
    order: list[Peer | None] = field(factory=list)
    """The replicas of our datacenter in their order; None is this node."""
    copies: list[Peer] = field(factory=list)
    """The other replicas in our datacenter."""
    remote: dict[str, list[Peer]] = field(factory=dict)
    """The replicas of every other datacenter in their order."""
    batch: Batch = field(factory=Batch)
    """Effects of this turn: to our racks directly, to each other datacenter by one gateway."""
    direct: Batch = field(factory=Batch)
    """Effects of this turn that go to every replica everywhere directly."""
    is_replica: bool = False
    """This node holds a copy."""
    is_alone: bool = False
    """Nobody else does: effects go nowhere."""
    leads: bool = False
    """This node is the primary."""
    is_ready: bool = False
    """This node leads, and knows all that the replicas it can ask know."""
    serves: bool = False
    """This node may answer reads from its own copy."""
    formers: tuple[Former, ...] = ()
    """Who had a part of this before the ring changed, while that matters."""
    cold: frozenset[str] = frozenset()
    """The replicas that have it only since, and may lack what was written before."""
    is_retired: bool = False
    """The ring has changed: its keys have other routes now, and nobody serves this one."""
    stint: int = 0
    """How often this node has become ready here: while that stays, nobody else has led."""
    led_since: int = 0
    """The number of our view in which its primary became who it is."""
    led_by: str | None = None
    """Its primary in that view; None before the first."""
    leader: Peer | None = None
    """The primary when it is another node; None when it is this one, or nobody."""
    acks: list[int] = field(factory=lambda: [UNREACHABLE] * len(Level))
    """Per level, the acknowledgements that a write here needs from peers."""
    write_shortfall: list[str | None] = field(factory=list)
    """Per level, why a write cannot reach it now."""
    read_shortfall: list[str | None] = field(factory=list)

    def holds_back(self, now_s: float) -> bool:
        """Should the batch grow on, because replicas still have one to acknowledge?

        So a frame carries what came in during a round trip rather than in one turn, and costs less per
        write the more there are. It waits for all replicas for a moment, and for the fastest as long as
        that takes: a slow one delays nobody."""
        batch = self.batch
        if batch.is_urgent or self.direct.effects or len(batch.effects) > HELD_MAX:
            return False
        links = [peer.link for peer in self.copies if peer.is_open]
        busy = sum([link.has_unacknowledged for link in links if link is not None])
        if not busy:
            return False
        if batch.held_since_s is None:
            batch.held_since_s = now_s
        return busy == len(links) or now_s - batch.held_since_s < HELD_FOR_ALL_S

    def everywhere(self) -> Iterable[Peer]:
        """Every other replica."""
        yield from self.copies
        for peers in self.remote.values():
            yield from peers

    def refresh(self, me: str, *, is_normal: bool, is_warm: bool) -> None:
        """Work everything out anew; `is_normal`: this node, `me`, is in state NORMAL."""
        self._choose_leader(is_normal)
        if self.formers or self.cold:
            self._look_back(me, is_warm)
        self.serves = self.is_replica and is_normal and (is_warm or me not in self.cold)
        others = {dc: [p for p in peers if p.is_open] for dc, peers in self._by_datacenter().items()}
        here = {self.local: int(self.is_replica)}
        writable = {dc: len(open_) + here.get(dc, 0) for dc, open_ in others.items()}
        here = {self.local: int(self.serves)}
        readable = {dc: sum(map(self.knows, open_)) + here.get(dc, 0) for dc, open_ in others.items()}
        self.write_shortfall = [self._shortfall(level, writable) for level in Level]
        self.read_shortfall = [self._shortfall(level, readable) for level in Level]
        self.acks = [self._acks(level) for level in Level]
        self.check_ready()

    def check_ready(self) -> None:
        """A primary is ready once enough replicas agree that it leads, and it knows what they know.

        More than half (or all that can be reached) make sure that no other node is acknowledged as the
        primary meanwhile, and that everything acknowledged before is known here; also of the replicas
        that it had before the ring changed."""
        reachable = [peer for peer in self.copies if peer.is_open]
        agreeing = sum([peer.agrees(self.number) for peer in reachable])
        enough = min(len(reachable), quorum(self.racks[self.local]) - 1) if self.leads else 0
        before, self.is_ready = self.is_ready, self.leads and agreeing >= enough
        if self.formers and self.is_ready:
            self.is_ready = all([former.agrees(self.number) for former in self.formers])
        if self.is_ready and not before:
            self.stint += 1
        elif not self.is_ready:
            self.batch.is_urgent = True  # under the agreement that it was made under

    @property
    def leader_name(self) -> str:
        """Who leads in this node's view; "" when it is this node, or nobody."""
        return self.leader.name if self.leader is not None else ""

    def _look_back(self, me: str, is_warm: bool) -> None:
        """See how far the transition to this ring is; when it has ended, forget what was before."""
        for former in self.formers:
            former.look()
        peers = [peer for peer in self.everywhere() if peer.name in self.cold]
        is_over = all([peer.is_open and peer.is_kin and peer.is_warm for peer in peers])
        if is_over and (is_warm or me not in self.cold) and self.has_left:
            self.formers, self.cold = (), frozenset()

    @property
    def has_left(self) -> bool:
        """Can nobody be acknowledged by a former ring any more?"""
        return all([former.is_left for former in self.formers])

    @property
    def may_block(self) -> bool:
        """May commands be tried here that wait for something? None of them is parked half done."""
        return self.is_ready and self.has_left

    @property
    def is_changing(self) -> bool:
        """Has the ring just changed here, so that a level that cannot be reached soon can?"""
        return not self.has_left or not all([peer.is_kin or not peer.is_open for peer in self.copies])

    def knows(self, peer: Peer) -> bool:
        """May `peer` answer reads of this, and be counted?"""
        return peer.is_serving and peer.is_kin and (peer.is_warm or peer.name not in self.cold)

    def _shortfall(self, level: Level, alive: Mapping[str, int]) -> str | None:
        if self.formers and level != Level.DC_ONE and not self.has_left:
            return f"{level.name} needs a majority of the replicas that were before the ring changed"
        return shortfall(level, self.racks, self.local, alive)

    def retire(self) -> None:
        """The ring has changed: nobody serves this route, and what waits for it is routed again."""
        self.is_retired = True
        self.leads = self.is_ready = self.serves = self.is_replica = False
        self.leader, self.order, self.copies = None, [], []
        self.remote = {datacenter: [] for datacenter in self.remote}
        self.acks = [UNREACHABLE] * len(Level)
        self.read_shortfall = self.write_shortfall = ["the ring has changed"] * len(Level)

    def _choose_leader(self, is_normal: bool) -> None:
        self.leads, self.leader = False, None
        for replica in self.order:
            if replica is None:
                if is_normal:
                    self.leads = True
                    return
            elif replica.may_lead:
                self.leader = replica
                return

    def _by_datacenter(self) -> dict[str, list[Peer]]:
        return {self.local: self.copies, **self.remote}

    def _acks(self, level: Level) -> int:
        if self.write_shortfall[level] is not None:
            return UNREACHABLE
        if level >= Level.DC_SAFE_QUORUM:
            return VERIFIED
        return needed(level, self.racks, self.local)[self.local] - 1

    def flush_acks(self, level: Level) -> int:
        """The acknowledgements from peers that a flush at a reachable level waits for."""
        if level == Level.DC_EACH_SAFE_QUORUM:
            return sum(peer.is_open for peer in self.everywhere())
        return needed(level, self.racks, self.local)[self.local] - 1

    def readers(self) -> list[Peer]:
        """Peers of our datacenter that can be asked for what they know."""
        return [peer for peer in self.copies if self.knows(peer)]


@define(eq=False)
class RouteTable:
    """All routes of a view."""

    view: View
    routes: list[Route]
    of_key: Callable[[bytes], Route]
    """The route of a key."""
    locate: Callable[[bytes], Route]
    """The same, and the keyspace is told the key's slot: the first thing that happens to a request."""
    of_position: Callable[[int], Route]

    @property
    def is_changing(self) -> bool:
        """Does the ring that was before this one still matter somewhere?"""
        return any([route.formers or route.cold for route in self.routes])

    def refresh(self, me: str, *, is_normal: bool, is_warm: bool) -> None:
        """Work every route out anew."""
        for route in self.routes:
            route.refresh(me, is_normal=is_normal, is_warm=is_warm)


def make_routes(
    view: View,
    node: Node,
    peers: Mapping[str, Peer],
    keyspace: StoreKeyspace,
    before: RouteTable | None = None,
) -> RouteTable:
    """The routes of `view` as `node` sees them; where nothing changes, those of the table `before` it."""
    made: dict[Placement, Route] = {}
    past = None if before is None else Formers(view, before, peers, node.name, node.datacenter)
    for placement in dict.fromkeys([range_.placement for range_ in view.ranges]):
        route = past.same(placement) if past is not None else None
        if route is None:
            route = _make_route(placement, node, peers)
            route.formers = past.of(placement) if past is not None else ()
            route.cold = cold(placement, route.formers)
        route.number = len(made)
        made[placement] = route
    by_range = [made[range_.placement] for range_ in view.ranges]
    bounds = view.bounds

    def of_position(position: int) -> Route:
        return by_range[bisect_left(bounds, position)]

    of_key = _key_lookup(view, made, of_position)
    return RouteTable(view, list(made.values()), of_key, _locator(view, made, of_key, keyspace), of_position)


def _key_lookup(
    view: View, made: Mapping[Placement, Route], of_position: Callable[[int], Route]
) -> Callable[[bytes], Route]:
    position_of = view.partitioner.position
    if view.partitioner.ring_size == view.partitioner.slot_count:
        by_slot = [made[placement] for placement in view.placements_by_slot()]
        return lambda key: by_slot[position_of(key)]
    return lambda key: of_position(position_of(key))


def _locator(
    view: View,
    made: Mapping[Placement, Route],
    of_key: Callable[[bytes], Route],
    keyspace: StoreKeyspace,
) -> Callable[[bytes], Route]:
    slot_of = view.partitioner.slot
    if view.partitioner.ring_size != view.partitioner.slot_count:

        def locate_hashed(key: bytes) -> Route:
            keyspace.slot, keyspace.key = slot_of(key), key
            return of_key(key)

        return locate_hashed

    by_slot = [made[placement] for placement in view.placements_by_slot()]

    def locate(key: bytes) -> Route:
        keyspace.slot = slot = slot_of(key) if b"{" in key else crc_hqx(key, 0) & 16383
        keyspace.key = key
        return by_slot[slot]

    return locate


def _make_route(placement: Placement, node: Node, peers: Mapping[str, Peer]) -> Route:
    replicas = dict(placement.replicas)
    route = Route(0, placement, {dc: len(names) for dc, names in replicas.items()}, node.datacenter)
    route.order = [None if name == node.name else peers[name] for name in replicas.get(node.datacenter, ())]
    route.copies = [peer for peer in route.order if peer is not None]
    route.remote = {
        dc: [peers[name] for name in names] for dc, names in replicas.items() if dc != node.datacenter
    }
    route.is_replica = None in route.order
    route.is_alone = not any(True for _ in route.everywhere())
    return route
