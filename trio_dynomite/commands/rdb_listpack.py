"""Listpacks: the packed lists inside payloads since Redis 7, and in streams since 5 (`listpack.c`).

Six bytes of header (total bytes, number of elements), the elements, an end byte. An element is a head that
tells its kind, its bytes, and its own length backwards, for walking from the end. Integers stand as such.
"""

import struct
from collections.abc import Iterable

from trio_dynomite.commands.numeric import parse_int64
from trio_dynomite.commands.rdb import require

_HEADER = struct.Struct("<IH")
_END = 0xFF
_UNKNOWN = 0xFFFF
"""So many elements, or more: count them."""
_INT_TEXT_MAX = 20
_WIDE_INTEGERS = {0xF1: 2, 0xF2: 3, 0xF3: 4, 0xF4: 8}
_WIDTHS = ((0xF1, 2), (0xF2, 3), (0xF3, 4), (0xF4, 8))
_BACK_LENGTHS = (128, 16383, 2097151, 268435455)


def unpack(data: bytes) -> list[bytes]:
    """The elements, integers as text. Raises CommandError at what is damaged."""
    require(len(data) > _HEADER.size)
    total, count = _HEADER.unpack_from(data)
    require(total == len(data) and data[-1] == _END)
    at, end = _HEADER.size, total - 1
    found = []
    while at < end:
        head = data[at]
        if head < 0x80:
            size = 1
            found.append(b"%d" % head)
        elif head < 0xC0:
            size = 1 + (head & 63)
            found.append(data[at + 1 : at + size])
        elif head < 0xE0:
            size = 2
            number = (head & 31) << 8 | data[at + 1]
            found.append(b"%d" % (number if number < 4096 else number - 8192))
        elif head <= 0xF0:
            start = at + (2 if head < 0xF0 else 5)
            length = int.from_bytes(data[at + 1 : start], "little") | (head & 15) << 8
            size = start + length - at
            found.append(data[start : at + size])
        else:
            require(head in _WIDE_INTEGERS)
            size = 1 + _WIDE_INTEGERS[head]
            found.append(b"%d" % int.from_bytes(data[at + 1 : at + size], "little", signed=True))
        at += size + _back_size(size)
    require(at == end and count in (len(found), _UNKNOWN))
    return found


def pack(elements: Iterable[bytes | int]) -> bytes:
    """A listpack of these elements; a text that spells an integer becomes one, as in Redis."""
    pieces = [_element(element) for element in elements]
    body = b"".join(pieces)
    header = _HEADER.pack(_HEADER.size + len(body) + 1, min(len(pieces), _UNKNOWN))
    return b"".join((header, body, bytes((_END,))))


def _element(element: bytes | int) -> bytes:
    if isinstance(element, bytes):
        number = parse_int64(element) if len(element) <= _INT_TEXT_MAX else None
        content = _text(element) if number is None else _integer(number)
    else:
        content = _integer(element)
    return content + _back(len(content))


def _text(text: bytes) -> bytes:
    size = len(text)
    if size < 64:
        return bytes((0x80 | size,)) + text
    if size < 4096:
        return (0xE000 | size).to_bytes(2, "big") + text
    return b"\xf0" + size.to_bytes(4, "little") + text


def _integer(number: int) -> bytes:
    if 0 <= number < 128:
        return bytes((number,))
    if -4096 <= number < 4096:
        return (0xC000 | number & 0x1FFF).to_bytes(2, "big")
    for head, width in _WIDTHS:
        if -(1 << 8 * width - 1) <= number < 1 << 8 * width - 1:
            return bytes((head,)) + number.to_bytes(width, "little", signed=True)
    raise OverflowError(number)


def _back_size(size: int) -> int:
    """How many bytes tell the length of an element backwards."""
    if size < 128:
        return 1
    return 1 + sum([size >= limit for limit in _BACK_LENGTHS])


def _back(size: int) -> bytes:
    if size < 128:
        return bytes((size,))
    last = _back_size(size) - 1
    digits = [size >> 7 * (last - place) & 127 | (128 if place else 0) for place in range(last + 1)]
    return bytes(digits)
