"""Cells: the body of a hash, a set or a sorted set: element → cell, and what is kept beside it.

A cell is a tuple as in `record.py`: the value of a field, nothing for a member, the score of a scored
member; a cell without a value is a **tombstone**, or the shell of a field that has expired. `made` is the
newest stamp of all that was done to the elements, and with it the body claims the record's type
(`merge.py`).

The digest is a sum over the cells and kept by difference, so it costs a few integer operations per write. The
order of scores, and of deadlines, is there when somebody needs it.
"""

from collections.abc import Callable, Iterator
from typing import Any

import xxhash
from attrs import define, field

from trio_dynomite.data.names import shared
from trio_dynomite.data.record import (
    COUNTS,
    DEADLINE,
    EXPIRY,
    STAMP,
    VALUE,
    Count,
    Record,
    digest,
    is_from_nothing,
    join,
    shell,
)
from trio_dynomite.data.shelf import MEMORY, CellMap, Order, Shelf
from trio_dynomite.data.stamp import is_cutoff, pack, unpack

HASH, SET, SORTED_SET = "hash", "set", "zset"

ORDERED_FROM = 128
"""Members above which the order of scores is kept without anybody having asked."""
_MADE_WEIGHT = 0x9E3779B97F4A7C15
_SMALL = 128
"""Elements up to which an iteration or a choice looks at all of them at once."""
_TRIES = 64
_hash = xxhash.xxh3_64_intdigest

Draw = Callable[[int], int]
"""`draw(n)`: a number below n, by chance."""
Element = tuple[bytes, Record]


@define(eq=False, weakref_slot=False)
class Cells:
    """The elements of one record."""

    kind: str
    shelf: Shelf = MEMORY
    made: int = 0
    """The newest stamp of an element's cell."""
    live: int = 0
    """Elements that have a value."""
    due_ms: int = 0
    """The first deadline of a field; 0: none has any."""
    sum: int = 0
    """Of hash(element) * digest(cell)."""
    dead: int = 0
    """Cells without a value."""
    cells: CellMap = field(init=False)
    _scores: Order | None = None
    _deadlines: Order | None = None

    def __attrs_post_init__(self) -> None:
        self.cells = self.shelf.cells()
        if self.shelf.is_ordered and self.kind == SORTED_SET:
            self._scores = self.shelf.order("scores", ())

    @property
    def digest(self) -> int:
        """What the record's digest gets from here."""
        return self.sum + self.made * _MADE_WEIGHT

    def __len__(self) -> int:
        return self.live

    def put(self, element: bytes, cell: Record) -> None:
        """`element` now has `cell`; the caller sets `made`."""
        self.replace(element, self.cells.get(element), cell)

    def replace(self, element: bytes, old: Record | None, cell: Record) -> None:
        """`put` by who has seen that `element` has the cell `old`."""
        if old is None and self.live < _SMALL and self.kind == HASH:
            element = shared(element)
        self.cells[element] = cell
        change = digest(cell) if cell[EXPIRY] or cell[COUNTS] is not None else cell[STAMP]
        if old is None:
            if cell[VALUE] is not None:
                self.live += 1
            else:
                self.dead += 1
        else:
            change -= digest(old) if old[EXPIRY] or old[COUNTS] is not None else old[STAMP]
            if (old[VALUE] is None) is not (cell[VALUE] is None):
                change_live = 1 if old[VALUE] is None else -1
                self.live += change_live
                self.dead -= change_live
        self.sum += _hash(element) * change
        if self.kind == SORTED_SET:
            self._place(element, old, cell)
        elif cell[DEADLINE] or (old is not None and old[DEADLINE]):
            self._date(element, old, cell)

    def verify(self) -> bool:
        """Is the sum that was kept by difference that of the cells? If not, it is now."""
        kept = self.sum
        self.sum = sum([_hash(element) * digest(cell) for element, cell in self.cells.items()])
        return kept == self.sum

    def forget(self, element: bytes, cell: Record) -> None:
        """Nothing is known of `element` any more: its `cell` is dead and will not be asked for."""
        self.put(element, (0, None, 0, 0, None))
        del self.cells[element]
        self.dead -= 1

    def _place(self, element: bytes, old: Record | None, cell: Record) -> None:
        order = self._scores
        if order is None:
            if self.live > ORDERED_FROM:
                self.scores()
            return
        if old is not None and old[VALUE] is not None:
            order.remove((score_of(old), element))
        if cell[VALUE] is not None:
            order.add((score_of(cell), element))

    def _date(self, element: bytes, old: Record | None, cell: Record) -> None:
        if self._deadlines is None:
            self._deadlines = self.shelf.order("deadlines", ())
        order = self._deadlines
        if old is not None and old[DEADLINE] and old[VALUE] is not None:
            order.remove((old[DEADLINE], element))
        if cell[DEADLINE] and cell[VALUE] is not None:
            order.add((cell[DEADLINE], element))
        self.due_ms = order[0][0] if len(order) else 0

    def scores(self) -> Order:
        """(score, member) of the members, in order."""
        if self._scores is None:
            self._scores = self.shelf.order(
                "scores", [(score_of(cell), member) for member, cell in self.items()]
            )
        return self._scores

    def items(self) -> Iterator[Element]:
        """The elements that have a value."""
        for element, cell in self.cells.items():
            if cell[VALUE] is not None:
                yield element, cell

    def get(self, element: bytes) -> Record | None:
        """The cell of `element` if it has a value."""
        cell = self.cells.get(element)
        return None if cell is None or cell[VALUE] is None else cell

    def sweep(self, now_ms: int) -> list[bytes]:
        """Strip the fields whose deadline has passed of their values; which they are."""
        late: list[bytes] = []
        while 0 < self.due_ms <= now_ms:
            assert self._deadlines is not None
            element = self._deadlines[0][1]
            cell = self.cells.get(element)
            assert cell is not None
            self.put(element, shell(cell))
            late.append(element)
        return late

    def cut(self, reset: int) -> None:
        """Forget what is older than `reset`."""
        for element, cell in list(self.cells.items()):
            left = _under(cell, reset)
            if left is None:
                self.forget(element, cell)
            elif left is not cell:
                self.put(element, left)

    def merge(self, other: "Cells", reset: int) -> None:
        """Join another replica's cells, without what is older than `reset`."""
        for element, cell in other.cells.items():
            theirs = _under(cell, reset)
            if theirs is None:
                continue
            mine = self.cells.get(element)
            joined = theirs if mine is None else join(mine, theirs)
            if joined != mine:
                self.replace(element, mine, joined)
        self.made = max(self.made, other.made)

    def random(self, count: int, draw: Draw, *, distinct: bool) -> list[Element]:
        """So many elements by chance: at most all of them when `distinct`, else each drawn anew."""
        if not self.live:
            return []
        if distinct and count >= self.live:
            return list(self.items())
        if self.live <= _SMALL or (distinct and count * 2 > self.live):
            return _drawn(list(self.items()), count, draw, distinct)
        if not distinct:
            return [self._any(draw) for _ in range(count)]
        chosen: dict[bytes, Record] = {}
        while len(chosen) < count:
            element, cell = self._any(draw)
            chosen[element] = cell
        return list(chosen.items())

    def _any(self, draw: Draw) -> Element:
        for _ in range(_TRIES):
            element, cell = self.cells.sample(draw)
            if cell[VALUE] is not None:
                return element, cell
        return _drawn(list(self.items()), 1, draw, distinct=False)[0]

    def scan(self, cursor: int, count: int) -> tuple[int, list[Element]]:
        """About `count` elements from `cursor` on, and the next cursor; a small body is given whole."""
        if not cursor and self.live <= _SMALL:
            return 0, list(self.items())
        following, found = self.cells.page(cursor, count)
        return following, [(element, cell) for element, cell in found if cell[VALUE] is not None]

    def on(self, shelf: Shelf) -> "Cells":
        """The same cells on another shelf."""
        body = Cells(self.kind, shelf)
        for element, cell in self.cells.items():
            body.put(element, cell)
        body.made = self.made
        return body

    def pack(self) -> list[Any]:
        """All of it, as values that a frame can carry."""
        flat: list[Any] = []
        for element, (stamp, value, expiry, deadline, counts) in self.cells.items():
            more = None
            if expiry or counts is not None:
                told = None if counts is None else [[pack(origin), seq, sum_] for origin, seq, sum_ in counts]
                more = [pack(expiry), deadline, told]
            flat += (element, pack(stamp), value, more)
        return [self.kind, pack(self.made), flat]


