"""Strings as arrays of bits: SETBIT, GETBIT, BITCOUNT, BITPOS (https://valkey.io/commands/#bitmap).

Bit 0 is the highest bit of the first byte. What is beyond the end reads as zero. A whole value is looked at
as one long integer or in large chunks, so that a long bitmap costs a pass in C and not a loop in Python.
"""

from trio_dynomite.commands.numeric import integer_argument, parse_int64
from trio_dynomite.commands.refusals import PROTO_MAX_BULK_LEN, SYNTAX
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import MINUS_ONE, ONE, ZERO, integer

_BAD_OFFSET = "ERR bit offset is not an integer or out of range"
_BAD_BIT = "ERR bit is not an integer or out of range"
_BAD_SOUGHT = "ERR The bit argument must be 1 or 0."
_OFFSET_MAX = PROTO_MAX_BULK_LEN * 8 - 1
_CHUNK = 1 << 16
_ZEROS = bytes(_CHUNK)
_ONES = b"\xff" * _CHUNK


def bit_offset(text: bytes) -> int:
    """The place of a bit that `text` names. Raises CommandError when no string is that long."""
    offset = parse_int64(text)
    if offset is None or not 0 <= offset <= _OFFSET_MAX:
        raise CommandError(_BAD_OFFSET)
    return offset


def field_offset(text: bytes, width: int) -> int:
    """The place of an integer of `width` bits; `#n` counts in whole integers. Raises as `bit_offset`."""
    if text[:1] != b"#":
        return bit_offset(text)
    offset = bit_offset(text[1:]) * width
    if offset > _OFFSET_MAX:
        raise CommandError(_BAD_OFFSET)
    return offset


def setbit(ks: Keyspace, args: list[bytes]) -> bytes:
    """SETBIT key offset value; what the bit was. The string grows with zeros to reach the bit."""
    key, offset = args[1], bit_offset(args[2])
    if args[3] not in (b"0", b"1"):
        raise CommandError(_BAD_BIT)
    value = ks.get(key)
    at, mask = offset >> 3, 128 >> (offset & 7)
    old = value[at] if value is not None and at < len(value) else None
    new = (old or 0) | mask if args[3] == b"1" else (old or 0) & ~mask
    if new != old:
        _write(ks, key, value, at, bytes((new,)))
        if ks.wants_events:
            ks.event("setbit", key)
    return ONE if old is not None and old & mask else ZERO


def _write(ks: Keyspace, key: bytes, value: bytes | None, at: int, piece: bytes) -> None:
    """Put `piece` at byte `at` of the string."""
    if value is None:
        ks.put(key, bytes(at) + piece)
    else:
        new = b"".join((value[:at].ljust(at, b"\0"), piece, value[at + 1 :]))
        ks.patch(key, new, b"setrange", at, piece)


def getbit(ks: Keyspace, args: list[bytes]) -> bytes:
    """GETBIT key offset."""
    offset = bit_offset(args[2])
    value = ks.get(args[1])
    at = offset >> 3
    if value is None or at >= len(value):
        return ZERO
    return ONE if value[at] & 128 >> (offset & 7) else ZERO


def bitcount(ks: Keyspace, args: list[bytes]) -> bytes:
    """BITCOUNT key [start [end [BYTE | BIT]]]: how many bits are one."""
    start, end, unit = _range(args[2:])
    value = ks.get(args[1]) or b""
    if end is not None and end < start < 0:
        return ZERO
    first, last = _bit_range(start, end, unit, len(value))
    return integer(_ones(value, first, last) if first <= last else 0)


def bitpos(ks: Keyspace, args: list[bytes]) -> bytes:
    """BITPOS key bit [start [end [BYTE | BIT]]]: where the first such bit is; -1: nowhere.

    The string is followed by zeros without end, unless the range names its end."""
    bit = integer_argument(args[2])
    if bit not in (0, 1):
        raise CommandError(_BAD_SOUGHT)
    start, end, unit = _range(args[3:])
    value = ks.get(args[1])
    if value is None:
        return MINUS_ONE if bit else ZERO
    first, last = _bit_range(start, end, unit, len(value))
    if first > last:
        return MINUS_ONE
    place = _find(value, bit, first, last)
    if place is None and bit == 0 and end is None:
        place = len(value) * 8
    return MINUS_ONE if place is None else integer(place)


def _range(words: list[bytes]) -> tuple[int, int | None, int]:
    """Start, end (None: to the end of the string) and bits per unit; the words are read in Redis's order."""
    if not words:
        return 0, None, 8
    if len(words) > 3:
        raise CommandError(SYNTAX)
    start = integer_argument(words[0])
    unit = _unit(words[2]) if len(words) == 3 else 8
    return start, integer_argument(words[1]) if len(words) > 1 else None, unit


def _unit(word: bytes) -> int:
    match word.upper():
        case b"BIT":
            return 1
        case b"BYTE":
            return 8
    raise CommandError(SYNTAX)


def _bit_range(start: int, end: int | None, unit: int, size: int) -> tuple[int, int]:
    """The first and the last bit of the range; an empty one ends before it starts."""
    total = size * 8 // unit
    last = total - 1 if end is None else end
    first = max(start + total, 0) if start < 0 else start
    last = max(last + total, 0) if last < 0 else last
    return first * unit, (min(last, total - 1) + 1) * unit - 1


def _ones(value: bytes, first: int, last: int) -> int:
    head, tail = first >> 3, last >> 3
    count = int.from_bytes(value[head : tail + 1], "little").bit_count()
    before = value[head] >> 8 - (first & 7)
    after = value[tail] & (1 << 7 - (last & 7)) - 1
    return count - before.bit_count() - after.bit_count()


def _find(value: bytes, bit: int, first: int, last: int) -> int | None:
    """The first place of `bit` in the bits first..last. A chunk without one is passed by a comparison."""
    head, tail = first >> 3, last >> 3
    without = _ZEROS if bit else _ONES
    for at in range(head, tail + 1, _CHUNK):
        chunk = bytearray(value[at : min(at + _CHUNK, tail + 1)])
        if at == head:
            _blank(chunk, 0, ~(0xFF >> (first & 7)) & 0xFF, bit)
        if at + len(chunk) > tail:
            _blank(chunk, -1, (1 << 7 - (last & 7)) - 1, bit)
        if chunk != without[: len(chunk)]:
            rest = chunk.lstrip(without[:1])
            sought = rest[0] if bit else rest[0] ^ 0xFF
            return (at + len(chunk) - len(rest)) * 8 + 8 - sought.bit_length()
    return None


def _blank(chunk: bytearray, at: int, mask: int, bit: int) -> None:
    """Make the bits of `mask` other than `bit`, for they are outside the range."""
    if bit:
        chunk[at] &= ~mask
    else:
        chunk[at] |= mask
