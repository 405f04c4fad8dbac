"""A Redis server's answers → one piece of bytes each, untouched, so that they can pass through to a client.

hiredis makes values of replies, and loses their types on the way. Here only their ends are found. The usual
ones (lines, short values, short arrays of them) are cut by one regular expression, which costs a fraction of
a loop in Python: a length is part of the expression, an alternative for each. The rest is read with care, and
without keeping any nesting: an array of three in the place of one element means two more to come, wherever it
stands. What goes before the unfinished end is never read twice.
Source: https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

import re

from attrs import define, field

from trio_dynomite.errors import ProtocolError

LINE_MAX = 1 << 20
"""Bytes of a line above which it is none."""
_LINES = frozenset([b"+", b"-", b":", b"_", b",", b"#", b"("])
_BLOBS = frozenset([b"$", b"=", b"!"])
_ATTRIBUTE, _PUSH = b"|", b">"
_TIMES = {b"*": 1, b"~": 1, b"%": 2, _ATTRIBUTE: 2, _PUSH: 1}
"""How many elements each count of these stands for."""
_END = 2
"""Bytes of a line's end."""
_LONG_RUN, _RUN = 16, 4
"""Elements of an array that are looked for at once."""
_BEHIND = {b"$%d" % size: size + _END for size in range(4096)} | {b"$-1": 0}
"""Usual heads of values, and the bytes behind each with the line's end."""
_MORE = {b"*%d" % count: count - 1 for count in range(256)}
"""Usual heads of arrays, and how many more elements are missing after each than before it."""


def _values_below(limit: int) -> bytes:
    """An expression for a bulk string of less than `limit` bytes, from its length on."""

    def after(digits: bytes) -> bytes:
        size = int(digits)
        ways = [rb"\r\n.{%d}\r\n" % size]
        if size:
            ways += [b"%d" % last + after(b"%b%d" % (digits, last)) for last in _digits(size, limit)]
        return b"(?>%b)" % b"|".join(ways)

    return b"(?>-1\r\n|%b)" % b"|".join([b"%d" % first + after(b"%d" % first) for first in range(10)])


def _digits(size: int, limit: int) -> range:
    """The digits that may follow a length and keep it below `limit`."""
    return range(max(0, min(10, limit - size * 10)))


def _leaf(limit: int) -> bytes:
    return rb"(?>\$%b|[-+:_,#(][^\r]*+\r\n)" % _values_below(limit)


def _usual() -> bytes:
    """An expression for the usual replies."""
    short = _leaf(128)
    arrays = b"|".join([rb"%d\r\n%b{%d}" % (count, short, count) for count in range(9)])
    return rb"%b|[*~](?:%b)" % (_leaf(1024), arrays)


_usual_or_rest = re.compile(b"(%b)|.+" % _usual(), re.DOTALL)
"""One usual reply, or else all that is left, of which the group has nothing."""
_cut, _match = _usual_or_rest.findall, _usual_or_rest.match
_match_long_run = re.compile(_leaf(128) + b"{%d}" % _LONG_RUN, re.DOTALL).match
_match_run = re.compile(_leaf(128) + b"{%d}" % _RUN, re.DOTALL).match


