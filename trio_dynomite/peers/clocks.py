"""Clocks: those of the peers beside our own, and what to do where they differ.

All nodes give stamps by the clock that is furthest ahead, so that whoever takes a node's place gives newer
ones than that node did; so a peer's clock counts also when the peer has gone. That would let one wrong clock
drag all along: who is off by more than `drift_max_ms` from the middle of all is not followed, and a node that
finds itself off leads nothing and serves no reads (deadlines are by the clock) until it is right again.
Between two nodes nobody can tell who is wrong.

A clock is known by its **offset**: what it says less our monotonic time, which does not leap. A sign of life
that was long on its way makes a clock look late, so the best of the last few counts.
"""

from collections import deque
from collections.abc import Iterable

from attrs import define, field, frozen

_SIGNS = 10
"""Signs of life of which the best counts."""


@frozen
class Verdict:
    """What to make of a set of clocks."""

    beyond_ms: int
    """How far our own is ahead of the middle (or, negative, behind it)."""
    follow_ms: int
    """The offset that is furthest ahead of those that can be trusted."""


def judge(own_ms: int, others_ms: Iterable[int], drift_max_ms: int) -> Verdict:
    """Compare offsets. Of an even number the two in the middle count both."""
    known = sorted([own_ms, *others_ms])
    low, high = known[(len(known) - 1) // 2], known[len(known) // 2]
    beyond = own_ms - min(max(own_ms, low), high)
    return Verdict(beyond, max([offset for offset in known if offset <= high + drift_max_ms]))


@define(eq=False)
class Clocks:
    """One node's knowledge of all clocks."""

    drift_max_ms: int
    beyond_ms: int = 0
    """How far our own clock is off."""
    is_off: bool = False
    """By more than anybody should follow."""
    _follow_ms: int = 0
    _signs: dict[str, deque[int]] = field(factory=dict)

    def heard(self, peer: str, now_ms: int, mono_s: float) -> None:
        """A peer's clock says `now_ms`."""
        self._signs.setdefault(peer, deque(maxlen=_SIGNS)).append(now_ms - int(mono_s * 1000))

    def look(self, now_ms: int, mono_s: float) -> bool:
        """Compare our clock, which says `now_ms`, with the others; is anything different from before?"""
        verdict = judge(now_ms - int(mono_s * 1000), map(max, self._signs.values()), self.drift_max_ms)
        self.beyond_ms, self._follow_ms = verdict.beyond_ms, verdict.follow_ms
        before, limit = self.is_off, self.drift_max_ms // (2 if self.is_off else 1)
        self.is_off = abs(self.beyond_ms) > limit
        return self.is_off is not before

    def stamp_ms(self, now_ms: int, mono_s: float) -> int:
        """The time by which stamps are given while our own clock says `now_ms`."""
        follow_ms = self._follow_ms + int(mono_s * 1000)
        return follow_ms if self.is_off or follow_ms > now_ms else now_ms

    def slowest_ms(self, peers: Iterable[str], now_ms: int, mono_s: float) -> int:
        """The time by the clock that is furthest behind: ours, which says `now_ms`, or one of these peers'.

        It goes by their offsets: what we heard before a leap of our own clock is no lag of theirs."""
        offsets_ms = [max(self._signs[peer]) for peer in peers if peer in self._signs]
        return min([now_ms, *[offset + int(mono_s * 1000) for offset in offsets_ms]])