def _under(cell: Record, reset: int) -> Record | None:
    """What `reset` leaves of a cell: of an older one nothing but a deadline that was given later.

    What was counted up from nothing stays under a cutoff: it is younger than that, whatever its base says.
    That deadline is for whatever the field holds under the reset, which may not have been heard of yet."""
    stamp, value, expiry, deadline, counts = cell
    if stamp >= reset:
        return cell
    if is_cutoff(reset) and is_from_nothing(cell):
        return (reset, value, expiry, deadline, counts)
    return (reset, None, expiry, deadline, None) if expiry >= reset > 0 else None


def unpack_cells(packed: Any) -> Cells:
    """The body in a frame's values."""
    kind, made, flat = packed
    body = Cells(kind)
    fields = iter(flat)
    for element, stamp, value, more in zip(fields, fields, fields, fields, strict=True):
        expiry, deadline, counts = (unpack(more[0]), more[1], _counts(more[2])) if more else (0, 0, None)
        body.put(element, (unpack(stamp), value, expiry, deadline, counts))
    body.made = unpack(made)
    return body


def _counts(told: Any) -> tuple[Count, ...] | None:
    return None if told is None else tuple([(unpack(origin), seq, total) for origin, seq, total in told])


def score_of(cell: Record) -> float:
    """The score that a member's live cell stands for."""
    counts = cell[COUNTS]
    score: float = cell[VALUE]
    return score if counts is None else 0.0 + score + sum([count[2] for count in counts])


def _drawn(everything: list[Element], count: int, draw: Draw, distinct: bool) -> list[Element]:
    if not distinct:
        return [everything[draw(len(everything))] for _ in range(count)]
    for at in range(min(count, len(everything))):
        other = at + draw(len(everything) - at)
        everything[at], everything[other] = everything[other], everything[at]
    return everything[:count]
