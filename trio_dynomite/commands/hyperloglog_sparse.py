"""The sparse encoding of a HyperLogLog: runs of equal registers, edited just as Redis edits them.

After the header stand opcodes: `00xxxxxx` for 1 to 64 registers that are zero, `01xxxxxx xxxxxxxx` for 1 to
16384 of them, `1vvvvvxx` for 1 to 4 registers of 1 to 32. The bytes depend on the order of the changes and on
where runs were joined, so an edit splits one opcode and looks at its neighbours in the order of
`hllSparseSet` in `hyperloglog.c`; what grows too large or too high becomes dense.
"""

from attrs import define

from trio_dynomite.commands.hyperloglog import HEADER_SIZE, MAGIC, REGISTERS, SPARSE
from trio_dynomite.errors import CommandError

CORRUPTED = "INVALIDOBJ Corrupted HLL object detected"
SIZE_MAX = 3000
"""Redis's default `hll-sparse-max-bytes`, header included."""
RANK_MAX = 32
"""The highest register that an opcode can tell."""
_VALUE_BIT = 0x80
_LONG_BIT = 0x40
_ZEROS_MAX = 64
_RUN_MAX = 4
_NEIGHBOURS = 5

EMPTY = MAGIC + bytes([SPARSE]) + bytes(HEADER_SIZE - 5) + b"\x7f\xff"
"""What Redis makes of no element at all: its cached cardinality, zero, is right."""

_SPANS = [(head & 3) + 1 if head & _VALUE_BIT else 0 if head & _LONG_BIT else head + 1 for head in range(256)]
"""How many registers an opcode of one byte tells; 0: it has two."""
_PIECES = [
    bytes(((head >> 2 & 31) + 1 if head & _VALUE_BIT else 0,)) * span for head, span in enumerate(_SPANS)
]
"""Those registers."""


@define
class Sparse:
    """A sparse HyperLogLog that is being edited."""

    data: bytearray
    start: int = HEADER_SIZE
    """An opcode of zeros from which the search for a later register than `last` may begin."""
    first: int = 0
    """The first register that it tells."""
    last: int = 0
    """The register that was raised last: raising them in ascending order costs O(n) altogether."""

    def raise_register(self, index: int, rank: int) -> bool | None:
        """Raise one register to `rank`; was it lower? None: nothing was done, for the result must be dense.

        Raises CommandError when no opcode tells of the register."""
        if rank > RANK_MAX:
            return None
        if index < self.last:
            self.start, self.first = HEADER_SIZE, 0
        at, first, before = self._find(index)
        size, span, old = self._opcode(at)
        if old >= rank:
            return False
        piece = _split(old, span, index - first, rank)
        if len(piece) > size and len(self.data) + len(piece) - size > SIZE_MAX:
            return None
        self.data[at : at + size] = piece
        self._join_runs(before)
        self.last = index
        if old == 0 and index > first:
            self.start, self.first = at, first
        return True

    def _find(self, index: int) -> tuple[int, int, int]:
        """Where the opcode that tells of register `index` is, its first register, and where the opcode before
        it is (itself when it is the first one)."""
        first, stop, longs = self.first, 0, 0
        after_long = after_long_before = -1
        heads = iter(self.data[self.start :])
        for number, head in enumerate(heads):
            span = _SPANS[head]
            if span == 0:
                span = ((head & 63) << 8 | next(heads, 0)) + 1
                longs += 1
                after_long, after_long_before = number + 1, after_long
            stop = first + span
            if stop > index:
                break
            first = stop
        if stop <= index:
            raise CommandError(CORRUPTED)
        if after_long > number:
            longs, after_long = longs - 1, after_long_before
        at = self.start + number + longs
        return at, first, max(at - (2 if after_long == number else 1), self.start)

    def _opcode(self, at: int) -> tuple[int, int, int]:
        """The bytes of the opcode at `at`, how many registers it tells, and what they are."""
        head = self.data[at]
        if head & _VALUE_BIT:
            return 1, (head & 3) + 1, (head >> 2 & 31) + 1
        if head & _LONG_BIT:
            return 2, ((head & 63) << 8 | int.from_bytes(self.data[at + 1 : at + 2], "big")) + 1, 0
        return 1, head + 1, 0

    def _join_runs(self, at: int) -> None:
        """Make equal neighbours one run, looking at a few opcodes from `at` on."""
        data = self.data
        for _ in range(_NEIGHBOURS):
            if at + 1 >= len(data):
                return
            left, right = data[at], data[at + 1]
            length = (left & 3) + (right & 3) + 2
            if not left & _VALUE_BIT:
                at += 2 if left & _LONG_BIT else 1
            elif left >> 2 == right >> 2 and length <= _RUN_MAX:
                data[at : at + 2] = bytes((left & ~3 | length - 1,))
            else:
                at += 1


def registers(value: bytes) -> bytes:
    """One byte for each register. Raises CommandError when the string is damaged."""
    pieces, total = [], 0
    heads = iter(value[HEADER_SIZE:])
    for head in heads:
        piece = _PIECES[head] or bytes(((head & 63) << 8 | next(heads, 0)) + 1)
        pieces.append(piece)
        total += len(piece)
        if total > REGISTERS:
            break
    if total != REGISTERS:
        raise CommandError(CORRUPTED)
    return b"".join(pieces)


def decoded(value: bytes) -> bytes:
    """The opcodes in words, as PFDEBUG DECODE tells them."""
    words = []
    heads = iter(value[HEADER_SIZE:])
    for head in heads:
        if head & _VALUE_BIT:
            words.append(b"v:%d,%d" % ((head >> 2 & 31) + 1, _SPANS[head]))
        elif head & _LONG_BIT:
            words.append(b"Z:%d" % (((head & 63) << 8 | next(heads, 0)) + 1))
        else:
            words.append(b"z:%d" % _SPANS[head])
    return b" ".join(words)


def _split(old: int, span: int, offset: int, rank: int) -> bytes:
    """The opcodes in place of a run of `span` registers that are `old` when the one at `offset` is raised."""
    after = span - offset - 1
    before = _run(old, offset) if offset else b""
    return b"".join((before, _run(rank, 1), _run(old, after) if after else b""))


def _run(rank: int, length: int) -> bytes:
    if rank:
        return bytes((_VALUE_BIT | rank - 1 << 2 | length - 1,))
    if length <= _ZEROS_MAX:
        return bytes((length - 1,))
    return bytes((_LONG_BIT | length - 1 >> 8, length - 1 & 255))
