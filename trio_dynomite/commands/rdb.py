"""The alphabet of Redis's RDB format: lengths, strings, numbers (`rdb.c`).

A length has 6, 14, 32 or 64 bits, by its first byte. A string is a length and bytes, or a small integer, or
bytes shortened with LZF. We read all forms, and write all but LZF. What is damaged is refused with
`BAD_FORMAT`; no length is believed before that many bytes have been seen, so a short payload cannot ask for
much memory.
"""

import struct

from attrs import define

from trio_dynomite.commands.lzf import decompress
from trio_dynomite.commands.numeric import parse_int64
from trio_dynomite.commands.refusals import PROTO_MAX_BULK_LEN
from trio_dynomite.errors import CommandError

BAD_FORMAT = "ERR Bad data format"

_INTEGERS = (struct.Struct("<b"), struct.Struct("<h"), struct.Struct("<i"))
_INT_TEXT_MAX = 11
_LZF = 3
_LONG_LENGTHS = {0x80: 4, 0x81: 8}


def require(condition: object) -> None:
    """Refuse the payload unless `condition` holds."""
    if not condition:
        raise CommandError(BAD_FORMAT)


@define
class Reader:
    """What is left of a payload. Its methods raise CommandError at what is damaged."""

    data: bytes
    at: int = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        start = self.at
        self.at = start + size
        require(self.at <= len(self.data))
        return self.data[start : self.at]

    def number(self, size: int, *, signed: bool = False) -> int:
        """The next `size` bytes as a little-endian integer."""
        return int.from_bytes(self.take(size), "little", signed=signed)

    def length(self) -> int:
        """A length, or any number that is written like one."""
        head = self.take(1)[0]
        kind = head >> 6
        if kind == 0:
            return head
        if kind == 1:
            return (head & 63) << 8 | self.take(1)[0]
        require(head in _LONG_LENGTHS)
        return int.from_bytes(self.take(_LONG_LENGTHS[head]), "big")

    def string(self) -> bytes:
        """A string in any of its forms."""
        require(self.at < len(self.data))
        head = self.data[self.at]
        if head < 64:
            self.at += 1
            return self.take(head)
        if head >> 6 != 3:
            return self.take(self.length())
        self.at += 1
        if head & 63 == _LZF:
            return self._shortened()
        require(head & 63 < len(_INTEGERS))
        layout = _INTEGERS[head & 63]
        return b"%d" % layout.unpack(self.take(layout.size))[0]

    def _shortened(self) -> bytes:
        shortened, size = self.length(), self.length()
        require(size <= PROTO_MAX_BULK_LEN)
        value = decompress(self.take(shortened), size)
        if value is None:
            raise CommandError(BAD_FORMAT)
        return value


def length_bytes(length: int) -> bytes:
    """What `Reader.length` reads."""
    if length < 1 << 6:
        return bytes((length,))
    if length < 1 << 14:
        return (0x4000 | length).to_bytes(2, "big")
    if length < 1 << 32:
        return b"\x80" + length.to_bytes(4, "big")
    return b"\x81" + length.to_bytes(8, "big")


def string_bytes(value: bytes) -> bytes:
    """What `Reader.string` reads: small integers as such, anything else as it is."""
    size = len(value)
    if size <= _INT_TEXT_MAX:
        number = parse_int64(value)
        if number is not None:
            for code, layout in enumerate(_INTEGERS):
                if -(1 << 8 * layout.size - 1) <= number < 1 << 8 * layout.size - 1:
                    return bytes((0xC0 | code,)) + layout.pack(number)
    return length_bytes(size) + value
