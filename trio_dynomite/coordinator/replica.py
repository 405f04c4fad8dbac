"""The replica: what a node does as a keeper of copies: it joins what it is told, and tells what it knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from attrs import define, field

from trio_dynomite.coordinator.batch import Batch
from trio_dynomite.coordinator.here import SLOTS_OPEN, is_open
from trio_dynomite.data.effect import FIELDS, FLUSH, Flat, record_effect, unpack_record
from trio_dynomite.data.record import DIGEST_MASK, digest
from trio_dynomite.data.stamp import NODE_BITS, NODE_MASK, pack
from trio_dynomite.peers.link import Link, encode_effects
from trio_dynomite.storage.contract import SLOTS
from trio_dynomite.storage.sizes import weight_of_any

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.coordinator.routes import Route
    from trio_dynomite.peers.peer import Peer

_NO_CUTOFFS: Mapping[int, int] = MappingProxyType({})
SYNC_PAGE_EFFECTS = 2000
PAGE_BYTES = 8 << 20
"""About the bytes of records above which a frame takes no more: a long one holds up all that is behind it."""


@define(eq=False)
class Replica:
    """The copies of one node."""

    engine: Engine
    _shared: dict[str, list[int]] = field(factory=dict)
    """By peer, the slots of which both hold copies."""
    regained: set[int] = field(factory=set)
    """Slots that are ours since the ring changed, until we know all of them: what we have of them is old."""

    def join_effects(self, origin: int, effects: Flat, *, relay: bool) -> list[bytes]:
        """Join a frame's effects; the keys of those that built on something unknown here."""
        keyspace = self.engine.keyspace
        if effects:
            keyspace.clock.observe(max(effects[3::FIELDS]) << NODE_BITS | origin)
        gaps = keyspace.store.apply(origin, effects)
        if relay:
            self._pass_on(origin, effects)
        return gaps

    def _pass_on(self, origin: int, effects: Flat) -> None:
        """This node is a gateway: the other racks of its datacenter get the effects from here."""
        for route, group in self.by_route(effects).items():
            body = encode_effects(origin, group)
            for peer in route.copies:
                if peer.is_open:
                    assert peer.link is not None
                    peer.link.send_effects(body, Batch(), origin, group)
                else:
                    peer.hints.append(origin, group)

    def by_route(self, effects: Flat) -> dict[Route, Flat]:
        """Effects by the route of each."""
        groups: dict[Route, Flat] = {}
        for at in range(0, len(effects), FIELDS):
            effect = effects[at : at + FIELDS]
            groups.setdefault(self.route_of_effects(effect), []).extend(effect)
        return groups

    def route_of_effects(self, effects: Flat) -> Route:
        """The route of the first of some effects."""
        if effects[0] != FLUSH:
            return self.engine.table.of_key(effects[2])
        partitioner = self.engine.table.view.partitioner
        return self.engine.table.of_position(effects[1] * (partitioner.ring_size // SLOTS))

    def join_floor(self, slot: int, floor: int) -> None:
        """A peer told its last flush of a slot."""
        keyspace = self.engine.keyspace
        if floor > keyspace.store.floors[slot]:
            keyspace.clock.observe(floor)
            keyspace.store.flush(slot, slot, floor)

    def join_records(self, effects: Flat, cutoffs: Mapping[int, int] = _NO_CUTOFFS) -> int:
        """Join whole records that a peer told, with its cutoffs of their slots; how many were news."""
        store, clock = self.engine.keyspace.store, self.engine.keyspace.clock
        if effects:
            clock.observe(max(effects[3::FIELDS]) << NODE_BITS | NODE_MASK)
        news = 0
        for slot, key, packed in zip(effects[1::FIELDS], effects[2::FIELDS], effects[4::FIELDS], strict=True):
            news += store.join(slot, key, unpack_record(packed), cutoffs.get(slot, 0))
        return news

    def records_of(self, keys: list[bytes]) -> Flat:
        """All that is known here of some keys, as effects."""
        store = self.engine.keyspace.store
        effects: Flat = []
        for key in keys:
            slot = store.slot_of(key)
            effects += record_effect(slot, key, store.get(slot, key))
        return effects

    def weight_of(self, key: bytes) -> int:
        """About the bytes of all that is known here of a key."""
        store = self.engine.keyspace.store
        return weight_of_any(key, store.get(store.slot_of(key), key))

    def fill_gaps(self, link: Link, keys: list[bytes]) -> None:
        """A replica could not join what built on records that it has not: send them whole."""
        self.engine.gaps_filled += len(keys)
        effects, origin = self.records_of(keys), self.engine.node.id
        relay = link.peer.node.datacenter != self.engine.node.datacenter
        link.send_effects(encode_effects(origin, effects), Batch(effects), origin, effects, relay=relay)

    def first_that_differ(self, slots: list[int], digests: list[int]) -> list[int]:
        """The first few slots that differ."""
        known = self.engine.keyspace.store.slot_digests(slots)
        differ = (slot for slot, ours, theirs in zip(slots, known, digests, strict=True) if ours != theirs)
        return list(islice(differ, SLOTS_OPEN))

    def slots_that_differ(self, slots: list[int], digests: list[int]) -> list[Any]:
        """What is known here of the slots that differ, and who leads in this node's view: a SLOTS frame."""
        store = self.engine.keyspace.store
        floors: list[Any] = []
        effects: Flat = []
        known = store.slot_digests(slots)
        if known == digests:
            return [len(slots), floors, effects, *self.engine.opinion()]
        looked = weight = 0
        for slot, ours, theirs in zip(slots, known, digests, strict=True):
            if ours != theirs and not is_open(self.engine, slot):
                break
            looked += 1
            if ours == theirs:
                continue
            if store.bars[slot]:
                floors.append([slot, pack(store.floors[slot]), pack(store.cutoffs[slot])])
            for key, record in store.scan(slot):
                effects += record_effect(slot, key, record)
                weight += weight_of_any(key, record)
            if len(effects) > SYNC_PAGE_EFFECTS * FIELDS or weight > PAGE_BYTES:
                break
        return [looked, floors, effects, *self.engine.opinion()]

    def slots_shared_with(self, peer: Peer) -> list[int]:
        """The slots of which both this node and `peer` hold copies."""
        shared = self._shared.get(peer.name)
        if shared is None:
            shared = self._shared[peer.name] = self._slots(
                lambda names: {self.engine.node.name, peer.name} <= names
            )
        return shared

    def slots_to_learn_from(self, peer: Peer) -> list[int]:
        """The slots of ours of which `peer` may know something: all of them, after the ring has changed."""
        if self.engine.is_warm and not self.engine.table.is_changing:
            return self.slots_shared_with(peer)
        return sorted(self.own_slots())

    def own_slots(self) -> set[int]:
        """The slots of which this node holds a copy, or of a part of them."""
        return set(self._slots(lambda names: self.engine.node.name in names))

    def forget_shared(self) -> None:
        """The ring may have changed."""
        self._shared.clear()

    def _slots(self, is_wanted: Callable[[set[str]], bool]) -> list[int]:
        """The slots of every range whose replicas are `is_wanted`."""
        slot_of = self.engine.table.view.partitioner.slot_of_position
        found: set[int] = set()
        for range_ in self.engine.table.view.ranges:
            if is_wanted(set(range_.placement.all)):
                found.update(range(slot_of(range_.first), slot_of(range_.last) + 1))
        return sorted(found)

    def digest_of(self, keys: bytes | list[bytes]) -> int:
        """The digest of a key's record, or of several keys' together."""
        keyspace, store = self.engine.keyspace, self.engine.keyspace.store
        if isinstance(keys, bytes):
            slot = keyspace.slot if keys is keyspace.key else store.slot_of(keys)
            return digest(store.get(slot, keys)) & DIGEST_MASK
        weighed = [at * digest(store.get(store.slot_of(key), key)) for at, key in enumerate(keys, 1)]
        return sum(weighed) & DIGEST_MASK
