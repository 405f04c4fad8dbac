"""The elements of an encoded array, each as the bytes that it is: EXEC weaves arrays of others into its own.

Source: https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

_LENGTHS = b"$=!"
"""Marks of what has its length in bytes in its first line."""
_COUNTS = {b"*": 1, b"~": 1, b">": 1, b"%": 2, b"|": 2}
"""Marks of what holds others, and how many for each that its first line counts."""


def elements(reply: bytes) -> list[bytes]:
    """The elements of the encoded array `reply`."""
    at = reply.index(b"\n") + 1
    found: list[bytes] = []
    for _ in range(int(reply[1 : at - 2])):
        end = _end(reply, at)
        found.append(reply[at:end])
        at = end
    return found


def _end(reply: bytes, at: int) -> int:
    """Where the value that begins at `at` ends."""
    missing = 1
    while missing:
        missing -= 1
        mark, line_end = reply[at : at + 1], reply.index(b"\n", at) + 1
        if mark in _LENGTHS:
            size = int(reply[at + 1 : line_end])
            line_end += size + 2 if size >= 0 else 0
        elif mark in _COUNTS:
            missing += max(0, int(reply[at + 1 : line_end])) * _COUNTS[mark]
            # An attribute stands before the value that it belongs to.
            missing += mark == b"|"
        at = line_end
    return at