@define
class ReplyScanner:
    """The replies of one server."""

    pushes: int = 0
    """Messages that were skipped, for they answer nothing."""
    _scanned: list[bytes] = field(factory=list)
    """The beginning of the unfinished reply, in pieces."""
    _rest: list[bytes] = field(factory=list)
    """What follows it, in pieces: a line or a value that is unfinished."""
    _held: int = 0
    """Bytes in `_rest`."""
    _wanted: int = 0
    """Bytes of `_rest` below which nothing more can be known."""
    _missing: int = 1
    """Elements that the unfinished reply still lacks."""
    _is_push: bool = False

    @property
    def is_between(self) -> bool:
        """Is no reply unfinished?"""
        return not self._rest and not self._scanned

    def feed(self, data: bytes) -> list[bytes]:
        """The replies that `data` completes. Raises ProtocolError."""
        if self._rest:
            self._rest.append(data)
            self._held += len(data)
            if self._held < self._wanted:
                return []
            data = b"".join(self._rest)
            self._rest.clear()
        if self._scanned:
            return self._read(data, [])
        replies: list[bytes] = _cut(data)
        if replies and not replies[-1]:
            replies.pop()
            self._read(data[sum(map(len, replies)) :], replies)
        return replies

    def _read(self, data: bytes, replies: list[bytes]) -> list[bytes]:
        """`replies` and those in `data`, with care; keeps the unfinished end."""
        start = at = 0
        missing, size, find = self._missing, len(data), data.find
        bytes_behind, elements_more = _BEHIND.get, _MORE.get
        wanted = 1
        while at < size:
            line_end = find(b"\r\n", at)
            if line_end < 0:
                wanted = _wanted_line(size - at)
                break
            head = data[at:line_end]
            if (behind := bytes_behind(head)) is not None or head[:1] in _BLOBS:
                end = line_end + _END + (_size(head[1:]) if behind is None else behind)
                if end > size:
                    wanted = end - at
                    break
                at = end
                missing -= 1
            elif head[:1] in _LINES:
                at = line_end + _END
                missing -= 1
            else:
                more = elements_more(head)
                missing += self._more(head, at == start and not self._scanned) if more is None else more
                at = line_end + _END
                while missing >= _LONG_RUN and (run := _match_long_run(data, at)) is not None:
                    at = run.end()
                    missing -= _LONG_RUN
                while missing >= _RUN and (run := _match_run(data, at)) is not None:
                    at = run.end()
                    missing -= _RUN
            if not missing:
                self._finish(data[start:at], replies)
                start = at
                while (usual := _match(data, at)) is not None and usual.lastindex:
                    start = at = usual.end()
                    replies.append(usual[0])
                missing = 1
        self._missing = missing
        self._keep(data, start, at, wanted)
        return replies

    def _more(self, head: bytes, is_first: bool) -> int:
        """How many more elements are missing after the head of an aggregate than before it."""
        mark = head[:1]
        times = _TIMES.get(mark)
        if times is None:
            raise ProtocolError(f"the server sent a reply that begins with {head[:32]!r}")
        elements = max(_number(head[1:]), 0) * times
        if mark == _ATTRIBUTE:  # what it goes before is still to come
            return elements
        if mark == _PUSH:
            if not is_first:
                raise ProtocolError("the server sent a message inside a reply")
            self._is_push = True
        return elements - 1

    def _finish(self, last: bytes, replies: list[bytes]) -> None:
        """A reply ends with `last`; messages are dropped."""
        if self._scanned:
            self._scanned.append(last)
            last = b"".join(self._scanned)
            self._scanned.clear()
        if self._is_push:
            self._is_push = False
            self.pushes += 1
        else:
            replies.append(last)

    def _keep(self, data: bytes, start: int, at: int, wanted: int) -> None:
        """Keep the unfinished end: what is read of it, and what is not."""
        if start < at:
            self._scanned.append(data[start:at])
        if at < len(data):
            self._rest.append(data[at:] if at else data)
            self._held = len(data) - at
            self._wanted = wanted


def _wanted_line(held: int) -> int:
    if held > LINE_MAX:
        raise ProtocolError("the server sent a line without an end")
    return held + 1


def _size(text: bytes) -> int:
    """Bytes of a value with its end, after the line that tells its length."""
    length = _number(text)
    return 0 if length < 0 else length + _END


def _number(text: bytes) -> int:
    """A length or count; -1 is none at all. The streamed kinds, whose length is "?", are refused here."""
    if text.isdigit() and len(text) < 19:
        return int(text)
    if text == b"-1":
        return -1
    raise ProtocolError(f"the server announced a length of {text[:32]!r}")
