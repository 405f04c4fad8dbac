"""Ranges of a sorted set by rank, by score and by member: read from a command's arguments, turned into ranks.

Once a range is two ranks, everything about it costs O(log n), and what it holds is one slice.
"""

from attrs import frozen

from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.commands.record import SortedSet
from trio_dynomite.commands.scores import bound
from trio_dynomite.errors import CommandError

_NO_SCORES = "ERR min or max is not a float"
_NO_MEMBERS = "ERR min or max not valid string range item"


@frozen
class RankRange:
    """The members of ranks first..last, both included; negative ones count from the end."""

    first: int
    last: int

    def ranks(self, view: SortedSet) -> tuple[int, int]:
        """The ranks start..stop-1 within `view`; start is not above stop."""
        size = len(view)
        first = max(self.first + size, 0) if self.first < 0 else min(self.first, size)
        last = self.last + size if self.last < 0 else min(self.last, size - 1)
        return first, max(first, last + 1)


@frozen
class ScoreRange:
    """The members with scores low..high; an open end is not included."""

    low: float
    low_open: bool
    high: float
    high_open: bool

    def ranks(self, view: SortedSet) -> tuple[int, int]:
        """The ranks start..stop-1 within `view`; start is not above stop."""
        start = view.below(self.low, or_at=self.low_open)
        return start, max(start, view.below(self.high, or_at=not self.high_open))


@frozen
class LexEnd:
    """One end of a range by member: `[member`, `(member`, or `-` and `+`, before and after all members."""

    member: bytes
    is_open: bool
    is_first: bool = False
    is_last: bool = False


@frozen
class LexRange:
    """The members low..high in the order of their bytes. Of use when all scores are equal."""

    low: LexEnd
    high: LexEnd

    def ranks(self, view: SortedSet) -> tuple[int, int]:
        """The ranks start..stop-1 within `view`; start is not above stop."""
        start = _members_below(view, self.low, or_at=self.low.is_open)
        return start, max(start, _members_below(view, self.high, or_at=not self.high.is_open))


Range = RankRange | ScoreRange | LexRange


def rank_range(first: bytes, last: bytes) -> RankRange:
    """The range that these arguments spell. Raises CommandError."""
    return RankRange(integer_argument(first), integer_argument(last))


def score_range(low: bytes, high: bytes) -> ScoreRange:
    """The range that these arguments spell, such as `(1` and `+inf`. Raises CommandError."""
    low_open, high_open = low[:1] == b"(", high[:1] == b"("
    low_score, high_score = bound(low[low_open:]), bound(high[high_open:])
    if low_score is None or high_score is None:
        raise CommandError(_NO_SCORES)
    return ScoreRange(low_score, low_open, high_score, high_open)


def lex_range(low: bytes, high: bytes) -> LexRange:
    """The range that these arguments spell, such as `[a` and `+`. Raises CommandError."""
    return LexRange(_lex_end(low), _lex_end(high))


def _lex_end(text: bytes) -> LexEnd:
    mark, rest = text[:1], text[1:]
    if mark in (b"[", b"("):
        return LexEnd(rest, mark == b"(")
    # C sees the end of the text at a zero byte.
    if mark not in (b"-", b"+") or rest[:1] not in (b"", b"\0"):
        raise CommandError(_NO_MEMBERS)
    return LexEnd(b"", True, is_first=mark == b"-", is_last=mark == b"+")


def _members_below(view: SortedSet, end: LexEnd, *, or_at: bool) -> int:
    if end.is_first:
        return 0
    return len(view) if end.is_last else view.below_member(end.member, or_at=or_at)
