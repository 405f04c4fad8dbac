"""Collection of what is dead: when is it certain that every replica has heard of a tombstone?

A node works in **rounds**. In the first phase it compares itself with every replica of its slots, and so
learns all that any of them knew when the phase began. In the second it does that again, and now all of them
learn all that it knew. What had been stamped by then, and is older than `grace_s` before the beginning, is
known to everybody, and nothing older can come: no clock gives such stamps any more. That moment is the
**cutoff** of the slots (`storage/collect.py`); it is told to all, and each forgets what is dead under it.

A replica that is away, has lost its link, or has missed more than its hints could tell, takes its slots out
of the round: so nothing is collected while somebody may still bring back what is dead. What remains of the
hints is delivered before the round ends, and what was under way in frames has arrived.

Source: ScyllaDB's `tombstone_gc = repair`, and what Riak's `kv679` tests found.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from attrs import define, field

from trio_dynomite.coordinator.here import slots_at_once, when_here, when_open
from trio_dynomite.data.stamp import cutoff_at, pack, unpack
from trio_dynomite.model import NodeState
from trio_dynomite.storage.collect import Page, has_garbage, purge, raise_cutoff

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.peers.link import Link
    from trio_dynomite.peers.peer import Peer
    from trio_dynomite.repair.comparison import Comparison

CUTOFF = b"cutoff"
_RECORDS_A_TICK, _CELLS_A_TICK = 20_000, 10_000
"""How much is looked at in one turn."""
_SPACING, _PAUSE = 0.5, 0.25
"""Parts of the grace: by so much a slot's cutoff rises at least, and so long a node waits between rounds."""


@define(eq=False)
class Participant:
    """A replica that takes part in a round."""

    peer: Peer
    link: Link
    slots: set[int]
    lost: tuple[int, int]
    """Hints that it had missed when the round began."""
    is_done: bool = False
    """In this phase."""

    @property
    def is_whole(self) -> bool:
        """Has all that was told it since the round began come to it, or is it on its way?"""
        hints = self.peer.hints
        is_same = self.peer.link is self.link and self.peer.is_serving and self.peer.is_kin
        return is_same and (hints.refused, hints.expired) == self.lost

    @property
    def is_flushed(self) -> bool:
        """Is nothing owed to it any more?"""
        return not self.peer.hints and not self.peer.is_delivering


@define(eq=False)
class Round:
    """One round under way."""

    cutoff: int
    slots: set[int]
    participants: dict[str, Participant]
    began_s: float
    """When the phase began."""
    phase: int = 1

    def drop_broken(self) -> None:
        """Whoever cannot be relied upon takes its slots out of the round."""
        for name, participant in list(self.participants.items()):
            if not participant.is_whole:
                del self.participants[name]
                self.slots -= participant.slots

    def compared(self, comparison: Comparison) -> None:
        """A comparison came to its end."""
        participant = self.participants.get(comparison.peer.name)
        if (
            participant is not None
            and comparison.link is participant.link
            and comparison.began_s >= self.began_s
        ):
            participant.is_done = True

    def go_on(self, now_s: float, settle_s: float) -> bool:
        """Begin the next phase if this one is over; is the round over?"""
        participants = self.participants.values()
        if self.phase < 3:
            if all(participant.is_done for participant in participants):
                self.phase, self.began_s = self.phase + 1, now_s
                for participant in participants:
                    participant.is_done = False
            return False
        return now_s - self.began_s >= settle_s and all(
            participant.is_flushed for participant in participants
        )


