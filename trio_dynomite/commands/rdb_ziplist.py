"""The older packed encodings inside payloads: ziplists (before Redis 7), zipmaps (before 2.6), integer sets.

Each is the content of one string of the payload. We only read them (`ziplist.c`, `zipmap.c`, `intset.c`).
"""

import struct

from trio_dynomite.commands.rdb import require

_ZIPLIST_HEADER = struct.Struct("<IIH")
_INTSET_HEADER = struct.Struct("<II")
_END = 0xFF
_LONG = 0xFE
"""In front of a length of four bytes."""
_UNKNOWN = 0xFFFF
_INTEGERS = {0xC0: 2, 0xD0: 4, 0xE0: 8, 0xF0: 3, 0xFE: 1}
_INTSET_LAYOUTS = {2: "h", 4: "i", 8: "q"}


def unpack_ziplist(data: bytes) -> list[bytes]:
    """The elements of a ziplist, integers as text. Raises CommandError at what is damaged.

    In front of each element stands the length of the one before it; then a head, which tells the kind and
    size of what follows, or is itself a number from 0 to 12."""
    require(len(data) > _ZIPLIST_HEADER.size)
    total, _, count = _ZIPLIST_HEADER.unpack_from(data)
    require(total == len(data) and data[-1] == _END)
    at, end = _ZIPLIST_HEADER.size, total - 1
    found = []
    while at < end:
        at += 5 if data[at] == _LONG else 1
        require(at < end)
        element, at = _ziplist_element(data, at)
        found.append(element)
    require(at == end and count in (len(found), _UNKNOWN))
    return found


def _ziplist_element(data: bytes, at: int) -> tuple[bytes, int]:
    """The element at `at`, and where it ends."""
    head = data[at]
    if head < 0xC0:
        start = at + (1, 2, 5)[head >> 6]
        if head >= 0x80:
            require(head == 0x80)
            length = int.from_bytes(data[at + 1 : start], "big")
        else:
            length = int.from_bytes(data[at:start], "big") & (63 if head < 64 else 0x3FFF)
        return data[start : start + length], start + length
    if 0xF1 <= head <= 0xFD:
        return b"%d" % ((head & 15) - 1), at + 1
    require(head in _INTEGERS)
    stop = at + 1 + _INTEGERS[head]
    return b"%d" % int.from_bytes(data[at + 1 : stop], "little", signed=True), stop


def unpack_zipmap(data: bytes) -> list[bytes]:
    """The keys and values of a zipmap in turn. Raises CommandError at what is damaged.

    A value is followed by some unused bytes, whose number stands between its length and itself."""
    require(len(data) >= 2 and data[-1] == _END)
    at, end = 1, len(data) - 1
    found = []
    while at < end:
        key, at = _zipmap_string(data, at, unused=False)
        require(at < end)
        value, at = _zipmap_string(data, at, unused=True)
        found += [key, value]
    require(at == end)
    return found


def _zipmap_string(data: bytes, at: int, *, unused: bool) -> tuple[bytes, int]:
    start, length = at + 1, data[at]
    if length == _LONG:
        start, length = at + 5, int.from_bytes(data[at + 1 : at + 5], "little")
    free = 0
    if unused:
        require(start < len(data))
        free, start = data[start], start + 1
    return data[start : start + length], start + length + free


def unpack_intset(data: bytes) -> list[bytes]:
    """The members of an integer set, as text. Raises CommandError at what is damaged."""
    require(len(data) >= _INTSET_HEADER.size)
    width, count = _INTSET_HEADER.unpack_from(data)
    require(width in _INTSET_LAYOUTS and len(data) == _INTSET_HEADER.size + width * count)
    layout = f"<{count}{_INTSET_LAYOUTS[width]}"
    return [b"%d" % number for number in struct.unpack_from(layout, data, _INTSET_HEADER.size)]
