"""A memcached client's bytes → requests: the text protocol, classic and meta, as memcached 1.6.18 reads it.

A request is one line, after which a block of data may follow. What is wrong with a line is found here, in
memcached's words and its order, so that whoever runs a request need not look at it again. A block that is too
large is passed over without being kept; one that was announced is kept as it arrives, never before.
Source: https://github.com/memcached/memcached/blob/1.6.18/proto_text.c
"""

from collections.abc import Callable

from attrs import define, field

from trio_dynomite.errors import ProtocolError, TooMuchInputError
from trio_dynomite.protocol.memcached_lines import STORING, Request, parse
from trio_dynomite.protocol.memcached_words import BAD_CHUNK, TOO_LARGE, unsigned32

_LINE_MAX = 2048
"""Bytes of a line without an end after which the connection is closed, unless it is a long get."""
_INDENT_MAX = 100
_LOGIN_MAX = 2048
"""Bytes of a name and a password."""
_SPARE = 48 + 8 + 1 + 2
"""What an item costs memcached besides key, flags and data, as far as its limit is concerned."""

LogIn = Callable[[bytes, bytes], bool]
"""Told a name and a password: are they right?"""


@define
class RequestReader:
    """The requests of one client."""

    item_max: int
    """Bytes of an item with all that belongs to it (memcached's -I)."""
    unfinished_max: int
    """Bytes of a request that has begun and not ended."""
    log_in: LogIn | None = None
    """Who is asked before anything else is read; None: nobody, or it has been."""
    _rest: bytearray = field(factory=bytearray)
    _wants_line: bool = False
    """In `_rest` is a line without its end."""
    _pending: Request | None = None
    """Its data is to come."""
    _needed: int = 0
    """Bytes of it."""
    _passed_over: int = 0
    """Bytes of data that nobody wants, still to come."""

    def feed(self, data: bytes) -> list[Request]:
        """The requests that `data` completes.

        Raises ProtocolError where memcached hangs up; its `commands_before` are those that came first."""
        if self._rest:
            self._rest += data
            if self._wants_line and b"\n" not in data:
                self._check_line(bytes(self._rest[: _LINE_MAX + 1]), len(self._rest), [])
                return []
            if len(self._rest) < self._needed:
                return []
            data = bytes(self._rest)
            self._rest.clear()
        self._wants_line = False
        found: list[Request] = []
        at = self._read(data, found)
        if at < len(data):
            self._rest += memoryview(data)[at:]
        return found

    def _read(self, data: bytes, found: list[Request]) -> int:
        """Read all that is whole, into `found`; where the rest begins."""
        at, size = 0, len(data)
        while at < size:
            if self._passed_over:
                step = min(self._passed_over, size - at)
                self._passed_over -= step
                at += step
            elif self._needed:
                if size - at < self._needed:
                    return at
                block, at = data[at : at + self._needed], at + self._needed
                self._needed = 0
                self._take(block, found)
            else:
                end = data.find(b"\n", at)
                if end < 0:
                    self._wants_line = True
                    self._check_line(data[at : at + _LINE_MAX + 1], size - at, found)
                    return at
                self._take_line(data[at:end], found)
                at = end + 1
        return at

    def _check_line(self, head: bytes, size: int, found: list[Request]) -> None:
        """Hang up when a line goes on for too long."""
        if size > self.unfinished_max:
            raise _ended(TooMuchInputError(self.unfinished_max), found)
        if size <= _LINE_MAX:
            return
        words = head.lstrip(b" ")
        is_get = words.startswith((b"get ", b"gets ")) and len(head) - len(words) <= _INDENT_MAX
        if self.log_in is not None or not is_get:
            raise _ended(ProtocolError("too long a line"), found)

    def _take_line(self, line: bytes, found: list[Request]) -> None:
        if self.log_in is not None:
            self._take_login(line, found)
            return
        if len(line) > 1 and line[-1] == 13:
            line = line[:-1]
        if b"\0" in line:
            line = line[: line.index(b"\0")]
        words = line.split(b" ")
        if b"" in words:
            words = [word for word in words if word]
        request = parse(words)
        if request is None:
            raise _ended(ProtocolError("HTTP is another protocol"), found)
        if request.size >= 0:
            self._expect_data(request, found)
        else:
            found.append(request)

    def _expect_data(self, request: Request, found: list[Request]) -> None:
        """The line told how much data follows."""
        size = request.size + 2
        spare = _SPARE if request.flags == b"0" else _SPARE + 4
        if request.reply:
            self._passed_over = size
            found.append(request)
        elif request.size + len(request.words[0]) + spare > self.item_max:
            self._passed_over = size
            request.reply = TOO_LARGE
            found.append(request)
        else:
            self._pending, self._needed = request, size

    def _take(self, block: bytes, found: list[Request]) -> None:
        """The data of a request is here."""
        request, self._pending = self._pending, None
        if request is None:
            self._take_password(block, found)
            return
        if block[-2:] == b"\r\n":
            request.data = block[:-2]
        else:
            request.reply = BAD_CHUNK
            request.is_quiet = request.is_quiet and request.verb in STORING
        found.append(request)

    def _take_login(self, line: bytes, found: list[Request]) -> None:
        words = [word for word in line.split(b" ") if word]
        size = unsigned32(words[4]) if len(words) >= 5 and words[0] == b"set" else None
        if size is None:
            found.append(Request(b"", [], reply=b"CLIENT_ERROR unauthenticated\r\n"))
        elif size > _LOGIN_MAX:
            raise _ended(ProtocolError("too long a password"), found)
        else:
            self._needed = size + 2

    def _take_password(self, block: bytes, found: list[Request]) -> None:
        words = [word for word in block[:-2].split(b" ") if word]
        if block[-2:] != b"\r\n":
            reply = b"CLIENT_ERROR bad command line termination\r\n"
        elif len(words) < 2:
            reply = b"CLIENT_ERROR bad authentication token format\r\n"
        elif self.log_in is not None and self.log_in(words[0], words[1]):
            reply, self.log_in = b"STORED\r\n", None
        else:
            reply = b"CLIENT_ERROR authentication failure\r\n"
        found.append(Request(b"", [], reply=reply))


def _ended(error: ProtocolError, found: list[Request]) -> ProtocolError:
    error.commands_before = found  # type: ignore[attr-defined]
    return error
