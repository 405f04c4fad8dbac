"""DUMP and RESTORE: a value as Redis serialises it (https://valkey.io/commands/dump).

A payload is a type byte, the value as in an RDB file, the RDB version (two bytes) and a CRC-64 of all
before it (eight bytes), both little-endian. Strings are kept as they are or as small integers, and we
read LZF too. We write the oldest version with this footer, so every server since Redis 2.6 takes what we
dump, and read strings of every version up to Valkey 9's.
"""

import struct

import anycrc  # type: ignore[import-untyped]
from attrs import define

from trio_dynomite.commands.lzf import decompress
from trio_dynomite.commands.numeric import INT64_MAX, integer_argument, parse_int64
from trio_dynomite.commands.refusals import PROTO_MAX_BULK_LEN, SYNTAX
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import NULL, OK, bulk

_CRC64 = anycrc.Model("CRC64-REDIS")
_STRING = 0
_VERSION_WRITTEN = 6
_VERSION_MAX = 80
_FOOTER = struct.Struct("<HQ")
_INTEGERS = (struct.Struct("<b"), struct.Struct("<h"), struct.Struct("<i"))
_INT_TEXT_MAX = 11
_LZF = 3

_BAD_FOOTER = "ERR DUMP payload version or checksum are wrong"
_BAD_FORMAT = "ERR Bad data format"
_BUSY_KEY = "BUSYKEY Target key name already exists."
_BAD_TTL = "ERR Invalid TTL value, must be >= 0"
_BAD_IDLETIME = "ERR Invalid IDLETIME value, must be >= 0"
_BAD_FREQ = "ERR Invalid FREQ value, must be >= 0 and <= 255"


@define
class _Options:
    replace: bool = False
    absolute: bool = False
    idle_or_frequency: bytes = b""


def dump(ks: Keyspace, args: list[bytes]) -> bytes:
    """DUMP key."""
    value = ks.get(args[1])
    return NULL[ks.resp] if value is None else bulk(encode(value))


def restore(ks: Keyspace, args: list[bytes]) -> bytes:
    """RESTORE key ttl payload [REPLACE] [ABSTTL] [IDLETIME s] [FREQ n]; the last two change nothing here."""
    key = args[1]
    options = _parse_options(args[4:])
    if not options.replace and ks.kind(key) is not None:
        raise CommandError(_BUSY_KEY)
    ttl_ms = integer_argument(args[2])
    base_ms = ks.now_ms if ttl_ms and not options.absolute else 0
    if not 0 <= ttl_ms <= INT64_MAX - base_ms:
        raise CommandError(_BAD_TTL)
    ks.put(key, decode(args[3]), ttl_ms + base_ms)
    return OK


def encode(value: bytes) -> bytes:
    """The payload for the string `value`."""
    body = b"".join([bytes([_STRING]), _encode_string(value), _VERSION_WRITTEN.to_bytes(2, "little")])
    return body + _crc64(body).to_bytes(8, "little")


def decode(payload: bytes) -> bytes:
    """The string in `payload`.

    Raises:
        CommandError: the checksum is wrong, or the version too new, or the value is no string.
    """
    if len(payload) < _FOOTER.size:
        raise CommandError(_BAD_FOOTER)
    version, checksum = _FOOTER.unpack_from(payload, len(payload) - _FOOTER.size)
    if version > _VERSION_MAX or checksum != _crc64(payload[:-8]):
        raise CommandError(_BAD_FOOTER)
    value = _decode_value(payload[: -_FOOTER.size])
    if value is None:
        raise CommandError(_BAD_FORMAT)
    return value


def _crc64(data: bytes) -> int:
    return int(_CRC64.calc(data))


def _encode_string(value: bytes) -> bytes:
    number = parse_int64(value) if len(value) <= _INT_TEXT_MAX else None
    if number is not None:
        for code, layout in enumerate(_INTEGERS):
            if -(1 << 8 * layout.size - 1) <= number < 1 << 8 * layout.size - 1:
                return bytes([0xC0 | code]) + layout.pack(number)
    return _encode_length(len(value)) + value


def _encode_length(length: int) -> bytes:
    if length < 1 << 6:
        return bytes([length])
    if length < 1 << 14:
        return (0x4000 | length).to_bytes(2, "big")
    return b"\x80" + length.to_bytes(4, "big")


def _decode_value(body: bytes) -> bytes | None:
    if not body or body[0] != _STRING:
        return None
    try:
        value, position = _decode_string(body, 1)
    except (IndexError, struct.error):
        return None
    return value if position == len(body) else None


def _decode_string(body: bytes, position: int) -> tuple[bytes | None, int]:
    head = body[position]
    if head >> 6 != 3:
        length, position = _decode_length(body, position)
        return body[position : position + length], position + length
    code = head & 63
    if code == _LZF:
        return _decode_lzf(body, position + 1)
    layout = _INTEGERS[code]
    number: int = layout.unpack_from(body, position + 1)[0]
    return b"%d" % number, position + 1 + layout.size


def _decode_lzf(body: bytes, position: int) -> tuple[bytes | None, int]:
    compressed, position = _decode_length(body, position)
    size, position = _decode_length(body, position)
    if size > PROTO_MAX_BULK_LEN:
        return None, position
    return decompress(body[position : position + compressed], size), position + compressed


def _decode_length(body: bytes, position: int) -> tuple[int, int]:
    """The length at `position` and where it ends: 6, 14, 32 or 64 bits, by the first byte."""
    head = body[position]
    if head >> 6 == 0:
        return head, position + 1
    if head >> 6 == 1:
        return (head & 63) << 8 | body[position + 1], position + 2
    size = {0x80: 4, 0x81: 8}[head] if head in (0x80, 0x81) else len(body)
    stop = position + 1 + size
    if stop > len(body):
        raise IndexError(position)
    return int.from_bytes(body[position + 1 : stop], "big"), stop


def _parse_options(words: list[bytes]) -> _Options:
    options = _Options()
    rest = iter(words)
    for argument in rest:
        match word := argument.upper():
            case b"REPLACE":
                options.replace = True
            case b"ABSTTL":
                options.absolute = True
            case b"IDLETIME" | b"FREQ" if options.idle_or_frequency in (b"", word):
                _check_idle_or_frequency(word, next(rest, None))
                options.idle_or_frequency = word
            case _:
                raise CommandError(SYNTAX)
    return options


def _check_idle_or_frequency(word: bytes, text: bytes | None) -> None:
    if text is None:
        raise CommandError(SYNTAX)
    number = integer_argument(text)
    if word == b"IDLETIME" and number < 0:
        raise CommandError(_BAD_IDLETIME)
    if word == b"FREQ" and not 0 <= number <= 255:
        raise CommandError(_BAD_FREQ)
