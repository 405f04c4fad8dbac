"""What a server holds before it is measured: numbered elements, written one command each in whole buffers.

A `Fill` is a command with placeholders for numbers, so the same few lines make a million strings, one hash of
a million fields or a hundred thousand small sets. Every value differs, so a server cannot share them.
"""

from collections.abc import Iterator

from attrs import frozen

from benchmarks.load import Words
from benchmarks.wire import Client

KEY = "%(key)012d"
"""The number of the collection."""
ELEMENT = "%(element)012d"
"""The number of the element in its collection."""
COMMANDS = 1000  # in a buffer


def value_of(size: int) -> str:
    """A value of `size` bytes that no other element has."""
    return f"%(number)0{size}d"


@frozen(kw_only=True)
class Fill:
    """`keys` collections of `elements` each, written by `words`, whose placeholders have a fixed width."""

    words: Words
    elements: int
    keys: int = 1

    @property
    def total(self) -> int:
        """All elements, and commands."""
        return self.keys * self.elements

    def buffers(self, commands: int = COMMANDS) -> Iterator[tuple[bytes, int]]:
        """Buffers of at most so many commands, and how many each has."""
        shape = _shape(self.words)
        for first in range(0, self.total, commands):
            numbers = range(first, min(first + commands, self.total))
            yield "".join([shape % self._numbers(number) for number in numbers]).encode(), len(numbers)

    def write(self, port: int) -> None:
        """Write all of it to the server on `port`."""
        with Client(port, timeout_s=60.0) as client:
            for buffer, commands in self.buffers():
                client.call_all(buffer, commands)

    def _numbers(self, number: int) -> dict[str, int]:
        key, element = divmod(number, self.elements)
        return {"key": key, "element": element, "number": number}


def _shape(words: Words) -> str:
    """The command as it goes over the wire, with the placeholders in it."""
    zeros = {"key": 0, "element": 0, "number": 0}
    parts = [f"${len(word % zeros)}\r\n{word}\r\n" for word in words]
    return f"*{len(words)}\r\n{''.join(parts)}"