@define(eq=False)
class Collection:
    """One node's rounds, and what they let it forget."""

    engine: Engine
    grace_s: float = 0.0
    """So long is kept what is dead; 0: for ever."""
    round: Round | None = None
    rounds: int = 0
    """That came to their end."""
    collected: int = 0
    """Records and elements that were forgotten."""
    held_by: list[str] = field(factory=list)
    """Replicas without which some of what is old enough cannot be forgotten."""
    _next_s: float = 0.0
    _slots: deque[tuple[int, int]] = field(factory=deque)
    """Slots whose cutoffs are to be raised, and to what."""
    _opening: list[tuple[int, int]] = field(factory=list)
    """Those of them that are being looked at."""
    _pages: deque[Page] = field(factory=deque)
    """Large collections that are purged bit by bit."""

    def __attrs_post_init__(self) -> None:
        self.engine.broadcasts.listeners[CUTOFF] = self._on_cutoff

    @property
    def is_busy(self) -> bool:
        """Is something known here only in part, which the others have forgotten, or the other way round?"""
        return bool(self._slots or self._opening or self._pages)

    def tick(self) -> None:
        """Called a few times a second."""
        self._work()
        now_s = self.engine.mono_s
        if self.round is None:
            is_calm = self.engine.state is NodeState.NORMAL and not self.engine.table.is_changing
            if self.grace_s and now_s >= self._next_s and is_calm:
                self._next_s = now_s + self.grace_s * _PAUSE
                self.round = self._begin()
            return
        self.round.drop_broken()
        if not self.round.slots:
            self.round = None
        elif self.round.go_on(now_s, self.engine.roster.settings.down_after_s):
            self._end(self.round)

    def compared(self, comparison: Comparison) -> None:
        """A comparison came to its end, and all that was found to differ was told."""
        if self.round is not None:
            self.round.compared(comparison)

    def _begin(self) -> Round | None:
        engine, store = self.engine, self.engine.keyspace.store
        shared = {peer: engine.replica.slots_shared_with(peer) for peer in engine.roster.peers.values()}
        others = [peer.name for peer, slots in shared.items() if slots]
        slowest_ms = engine.roster.clocks.slowest_ms(others, engine.now_ms, engine.mono_s)
        cutoff = cutoff_at(slowest_ms - int(self.grace_s * 1000))
        worth = cutoff - cutoff_at(int(self.grace_s * _SPACING * 1000))
        garbage = {s for s in range(len(store.sums)) if store.cutoffs[s] < worth and has_garbage(store, s)}
        participants: dict[str, Participant] = {}
        absent: list[str] = []
        for peer, slots in shared.items():
            common = garbage.intersection(slots)
            if common and peer.is_serving and peer.is_kin and peer.link is not None:
                lost = (peer.hints.refused, peer.hints.expired)
                participants[peer.name] = Participant(peer, peer.link, common, lost)
            elif common:
                absent.append(peer.name)
                garbage -= common
        self._tell_held(absent)
        return Round(cutoff, garbage, participants, engine.mono_s) if garbage else None

    def _tell_held(self, absent: list[str]) -> None:
        """An operator should know who is waited for: it may be for ever."""
        if absent != self.held_by:
            self.held_by = absent
            if absent:
                self.engine.log("collection.held", by=",".join(absent), why="they may not have heard of it")

    def _end(self, ended: Round) -> None:
        """Tell all, and do it here."""
        self.round = None
        self.rounds += 1
        for participant in ended.participants.values():
            told = [pack(ended.cutoff), sorted(ended.slots & participant.slots)]
            self.engine.broadcasts.tell(participant.peer, CUTOFF, told, lambda answer: None)
        self._slots.extend([(slot, ended.cutoff) for slot in sorted(ended.slots)])

    def _on_cutoff(self, values: list[Any]) -> bool:
        """A peer has found that all replicas of some slots know all that is as old.

        It told so on the connection on which it made sure of us: this is the life of ours that it means."""
        cutoff = unpack(values[0])
        self.engine.keyspace.clock.observe(cutoff)
        self._slots.extend([(slot, cutoff) for slot in values[1]])
        return True

    def adopt(self, slot: int, cutoff: int) -> None:
        """A replica of a slot, from which we know all, tells its cutoff."""
        store = self.engine.keyspace.store
        if cutoff > store.cutoffs[slot]:
            self.engine.keyspace.clock.observe(cutoff)
            gone, pages = raise_cutoff(store, slot, cutoff)
            self.collected += gone
            self._pages.extend(pages)

    def _work(self) -> None:
        if not self._opening and self._slots:
            self._opening = self._next_slots()
            slots = [slot for slot, _ in self._opening if has_garbage(self.engine.keyspace.store, slot)]
            if when_open(self.engine, slots, self._adopt_all):
                self._adopt_all()
        if self._pages and when_here(self.engine, [self._pages[0].key], lambda: None):
            page = self._pages.popleft()
            gone, rest = purge(self.engine.keyspace.store, page, _CELLS_A_TICK)
            self.collected += gone
            if rest is not None:
                self._pages.appendleft(rest)

    def _next_slots(self) -> list[tuple[int, int]]:
        """So many as are looked at in one turn."""
        found: list[tuple[int, int]] = []
        looked, records = 0, self.engine.keyspace.store.records
        most = slots_at_once(self.engine, len(self._slots))
        while self._slots and looked < _RECORDS_A_TICK and len(found) < most:
            slot, cutoff = self._slots.popleft()
            looked += len(records[slot]) + 1
            found.append((slot, cutoff))
        return found

    def _adopt_all(self) -> None:
        opened, self._opening = self._opening, []
        for slot, cutoff in opened:
            self.adopt(slot, cutoff)
