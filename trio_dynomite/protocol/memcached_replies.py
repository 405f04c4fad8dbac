"""A memcached server's answers → one piece of bytes each, untouched.

The meta commands answer with one line each, but for `VA`, which has a value of the length in its line behind
it; `STAT` lines belong together up to their `END`. The usual ones are cut by one regular expression, as in
`resp_replies`; the rest is read with care.
Source: memcached's doc/protocol.txt
"""

import re

from attrs import define, field

from trio_dynomite.errors import ProtocolError

LINE_MAX = 1 << 16
"""Bytes of a line above which it is none."""
_END = 2
"""Bytes of a line's end."""
_META = b"HD EN NF NS EX MN ME"
_CLASSIC = (
    b"STORED NOT_STORED EXISTS NOT_FOUND DELETED TOUCHED RESET OK END VERSION ERROR CLIENT_ERROR SERVER_ERROR"
)
_WORDS = frozenset((_META + b" " + _CLASSIC).split())
"""What a reply of one line begins with."""


def _values_below(limit: int) -> bytes:
    """An expression for a value of less than `limit` bytes, from its length on."""

    def after(size: int) -> bytes:
        ways = [rb"(?: [^\r]*)?\r\n.{%d}\r\n" % size]
        if size:
            longer = range(size * 10, min(size * 10 + 10, limit))
            ways += [b"%d%b" % (further % 10, after(further)) for further in longer]
        return b"(?:%b)" % b"|".join(ways)

    return b"(?:%b)" % b"|".join([b"%d%b" % (first, after(first)) for first in range(10)])


_usual_or_rest = re.compile(
    rb"(VA %b|(?:HD|EN|NF|NS|EX|MN)(?: [^\r]*)?\r\n)|.+" % _values_below(1024), re.DOTALL
)
"""One usual reply, or else all that is left, of which the group has nothing."""
_cut = _usual_or_rest.findall


@define
class MetaReplyScanner:
    """The replies of one server."""

    _rest: list[bytes] = field(factory=list)
    """The unfinished reply, in pieces."""
    _held: int = 0
    """Bytes in `_rest`."""
    _wanted: int = 0
    """Bytes of `_rest` below which the reply cannot be whole."""

    @property
    def is_between(self) -> bool:
        """Is no reply unfinished?"""
        return not self._rest

    def feed(self, data: bytes) -> list[bytes]:
        """The replies that `data` completes. Raises ProtocolError."""
        if self._rest:
            self._rest.append(data)
            self._held += len(data)
            if self._held < self._wanted:
                return []
            data = b"".join(self._rest)
            self._rest.clear()
        replies: list[bytes] = _cut(data)
        if replies and not replies[-1]:
            replies.pop()
            self._read(data, sum(map(len, replies)), replies)
        return replies

    def _read(self, data: bytes, start: int, replies: list[bytes]) -> None:
        """Add the replies from `start`, with care; keep the unfinished end."""
        size = len(data)
        while start < size:
            end = _end_of(data, start)
            if end < 0 or end > size:
                self._rest.append(data[start:] if start else data)
                self._held = size - start
                self._wanted = end - start if end > 0 else self._held + 1
                return
            replies.append(data[start:end])
            start = end


def _end_of(data: bytes, start: int) -> int:
    """Where the reply that begins at `start` ends, if that is known; else -1."""
    at = start
    while (line_end := data.find(b"\r\n", at)) >= 0:
        word = data[at:line_end].split(b" ", 1)[0]
        if word == b"VA":
            return line_end + _END + _length(data[at:line_end]) + _END
        if word == b"STAT":
            at = line_end + _END
            continue
        if word not in _WORDS and not word.isdigit():
            raise ProtocolError(f"the server sent a reply that begins with {word[:32]!r}")
        return line_end + _END
    if len(data) - at > LINE_MAX:
        raise ProtocolError("the server sent a line without an end")
    return -1


def _length(line: bytes) -> int:
    """Of the value behind a VA line."""
    words = line.split(b" ", 2)
    if len(words) < 2 or not words[1].isdigit() or len(words[1]) > 18:
        raise ProtocolError(f"the server announced a value with {line[:64]!r}")
    return int(words[1])
