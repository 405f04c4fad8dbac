"""Inline commands: a line split into arguments with shell-like quotes (Redis's `sdssplitargs`)."""

from trio_dynomite.errors import ProtocolError

_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"a": b"\a"}
_SPACES = b" \t\n\r\v\f\0"


def split_arguments(line: bytes) -> list[bytes]:
    """The arguments of an inline command. Raises ProtocolError when quotes do not close."""
    if b'"' not in line and b"'" not in line:
        return line.split()
    arguments: list[bytes] = []
    at = _skip_spaces(line, 0)
    while at < len(line):
        argument, at = _argument(line, at)
        arguments.append(argument)
        at = _skip_spaces(line, at)
    return arguments


def _skip_spaces(line: bytes, at: int) -> int:
    while at < len(line) and line[at] in _SPACES:
        at += 1
    return at


def _argument(line: bytes, at: int) -> tuple[bytes, int]:
    parts: list[bytes] = []
    while at < len(line) and line[at] not in _SPACES:
        char = line[at : at + 1]
        if char in (b'"', b"'"):
            part, at = _quoted(line, at + 1, char)
            if at < len(line) and line[at] not in _SPACES:
                raise ProtocolError("unbalanced quotes in request")
            parts.append(part)
        else:
            parts.append(char)
            at += 1
    return b"".join(parts), at


def _quoted(line: bytes, at: int, quote: bytes) -> tuple[bytes, int]:
    parts: list[bytes] = []
    while at < len(line):
        char = line[at : at + 1]
        if char == quote:
            return b"".join(parts), at + 1
        if char == b"\\" and quote == b'"' and at + 1 < len(line):
            char, at = _escaped(line, at + 1)
        elif char == b"\\" and line[at + 1 : at + 2] == b"'":
            char, at = b"'", at + 2
        else:
            at += 1
        parts.append(char)
    raise ProtocolError("unbalanced quotes in request")


def _escaped(line: bytes, at: int) -> tuple[bytes, int]:
    pair = line[at + 1 : at + 3]
    if line[at : at + 1] == b"x" and len(pair) == 2 and all(c in b"0123456789abcdefABCDEF" for c in pair):
        return bytes([int(pair, 16)]), at + 3
    char = line[at : at + 1]
    return _ESCAPES.get(char, char), at + 1
