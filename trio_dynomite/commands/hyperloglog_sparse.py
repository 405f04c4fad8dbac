"""The sparse encoding of a HyperLogLog: runs of equal registers, edited just as Redis edits them.

After the header stand opcodes: `00xxxxxx` for 1 to 64 registers that are zero, `01xxxxxx xxxxxxxx` for 1 to
16384 of them, `1vvvvvxx` for 1 to 4 registers of 1 to 32. The bytes depend on the order of the changes and on
where runs were joined, so an edit splits one opcode and looks at its neighbours in the order of
`hllSparseSet` in `hyperloglog.c`; what grows too large or too high becomes dense.
"""

from bisect import bisect_right
from itertools import accumulate

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
_BODY_MAX = 2 * REGISTERS
"""Bytes after which any opcodes have told more registers than there are."""

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

    header: bytes
    codes: bytearray
    firsts: list[int]
    """Beside each byte of `codes` the first register that its opcode tells: two bytes with the same one are
    one opcode."""
    stop: int
    """The register after the last one."""

    def joined(self) -> bytes:
        """The string."""
        return self.header + self.codes

    def raise_register(self, index: int, rank: int) -> bool | None:
        """Raise one register to `rank`; was it lower? None: nothing was done, for the result must be dense.

        Raises CommandError when no opcode tells of the register."""
        if rank > RANK_MAX:
            return None
        if index >= self.stop:
            raise CommandError(CORRUPTED)
        end = bisect_right(self.firsts, index)
        at, first = self._start(end), self.firsts[end - 1]
        old = _rank(self.codes[at])
        if old >= rank:
            return False
        stop = self.firsts[end] if end < len(self.firsts) else self.stop
        runs = ((old, index - first), (rank, 1), (old, stop - index - 1))
        pieces = [_run(of, length) for of, length in runs if length]
        size, old_size = sum(map(len, pieces)), end - at
        if size > old_size and HEADER_SIZE + len(self.codes) + size - old_size > SIZE_MAX:
            return None
        self.codes[at:end] = b"".join(pieces)
        starts = accumulate([length for _, length in runs if length], initial=first)
        self.firsts[at:end] = [start for start, piece in zip(starts, pieces, strict=False) for _ in piece]
        self._join_runs(self._start(at) if at else 0)
        return True

    def _start(self, end: int) -> int:
        """Where the opcode begins that ends before `end`."""
        return end - 2 if end > 1 and self.firsts[end - 2] == self.firsts[end - 1] else end - 1

    def _join_runs(self, at: int) -> None:
        """Make equal neighbours one run, looking at a few opcodes from `at` on."""
        codes = self.codes
        for _ in range(_NEIGHBOURS):
            if at + 1 >= len(codes):
                return
            left, right = codes[at], codes[at + 1]
            length = (left & 3) + (right & 3) + 2
            if not left & _VALUE_BIT:
                at += 2 if left & _LONG_BIT else 1
            elif left >> 2 == right >> 2 and length <= _RUN_MAX:
                codes[at : at + 2] = bytes((left & ~3 | length - 1,))
                del self.firsts[at + 1]
            else:
                at += 1


def parse(value: bytes) -> Sparse:
    """Take a sparse HyperLogLog apart. Raises CommandError when it is longer than any can be."""
    if len(value) > HEADER_SIZE + _BODY_MAX:
        raise CommandError(CORRUPTED)
    codes, firsts, first = bytearray(value[HEADER_SIZE:]), [], 0
    heads = iter(codes)
    for head in heads:
        firsts.append(first)
        span = _SPANS[head]
        if span == 0:
            firsts.append(first)
            span = ((head & 63) << 8 | next(heads, 0)) + 1
        first += span
    return Sparse(value[:HEADER_SIZE], codes, firsts, first)


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


def _rank(head: int) -> int:
    return (head >> 2 & 31) + 1 if head & _VALUE_BIT else 0


def _run(rank: int, length: int) -> bytes:
    if rank:
        return bytes((_VALUE_BIT | rank - 1 << 2 | length - 1,))
    if length <= _ZEROS_MAX:
        return bytes((length - 1,))
    return bytes((_LONG_BIT | length - 1 >> 8, length - 1 & 255))
