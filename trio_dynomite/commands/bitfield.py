"""BITFIELD and BITFIELD_RO: integers of any width inside a string (https://valkey.io/commands/bitfield).

All words are read before anything is touched; then the string grows as far as the farthest write reaches,
and the steps run one after the other on a mutable copy, of which the span that they wrote is replicated.
"""

from attrs import frozen

from trio_dynomite.commands.bits import field_offset
from trio_dynomite.commands.numeric import integer_argument, parse_int64
from trio_dynomite.commands.refusals import SYNTAX
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import NULL, array, integer

_BAD_TYPE = "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."
_BAD_OVERFLOW = "ERR Invalid OVERFLOW type specified"
_READ_ONLY = "ERR BITFIELD_RO only supports the GET subcommand"
_WIDTH_MAX = {b"i": 64, b"u": 63}
_ARGUMENTS = {b"GET": 2, b"SET": 3, b"INCRBY": 3, b"OVERFLOW": 1}
_UINT64 = 1 << 64


@frozen
class _Step:
    name: bytes
    """GET, SET or INCRBY."""
    signed: bool
    width: int
    offset: int
    """Of its first bit."""
    operand: int
    """The value of SET, the increment of INCRBY."""
    overflow: bytes
    """WRAP, SAT or FAIL."""

    @property
    def first_byte(self) -> int:
        return self.offset >> 3

    @property
    def stop_byte(self) -> int:
        return (self.offset + self.width + 7) >> 3


def bitfield(ks: Keyspace, args: list[bytes]) -> bytes:
    """BITFIELD key [GET type offset | [OVERFLOW how] SET type offset value | INCRBY type offset n ...]."""
    steps = _parse(args[2:])
    writes = [step for step in steps if step.name != b"GET"]
    if not writes:
        return _answer_reads(ks, args[1], steps)
    key = args[1]
    value = ks.get(key)
    data = bytearray(value or b"")
    data += bytes(max(max([step.stop_byte for step in writes]) - len(data), 0))
    grew = value is None or len(data) > len(value)
    replies, changed = [], False
    for step in steps:
        answer, wrote = _run(data, step)
        replies.append(NULL[ks.resp] if answer is None else integer(answer))
        changed |= wrote is not None and (grew or wrote)
    _store(ks, key, value, data, writes)
    if changed and ks.wants_events:
        ks.event("setbit", key)
    return array(replies)


def bitfield_ro(ks: Keyspace, args: list[bytes]) -> bytes:
    """BITFIELD_RO key [GET type offset ...]."""
    steps = _parse(args[2:])
    if any(step.name != b"GET" for step in steps):
        raise CommandError(_READ_ONLY)
    return _answer_reads(ks, args[1], steps)


def _answer_reads(ks: Keyspace, key: bytes, steps: list[_Step]) -> bytes:
    value = ks.get(key) or b""
    return array([integer(_read(value, step)) for step in steps])


def _run(data: bytearray, step: _Step) -> tuple[int | None, bool | None]:
    """Carry out `step`: what it answers (None: refused by OVERFLOW FAIL), and whether it changed the field
    (None: it did not write)."""
    old = _read(data, step)
    if step.name == b"GET":
        return old, None
    total = old + step.operand if step.name == b"INCRBY" else step.operand
    if step.name == b"SET" and not step.signed:
        total %= _UINT64  # a negative one is above every maximum, not below 0
    new = _fit(total, step)
    if new is None:
        return None, None
    _write(data, step, new)
    return (new if step.name == b"INCRBY" else old), new != old


def _fit(number: int, step: _Step) -> int | None:
    """`number` as the field can hold it; None when it cannot and OVERFLOW is FAIL."""
    least = -(1 << step.width - 1) if step.signed else 0
    most = least + (1 << step.width) - 1
    if least <= number <= most:
        return number
    match step.overflow:
        case b"FAIL":
            return None
        case b"SAT":
            return most if number > most else least
    return (number - least) % (1 << step.width) + least


def _read(data: bytes | bytearray, step: _Step) -> int:
    size = step.stop_byte - step.first_byte
    piece = data[step.first_byte : step.stop_byte].ljust(size, b"\0")
    number = int.from_bytes(piece, "big") >> step.stop_byte * 8 - step.offset - step.width
    number &= (1 << step.width) - 1
    return number - (1 << step.width) if step.signed and number >> step.width - 1 else number


def _write(data: bytearray, step: _Step, number: int) -> None:
    shift = step.stop_byte * 8 - step.offset - step.width
    mask = (1 << step.width) - 1
    span = slice(step.first_byte, step.stop_byte)
    around = int.from_bytes(data[span], "big") & ~(mask << shift)
    data[span] = (around | (number & mask) << shift).to_bytes(step.stop_byte - step.first_byte, "big")


def _store(ks: Keyspace, key: bytes, value: bytes | None, data: bytearray, writes: list[_Step]) -> None:
    """The string becomes `data`, which differs from `value` in no more than what `writes` reach."""
    new = bytes(data)
    if value is None:
        ks.put(key, new)
    elif new != value:
        start = min([step.first_byte for step in writes])
        stop = max([step.stop_byte for step in writes])
        ks.patch(key, new, b"setrange", start, new[start:stop])


def _parse(words: list[bytes]) -> list[_Step]:
    steps, overflow, at = [], b"WRAP", 0
    while at < len(words):
        name = words[at].upper()
        taken = _ARGUMENTS.get(name, len(words))
        arguments = words[at + 1 : at + 1 + taken]
        if len(arguments) < taken:
            raise CommandError(SYNTAX)
        if name == b"OVERFLOW":
            overflow = _overflow(arguments[0])
        else:
            steps.append(_step(name, arguments, overflow))
        at += 1 + taken
    return steps


def _overflow(word: bytes) -> bytes:
    if word.upper() not in (b"WRAP", b"SAT", b"FAIL"):
        raise CommandError(_BAD_OVERFLOW)
    return word.upper()


def _step(name: bytes, arguments: list[bytes], overflow: bytes) -> _Step:
    sign = arguments[0][:1]
    width = parse_int64(arguments[0][1:])
    if width is None or not 1 <= width <= _WIDTH_MAX.get(sign, 0):
        raise CommandError(_BAD_TYPE)
    offset = field_offset(arguments[1], width)
    operand = 0 if name == b"GET" else integer_argument(arguments[2])
    return _Step(name, sign == b"i", width, offset, operand, overflow)
