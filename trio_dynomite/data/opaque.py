"""An opaque value: the body of a record whose type only a module of a storage server knows.

It is the bytes that DUMP gives of the whole key and RESTORE takes, under the name that TYPE has for it.
Nobody here looks into it, so it is one cell that is replaced, like a list's, and of two versions the later
wins.
"""

from typing import Any

from attrs import define

from trio_dynomite.data.shelf import MEMORY, Shelf
from trio_dynomite.errors import ProtocolError

OPAQUE = "opaque"
"""What a packed one begins with."""


@define(eq=False)
class OpaqueBody:
    """The value of one key of a module's type."""

    kind: str
    payload: bytes
    shelf: Shelf = MEMORY
    made: int = 0
    digest: int = 0
    """Nothing: the stamp of the record tells all."""

    def __len__(self) -> int:
        return len(self.payload)

    def apply(self, operation: Any) -> None:
        """It is never changed in place. Raises ProtocolError."""
        raise ProtocolError(f"a patch of a value of type {self.kind}, which is always replaced")

    def on(self, shelf: Shelf) -> "OpaqueBody":
        """The same value on another shelf."""
        return OpaqueBody(self.kind, self.payload, shelf)

    def pack(self) -> list[Any]:
        """All of it, as values that a frame can carry."""
        return [OPAQUE, self.kind, self.payload]


def unpack_opaque(packed: Any) -> OpaqueBody:
    """The body in a frame's values."""
    return OpaqueBody(packed[1], packed[2])
