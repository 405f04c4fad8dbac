"""Client bytes → commands: RESP arrays and inline commands, as Redis reads them.

hiredis reads the common case, whole commands, in C. Whatever it leaves (half a command, an inline one,
something malformed) goes to a careful reader in Python, which knows exactly where a command ends and gives
Redis's own protocol errors. Memory is taken as bytes arrive, never as they are announced.
Source: https://redis.io/docs/latest/develop/reference/protocol-spec/ and `processMultibulkBuffer`.
"""

import re
from typing import Any

import hiredis
from attrs import define, field

from trio_dynomite.errors import ProtocolError, TooMuchInputError
from trio_dynomite.protocol.inline import split_arguments

_END = b"+\r\n"
_READ_BYTES = 1 << 16
_MANY_DIGITS = 7
_many = re.compile(rb"\*[0-9]{%d}" % _MANY_DIGITS).search
ARGUMENT_BYTES = 40
"""About what an argument costs besides its own bytes."""
_SHORT_BYTES, _STARS_MAX = 4096, 64
"""Where a search for the expression is quickest; elsewhere few stars are found quicker one by one."""


@define(kw_only=True)
class Limits:
    """What a client may announce."""

    bulk: int = 512 * 1024 * 1024
    """Bytes of one argument."""
    multibulk: int = 1024 * 1024
    """Arguments of one command."""
    inline: int = 64 * 1024
    """Bytes of one line."""
    unfinished: int = 1 << 30
    """Bytes of a command that has begun and not ended, with what its arguments cost besides."""


