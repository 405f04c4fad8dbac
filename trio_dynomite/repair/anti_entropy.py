"""Anti-entropy: replicas that have come to differ, for whatever reason, find it out and agree again.

Every few seconds a node compares what it holds with one of its peers, in turn: the digests of branches of
slots, of the slots in the branches that differ, of the keys in slots that differ for longer than a write is
under way. Records that differ go both ways and are joined. Nothing has to have been noticed before: not a
lost hint, not a frame that never came, not a disk that forgot.

All digests are there (`storage/store.py`), so a comparison of two replicas that agree costs a kilobyte.
Source: Dynamo, 4.7; the loudest complaint about Dynomite is that it has none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from trio_dynomite.coordinator.here import slots_at_once, when_open
from trio_dynomite.coordinator.replica import PAGE_BYTES
from trio_dynomite.data.effect import Flat, record_effect
from trio_dynomite.data.record import DIGEST_MASK, digest
from trio_dynomite.data.stamp import pack, unpack
from trio_dynomite.repair.collection import Collection
from trio_dynomite.repair.comparison import BRANCHES, KEYS, SLOTS, SLOTS_A_BRANCH, Comparison, branch_digests
from trio_dynomite.repair.shedding import Shedding
from trio_dynomite.storage.contract import hash_of
from trio_dynomite.storage.remote.store import RemoteStore
from trio_dynomite.storage.sizes import weight_of_any
from trio_dynomite.storage.verify import verify

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.peers.acceptor import Acceptor
    from trio_dynomite.peers.peer import Peer


REPAIR = b"repair"


@frozen
class Wanted:
    """A comparison that is to be made."""

    peer: Peer
    slots: range | None = None
    """Those that it is about; None: all."""


@define(eq=False)
class AntiEntropy:
    """One node's comparisons, and its answers to those of others."""

    engine: Engine
    interval_s: float = 0.0
    """Between two comparisons; 0: none."""
    rate: int = 16 << 20
    """Bytes a second that repair may send and receive, about."""
    comparison: Comparison | None = None
    """The one under way."""
    compared: int = 0
    """Comparisons that came to an end."""
    repaired: int = 0
    """Records that were news, here or there."""
    agreed_s: dict[str, float] = field(factory=dict)
    """Peer → monotonic time at which a comparison that found no difference began."""
    _next_s: float = 0.0
    _asked_s: dict[str, float] = field(factory=dict)
    urgent: dict[str, Wanted] = field(factory=dict)
    """Peer → what is compared with it before all else."""
    _first_slot: int = 0
    """Where the verifier goes on."""
    drifted: int = 0
    """Slots whose digest was not that of their records: a bug, or memory that fails."""
    collection: Collection = field(init=False)
    shedding: Shedding = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.collection = Collection(self.engine)
        self.shedding = Shedding(self)
        late = self.engine.broadcasts.late
        self.engine.broadcasts.listeners[REPAIR] = self._on_repair
        late[BRANCHES], late[SLOTS], late[KEYS] = self._on_branches, self._on_slots, self._on_keys

    def tick(self) -> None:
        """Called a few times a second: go on, or begin the next comparison when it is time."""
        self._verify()
        self.collection.tick()
        self.shedding.tick()
        now_s = self.engine.mono_s
        if self.comparison is not None:
            self.comparison.go_on()
        elif not self.collection.is_busy:
            wanted = self._next_wanted(now_s)
            if wanted is not None:
                self.urgent.pop(wanted.peer.name, None)
                self.compare(wanted.peer, wanted.slots)

    def _next_wanted(self, now_s: float) -> Wanted | None:
        """What to compare now, if anything."""
        for wanted in self.urgent.values():
            if wanted.peer.is_serving and wanted.peer.synced:
                return wanted
        if not self.interval_s or now_s < self._next_s:
            return None
        self._next_s = now_s + self.interval_s
        peer = self._next_peer()
        return None if peer is None else Wanted(peer)

    def hurry(self, peer: Peer, slots: range | None = None) -> None:
        """Compare (some slots) with `peer` before all else, as soon as it serves.

        It has missed more than its hints tell, or somebody wants to be sure."""
        self.urgent[peer.name] = Wanted(peer, slots)

    def repair(self, slots: range | None) -> int:
        """Compare (some slots) with every peer that holds something of ours, at once; how many these are."""
        peers = self.engine.roster.peers.values()
        shared = [peer for peer in peers if self.engine.replica.slots_shared_with(peer)]
        for peer in shared:
            self.hurry(peer, slots)
        return len(shared)

    def compare(self, peer: Peer, some: range | None = None) -> None:
        """Compare (some slots) with one peer that can be asked."""
        assert peer.link is not None
        slots, now_s = self.engine.replica.slots_shared_with(peer), self.engine.mono_s
        if some is None:
            self._asked_s[peer.name] = now_s
        else:
            slots = [slot for slot in slots if slot in some]
        self.comparison = Comparison(self, peer, peer.link, slots, now_s, is_whole=some is None)
        self.comparison.start()

    def ended(self, comparison: Comparison) -> None:
        """It has come to its end, or its link has."""
        self.comparison = None
        if not comparison.is_complete:
            return
        self.compared += 1
        name = comparison.peer.name
        if comparison.is_whole:
            self.collection.compared(comparison)
            comparison.peer.hints.is_incomplete = False
            if not comparison.differing:
                self.agreed_s[name] = comparison.began_s
        if comparison.records:
            self.repaired += comparison.records
            self.engine.log("repair.done", peer=name, records=comparison.records, slots=comparison.differing)

    def _next_peer(self) -> Peer | None:
        """Who was not compared with for longest, of those who can be asked and hold something of ours."""
        shared_with, known = self.engine.replica.slots_shared_with, self.engine.roster.peers.values()
        peers = [
            peer for peer in known if peer.is_serving and peer.synced and peer.is_kin and shared_with(peer)
        ]
        return min(peers, key=lambda peer: self._asked_s.get(peer.name, 0.0), default=None)

    def known(self, slot: int) -> list[int]:
        """What is held of a slot: hash, digest, hash, digest…"""
        flat: list[int] = []
        for key, found in self.engine.keyspace.store.digests(slot):
            flat += (hash_of(key), found & DIGEST_MASK)
        return flat

    def ring_changed(self) -> None:
        """What agreed was about other slots, and other replicas."""
        self.agreed_s.clear()
        self.collection.round = None
        self.shedding.ring_changed()

    # Answers

    def _on_repair(self, values: list[Any]) -> int:
        """Somebody asked the whole cluster to compare [first slot, last slot], or with nothing: all."""
        return self.repair(range(values[0], values[1] + 1) if values else None)

    def _on_branches(self, acceptor: Acceptor, values: list[Any], answer: Callable[[Any], None]) -> None:
        """Of the branches that differ: number, then the digests of its slots."""
        assert acceptor.peer is not None
        if not acceptor.peer.is_kin:
            answer(None)  # by its ring we share other slots
            return
        slots = self.engine.replica.slots_shared_with(acceptor.peer)
        digests = self.engine.keyspace.store.slot_digests(slots)
        ours = branch_digests(digests)
        differing = [at for at, one in enumerate(values) if at < len(ours) and one != ours[at]]
        answer([[at, digests[at * SLOTS_A_BRANCH : (at + 1) * SLOTS_A_BRANCH]] for at in differing])

    def _on_slots(self, acceptor: Acceptor, values: list[Any], answer: Callable[[Any], None]) -> None:
        """The digests of some slots."""
        answer(self.engine.keyspace.store.slot_digests(values))

    def _on_keys(self, acceptor: Acceptor, values: list[Any], answer: Callable[[Any], None]) -> None:
        """Of each slot the records that differ from the asker's, and the hashes of those it shall tell.

        [slot, floor, cutoff, [hash, digest, …]] → [slot, floor, cutoff, effects, their weight, hashes, all?]
        Whoever has the lower cutoff raises it first. There is no answer before we know what the asker knew
        when it connected, nor while we are forgetting."""
        slots = [value[0] for value in values]
        values = values[: slots_at_once(self.engine, len(slots))]
        if not when_open(self.engine, slots[: len(values)], lambda: self._on_keys(acceptor, values, answer)):
            return
        answers: list[Any] = []
        room = PAGE_BYTES
        store, replica = self.engine.keyspace.store, self.engine.replica
        if self.collection.is_busy or not (acceptor.peer and acceptor.peer.synced):
            answer(None)
            return
        for slot, floor, cutoff, told in values:
            replica.join_floor(slot, unpack(floor))
            self.collection.adopt(slot, unpack(cutoff))
            heights = [slot, pack(store.floors[slot]), pack(store.cutoffs[slot])]
            if store.cutoffs[slot] > unpack(cutoff):
                answers.append([*heights, [], 0, [], False])
                continue
            theirs = dict(zip(told[::2], told[1::2], strict=True))
            effects, wanted, weight = differing(self.engine, slot, theirs, room)
            room -= weight
            answers.append([*heights, effects, weight, wanted, room > 0])
            if room <= 0:
                break
        answer(answers)

    # The verifier

    def _verify(self) -> None:
        """Work out one slot's digest from scratch; it must be what was kept by difference."""
        store = self.engine.keyspace.store
        if isinstance(store, RemoteStore):
            return  # it would have to load everything again and again
        slot = self._first_slot
        self._first_slot = (slot + 1) % len(store.sums)
        if len(store.records[slot]) and not verify(store, slot):
            self.drifted += 1
            self.engine.log("digest.drifted", slot=slot, told="a bug, or memory that fails; it was mended")


def differing(engine: Engine, slot: int, theirs: dict[int, int], room: int) -> tuple[Flat, list[int], int]:
    """Our records of a slot that differ from `theirs` (hash → digest), the hashes that we want, their weight.

    No more records once they weigh more than `room` bytes; what differs is wanted, too."""
    effects: Flat = []
    wanted: list[int] = []
    weight = 0
    for key, record in engine.keyspace.store.scan(slot):
        hashed = hash_of(key)
        told = theirs.pop(hashed, None)
        if told != digest(record) & DIGEST_MASK:
            effects += record_effect(slot, key, record)
            if told is not None:
                wanted.append(hashed)
            weight += weight_of_any(key, record)
            if weight > room:
                return effects, wanted, weight
    return effects, [*wanted, *theirs], weight
