"""Records, cells and sortable values as bytes.

A plain record or cell (a value under a stamp, nothing more) is a letter, the stamp and the value; all others
are MessagePack behind the letter x. What a record's header tells of its body is a list (`bodies.py`), and
only carried here.
"""

from struct import Struct
from typing import Any

import msgspec

from trio_dynomite.data.record import Record
from trio_dynomite.data.stamp import STAMP_BYTES

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode
_BYTES, _SCORE, _NOTHING, _OTHER = b"b", b"f", b"-", b"x"
_AT = 1 + STAMP_BYTES
"""Where a plain value begins."""
_double, _unsigned = Struct(">d"), Struct(">Q")
_SIGN, _ALL = 1 << 63, (1 << 64) - 1


def encode_record(record: Record) -> bytes:
    """A record or a cell; one with a body has the list that tells of it in the body's place."""
    stamp, value, expiry, deadline, extra = record
    if not expiry and extra is None:
        if value is None:
            return _NOTHING + stamp.to_bytes(STAMP_BYTES)
        if type(value) is bytes:
            return _BYTES + stamp.to_bytes(STAMP_BYTES) + value
        if type(value) is float:
            return _SCORE + stamp.to_bytes(STAMP_BYTES) + _double.pack(value)
    return _OTHER + _encode([_number(stamp), value, _number(expiry), deadline, _packed(extra)])


def decode_record(data: bytes) -> Record:
    """What `encode_record` made `data` of; a list in the last place tells of a body."""
    kind = data[0]
    if kind == 98:  # _BYTES
        return (int.from_bytes(data[1:_AT]), data[_AT:], 0, 0, None)
    if kind == 102:  # _SCORE
        return (int.from_bytes(data[1:_AT]), _double.unpack_from(data, _AT)[0], 0, 0, None)
    if kind == 45:  # _NOTHING
        return (int.from_bytes(data[1:_AT]), None, 0, 0, None)
    stamp, value, expiry, deadline, extra = _decode(memoryview(data)[1:])
    return (int.from_bytes(stamp), value, int.from_bytes(expiry), deadline, _unpacked(extra))


def _packed(extra: Any) -> Any:
    if type(extra) is int:
        return _number(extra)
    if type(extra) is tuple:
        return [None, *[(_number(origin), sequence, total) for origin, sequence, total in extra]]
    return extra


def _unpacked(extra: Any) -> Any:
    if type(extra) is bytes:
        return int.from_bytes(extra)
    if extra and extra[0] is None:
        return tuple([(int.from_bytes(origin), sequence, total) for origin, sequence, total in extra[1:]])
    return extra


def _number(number: int) -> bytes:
    """An unsigned integer of any size, short when it is small."""
    return number.to_bytes((number.bit_length() + 7) // 8)


def signed(number: int) -> bytes:
    """A signed integer of any size as bytes."""
    return number.to_bytes(number.bit_length() // 8 + 1, signed=True)


def signed_in(data: bytes) -> int:
    """The number in what `signed` gave."""
    return int.from_bytes(data, signed=True)


def unsigned(number: int) -> bytes:
    """8 bytes in the order of the numbers."""
    return _unsigned.pack(number)


def unsigned_in(data: bytes) -> int:
    """The number in 8 bytes."""
    number: int = _unsigned.unpack(data)[0]
    return number


def sortable(score: float) -> bytes:
    """8 bytes in the order of the scores; the two zeros are one."""
    bits: int = _unsigned.unpack(_double.pack(score + 0.0))[0]
    return _unsigned.pack(bits ^ (_ALL if bits & _SIGN else _SIGN))


def score_in(data: bytes) -> float:
    """The score in 8 sortable bytes."""
    bits: int = _unsigned.unpack(data)[0]
    score: float = _double.unpack(_unsigned.pack(bits ^ (_SIGN if bits & _SIGN else _ALL)))[0]
    return score