@define
class RequestReader:
    """The commands of one client."""

    limits: Limits
    _fast: Any = field(factory=hiredis.Reader)
    _rest: bytearray = field(factory=bytearray)
    """The unfinished argument or line."""
    _wanted: int = 0
    """Bytes of `_rest` below which it cannot be finished; spares reading a long value again and again."""
    _announced: int = 0
    """Bytes of the unfinished argument, as its head says."""
    _unfinished: list[bytes] | None = None
    """The arguments so far of a command that has begun."""
    _missing: int = 0
    """How many more it has."""
    _held: int = 0
    """What `_unfinished` takes."""
    _is_careful: bool = field(init=False)
    """The limits are so low that a command within one read may break them."""

    @_is_careful.default
    def _low_limits(self) -> bool:
        return min(self.limits.bulk, self.limits.multibulk, self.limits.inline) < _READ_BYTES

    def feed(self, data: bytes) -> list[list[bytes]]:
        """The commands that `data` completes.

        Raises ProtocolError at a mistake; its `commands_before` are those that came first."""
        if self._rest:
            self._rest += data
            if len(self._rest) < self._wanted:
                return []
            data = bytes(self._rest)
            self._rest.clear()
        self._wanted = self._announced = 0
        if self._unfinished is not None or data[:1] != b"*" or self._is_careful:
            return self._careful(data, 0, [])
        return self._quick(data, [])

    @property
    def announced(self) -> tuple[int, int]:
        """Of a command that has begun: how many arguments it has, and how many bytes the unfinished one."""
        count = 0 if self._unfinished is None else len(self._unfinished) + self._missing
        return count, self._announced

    def _quick(self, data: bytes, before: list[list[bytes]]) -> list[list[bytes]]:
        """`before` and the commands in `data`, which begins with one."""
        reader, lines = self._fast, 0
        commands: list[list[bytes]] = []
        if _may_announce_many(data):
            return self._careful(data, 0, before)
        try:
            # hiredis does not tell whether it is in the middle of a command: one that is not takes the
            # empty string at the end for what it is, and one that is had better be replaced.
            reader.feed(data + _END)
            while type(command := reader.gets()) is list:
                for argument in command:
                    if type(argument) is not bytes:
                        raise TypeError
                commands.append(command)
                lines += 1 + 2 * len(command)
            if command == b"" and not reader.has_data():
                # hiredis gives bytes for simple strings, too, which take fewer lines, and for verbatim ones.
                is_odd = data.count(b"\n") != lines or b"=" in data
                if is_odd and _encoded_size(commands) != len(data):
                    raise TypeError
                if [] in commands:
                    commands = [command for command in commands if command]
                return before + commands if before else commands
            if command is not False or _is_suspicious(data):
                raise TypeError
        except (TypeError, hiredis.ProtocolError):
            # Not a command: let the careful reader find the words for it.
            self._fast = hiredis.Reader()
            return self._careful(data, 0, before)
        self._fast = hiredis.Reader()
        size = _encoded_size(commands)
        if size > len(data):
            # The empty string was taken for the rest of an unfinished command.
            size -= _encoded_size([commands.pop()])
        return self._careful(data, size, before + [command for command in commands if command])

    def _careful(self, data: bytes, start: int, commands: list[list[bytes]]) -> list[list[bytes]]:
        """`commands` and those in `data` from `start`; keeps the unfinished end."""
        try:
            while start < len(data):
                resumed = self._unfinished is not None
                start, command = self._read_command(data, start)
                if command is None:
                    break
                if command:
                    commands.append(command)
                if resumed and not self._is_careful and data[start : start + 1] == b"*":
                    return self._quick(data[start:], commands)
        except ProtocolError as error:
            error.commands_before = commands  # type: ignore[attr-defined]
            raise
        self._rest += memoryview(data)[start:]
        return commands

    def _read_command(self, data: bytes, start: int) -> tuple[int, list[bytes] | None]:
        """(how far it was read, the command or None when it is unfinished)."""
        if self._unfinished is None:
            if data[start : start + 1] != b"*":
                return self._read_inline(data, start)
            count, after = self._read_length(data, start, b"*", "too big mbulk count string")
            if after < 0:
                return start, None
            if count > self.limits.multibulk:
                raise ProtocolError("invalid multibulk length")
            start, self._unfinished, self._missing, self._held = after, [], max(count, 0), 0
        arguments = self._unfinished
        while self._missing:
            body, end = self._read_bulk(data, start)
            if end < 0:
                if self._held > self.limits.unfinished:
                    raise TooMuchInputError(self.limits.unfinished)
                return start, None
            arguments.append(data[body : end - 2])
            self._held += end - body + ARGUMENT_BYTES
            start = end
            self._missing -= 1
        self._unfinished = None
        self._held = 0
        return start, arguments

    def _read_bulk(self, data: bytes, at: int) -> tuple[int, int]:
        """(where the bulk string at `at` has its value, where it ends or -1 when it is unfinished)."""
        if at >= len(data):
            return at, -1
        if data[at : at + 1] != b"$":
            raise ProtocolError(f"expected '$', got '{_printable(data[at])}'")
        size, body = self._read_length(data, at, b"$", "too big bulk count string")
        if body < 0:
            return at, -1
        if not 0 <= size <= self.limits.bulk:
            raise ProtocolError("invalid bulk length")
        end = body + size + 2
        if end > len(data):
            self._wanted, self._announced = end - at, size
            if self._held + size > self.limits.unfinished:
                raise TooMuchInputError(self.limits.unfinished)
            return body, -1
        return body, end

    def _read_length(self, data: bytes, at: int, mark: bytes, too_long: str) -> tuple[int, int]:
        """(the number in the line at `at`, where the next line begins or -1)."""
        end = data.find(b"\r", at)
        if end < 0 or end + 1 >= len(data):
            if len(data) - at > self.limits.inline:
                raise ProtocolError(too_long)
            return 0, -1
        try:
            number = _parse_length(data[at + 1 : end])
        except ValueError:
            word = "multibulk" if mark == b"*" else "bulk"
            raise ProtocolError(f"invalid {word} length") from None
        return number, end + 2

    def _read_inline(self, data: bytes, start: int) -> tuple[int, list[bytes] | None]:
        end = data.find(b"\n", start)
        if end < 0:
            if len(data) - start > self.limits.inline:
                raise ProtocolError("too big inline request")
            return start, None
        if end - start > self.limits.inline:
            raise ProtocolError("too big inline request")
        return end + 1, split_arguments(data[start:end].removesuffix(b"\r"))


def _may_announce_many(data: bytes) -> bool:
    """Does a command perhaps announce a million arguments? hiredis makes room for all that are announced."""
    if len(data) < _SHORT_BYTES or data.count(b"*") > _STARS_MAX:
        return _many(data) is not None
    at = data.find(b"*")
    while at >= 0:
        if _many(data, at, at + _MANY_DIGITS + 1) is not None:
            return True
        at = data.find(b"*", at + 1)
    return False


def _encoded_size(commands: list[list[bytes]]) -> int:
    """Bytes that `commands` took, each written in the one way that Redis accepts."""
    size = 0
    for command in commands:
        size += 3 + len(str(len(command)))
        for argument in command:
            length = len(argument)
            size += length + (6 if length < 10 else 5 + len(str(length)))
    return size


def _is_suspicious(data: bytes) -> bool:
    """May something else than a bulk string stand for an argument? hiredis gives bytes for these as well."""
    return b"\n+" in data or b"\n=" in data or b"\n(" in data


def _parse_length(text: bytes) -> int:
    digits = text[1:] if text[:1] == b"-" else text
    if not digits.isdigit() or len(digits) > 19 or (len(digits) > 1 and digits[:1] == b"0"):
        raise ValueError(text)
    return int(text)


def _printable(byte: int) -> str:
    return chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}"
