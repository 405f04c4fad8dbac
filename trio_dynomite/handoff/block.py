"""Blocks: what a turn adds to the log of a target's hints, as bytes, and back.

A segment of a log is a file: a mark, and one block after another. A block is

    checksum (CRC-32 of all that follows, 4 bytes), length of the body (4 bytes),
    body: MessagePack of [time, number of the first key, keys, flushes, acknowledged]

`acknowledged` is the number before which the target has every key. A block that was cut short, by a crash or
a full disk, or whose bytes have changed, ends the segment: nothing behind it is believed.
"""

from struct import Struct
from typing import Any
from zlib import crc32

import msgspec
from attrs import define, field

MARK = b"TDHINT1\n"
"""What every segment begins with."""
Place = tuple[int, int, int]
"""Of a flush: origin, first slot, last slot."""
_CHECKSUM, _LENGTH = Struct(">I"), Struct(">I")
_HEAD = _CHECKSUM.size + _LENGTH.size
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Any]).decode


@define(eq=True)
class Block:
    """The news of a turn, or a part of all that is known."""

    now_ms: int
    first: int
    """The number of the first key."""
    keys: list[bytes] = field(factory=list)
    flushes: list[tuple[int, int, int, int]] = field(factory=list)
    """(origin, first slot, last slot, clock)."""
    acknowledged: int = 0

    @property
    def end(self) -> int:
        """The number after its last key's."""
        return self.first + len(self.keys)

    def parts(self, size: int) -> list["Block"]:
        """The same in blocks of at most so many keys."""
        return [
            Block(
                self.now_ms,
                self.first + at,
                self.keys[at : at + size],
                [] if at else self.flushes,
                self.acknowledged,
            )
            for at in range(0, max(len(self.keys), 1), size)
        ]


@define
class Segment:
    """What could be read of a segment."""

    blocks: list[Block] = field(factory=list)
    unread: int = 0
    """Bytes at its end that tell nothing."""
    is_damaged: bool = False
    """They are not just a block that was cut short."""


def encode(block: Block) -> bytes:
    """The bytes of a block."""
    body = _encode([block.now_ms, block.first, block.keys, block.flushes, block.acknowledged])
    rest = _LENGTH.pack(len(body)) + body
    return _CHECKSUM.pack(crc32(rest)) + rest


def read(data: bytes) -> Segment:
    """The blocks of a segment, as far as they are whole."""
    segment = Segment()
    at = len(MARK)
    if data[:at] != MARK:
        return Segment([], len(data), is_damaged=not MARK.startswith(data))
    while at < len(data):
        length = _LENGTH.unpack_from(data, at + _CHECKSUM.size)[0] if at + _HEAD <= len(data) else 0
        end = at + _HEAD + length
        block = _block(data[at:end]) if end <= len(data) else None
        if block is None:
            segment.unread, segment.is_damaged = len(data) - at, end < len(data)
            break
        segment.blocks.append(block)
        at = end
    return segment


def _block(data: bytes) -> Block | None:
    if len(data) < _HEAD or crc32(data[_CHECKSUM.size :]) != _CHECKSUM.unpack_from(data)[0]:
        return None
    try:
        now_ms, first, keys, flushes, acknowledged = _decode(data[_HEAD:])
    except (msgspec.DecodeError, ValueError):
        return None
    return Block(now_ms, first, keys, [(a, b, c, d) for a, b, c, d in flushes], acknowledged)
