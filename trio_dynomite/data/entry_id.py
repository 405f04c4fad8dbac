"""The id of an entry of a stream: a number of 128 bits, milliseconds in the upper half, below a sequence.

As a number it sorts as Redis sorts ids. On the wire it is 16 bytes, because MessagePack has no such numbers.
"""

from typing import Final

SEQUENCE_BITS: Final = 64
PART_MAX: Final = (1 << SEQUENCE_BITS) - 1
"""The largest milliseconds, and the largest sequence."""
ID_MAX: Final = (1 << 128) - 1
_BYTES = 16


def encode(entry_id: int) -> bytes:
    """The 16 bytes of an id; they sort as the ids do."""
    return entry_id.to_bytes(_BYTES, "big")


def decode(data: bytes) -> int:
    """The id that `encode` made these bytes of."""
    return int.from_bytes(data, "big")
