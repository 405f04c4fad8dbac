"""A comparison with one peer: branches, slots, keys, records, one step after the other.

What differs is looked at again a moment later before anything is moved: a write that is under way makes two
replicas differ for as long as it takes. Steps are paced, so that repair takes no more than its share of the
network, and end with the link.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from attrs import define, field

from trio_dynomite.coordinator.here import pin, slots_at_once, unpin, when_here, when_open
from trio_dynomite.data.effect import FIELDS
from trio_dynomite.data.record import DIGEST_MASK
from trio_dynomite.data.stamp import pack, unpack
from trio_dynomite.peers.link import LOST
from trio_dynomite.storage.contract import hash_of
from trio_dynomite.storage.sizes import weight_of_any

if TYPE_CHECKING:
    from trio_dynomite.peers.link import Link
    from trio_dynomite.peers.peer import Peer
    from trio_dynomite.repair.anti_entropy import AntiEntropy
    from trio_dynomite.repair.shedding import Shedding

BRANCHES, SLOTS, KEYS = b"branches", b"slots", b"keys"
"""What is asked for."""
SLOTS_A_BRANCH = 128
SETTLE_S = 1.0
"""What still differs after so long was not just under way."""
_SLOTS_A_PAGE, _KEYS_A_PAGE = 512, 2000
"""How many slots, and about how many keys, one question is about."""
_KEY_BYTES = 18
"""Of one key's hash and digest, on the wire."""


def branch_digests(slot_digests: Sequence[int]) -> list[int]:
    """One number for so many slots each, every one weighed by its place."""
    branches = [slot_digests[at : at + SLOTS_A_BRANCH] for at in range(0, len(slot_digests), SLOTS_A_BRANCH)]
    return [sum([at * one for at, one in enumerate(branch, 1)]) & DIGEST_MASK for branch in branches]


@define(eq=False)
class Comparison:
    """One that is under way."""

    whole: AntiEntropy | Shedding
    peer: Peer
    link: Link
    slots: list[int]
    """Those that both hold."""
    began_s: float
    is_whole: bool = True
    """Is it about all slots that both hold?"""
    differing: int = 0
    """Slots that differed for longer than a moment."""
    records: int = 0
    """Records that were moved."""
    is_over: bool = False
    is_complete: bool = False
    """It came to its end: all that was found to differ was joined."""
    left: list[int] = field(factory=list)
    """Slots whose keys are still to be compared."""
    _suspects: list[int] = field(factory=list)
    """Slots that differed at first, until they are looked at again."""
    _next_s: float = 0.0
    """When the next step may be taken."""
    _is_waiting: bool = False
    """For an answer."""

    def start(self) -> None:
        """Compare the branches; or, of some slots, these at once."""
        if not self.is_whole:
            self._suspects = self.slots
            self.go_on()
            return
        self._ask(BRANCHES, branch_digests(self._digests(self.slots)), self._branches)

    @property
    def slots_left(self) -> int:
        """How many slots are still to be looked at, as far as is known."""
        return len(self._suspects) + len(self.left)

    def go_on(self) -> None:
        """Take the next step, if it is time."""
        if self._is_waiting or self.is_over or self.whole.engine.mono_s < self._next_s:
            return
        if self.whole.collection.is_busy:
            self._end()  # what the peer may have forgotten, and we have not yet, is no difference
            return
        if self._suspects:
            suspects, self._suspects = self._suspects, []
            self._ask(SLOTS, suspects, lambda answer: self._slots(suspects, answer))
        elif self.left:
            self._compare_keys()
        else:
            self.is_complete = True
            self._end()

    def _end(self) -> None:
        self.is_over = True
        self.whole.ended(self)

    def _digests(self, slots: list[int]) -> list[int]:
        return self.whole.engine.keyspace.store.slot_digests(slots)

    def _ask(self, what: bytes, values: list[Any], then: Callable[[Any], None]) -> None:
        self._is_waiting = True

        def answered(answer: Any) -> None:
            self._is_waiting = False
            if answer is LOST or answer is None or not self.peer.is_open:
                self._end()
            else:
                then(answer)
                self.whole.engine.soon(self.go_on)

        if self.peer.link is self.link and self.peer.is_open:
            self.whole.engine.broadcasts.tell(self.peer, what, values, answered)
        else:
            self._end()

    def _branches(self, answer: list[Any]) -> None:
        for branch, theirs in answer:
            slots = self.slots[branch * SLOTS_A_BRANCH : (branch + 1) * SLOTS_A_BRANCH]
            self._suspects += _unequal(slots, self._digests(slots), theirs)
        if self._suspects:
            self._next_s = self.whole.engine.mono_s + SETTLE_S

    def _slots(self, slots: list[int], theirs: list[int]) -> None:
        self.left = _unequal(slots, self._digests(slots), theirs)
        self.differing = len(self.left)

    def _compare_keys(self) -> None:
        """Tell the keys' digests of some slots, a page of them."""
        engine = self.whole.engine
        slots = self.left[-slots_at_once(engine, _SLOTS_A_PAGE) :]
        self._is_waiting = True
        if when_open(engine, slots, lambda: self._tell_keys(slots), is_full=False):
            self._tell_keys(slots)

    def _tell_keys(self, slots: list[int]) -> None:
        if self.is_over:
            return
        store, page, size = self.whole.engine.keyspace.store, [], 0
        for slot in reversed(slots):
            known = self.whole.known(slot)
            page.append([slot, pack(store.floors[slot]), pack(store.cutoffs[slot]), known])
            size += len(known) // 2
            if size > _KEYS_A_PAGE:
                break
        self._pace(size * _KEY_BYTES)
        self._ask(KEYS, page, self._keys)

    def _keys(self, answer: list[Any]) -> None:
        engine = self.whole.engine
        keys = [key for told in answer for key in told[3][2::FIELDS]]
        self._is_waiting = True
        if not when_here(engine, keys, lambda: self._keys(answer)):
            return
        pin(engine, keys)
        if when_open(engine, [told[0] for told in answer], lambda: self._learn(answer, keys)):
            self._learn(answer, keys)

    def _learn(self, answer: list[Any], keys: list[bytes]) -> None:
        """All that it is about is here."""
        if not self.is_over:
            self._join(answer)
        unpin(self.whole.engine, keys)
        self._is_waiting = False
        self.whole.engine.soon(self.go_on)

    def _join(self, answer: list[Any]) -> None:
        replica = self.whole.engine.replica
        for slot, floor, cutoff, effects, weight, wanted, is_all in answer:
            replica.join_floor(slot, unpack(floor))
            self.whole.collection.adopt(slot, unpack(cutoff))
            self.records += replica.join_records(effects, {slot: unpack(cutoff)})
            self._pace(weight)
            if wanted:
                self._tell(slot, set(wanted))
            if is_all:
                self.left.remove(slot)

    def _tell(self, slot: int, wanted: set[int]) -> None:
        """What the peer has not got is owed to it, like what it missed while it was away."""
        engine = self.whole.engine
        for key, record in engine.keyspace.store.scan(slot):
            if hash_of(key) in wanted:
                self.peer.hints.add(key)
                self.records += 1
                self._pace(weight_of_any(key, record))
        engine.roster.delivery.deliver(self.peer)

    def _pace(self, size: int) -> None:
        """So many bytes are sent or received: wait until that is the share of repair."""
        self._next_s = max(self._next_s, self.whole.engine.mono_s) + size / self.whole.rate


def _unequal(slots: list[int], ours: list[int], theirs: list[int]) -> list[int]:
    return [slot for slot, mine, other in zip(slots, ours, theirs, strict=True) if mine != other]
