"""Stamps: the one order in which writes win, wherever and whenever they meet.

A stamp is an integer of 96 bits: 48 of Unix milliseconds, 16 of a counter, 32 of the node's id. Two writes
never have the same stamp, so the larger one wins and no tie is ever to be broken. The clock is a hybrid
logical clock (Kulkarni et al., "Logical Physical Clocks", 2014): it follows the wall clock, never goes
back, and is ahead of every stamp that it has seen. A counter that is full carries into the milliseconds.

A stamp without a node is nobody's write: it is a **cutoff** (`storage/collect.py`), up to which every replica
of a slot has heard of everything.

Where nodes' clocks differ, all give stamps by the one that is furthest ahead: so whoever takes a node's place
gives newer stamps than that node could, also those of writes that nobody else has heard of.
"""

from attrs import define, field

NODE_BITS = 32
COUNTER_BITS = 16
TICK = 1 << NODE_BITS
NODE_MASK = TICK - 1
STAMP_BYTES = 12


@define
class HybridClock:
    """Gives the stamps of one node."""

    node: int
    """The node's 32-bit id."""
    now_ms: int = 0
    """Wall-clock milliseconds of the current turn."""
    last: int = field(default=0)
    """The newest stamp given or seen, with this node's id in it."""

    def __attrs_post_init__(self) -> None:
        self.last = self.node

    def advance(self, now_ms: int, stamp_ms: int = 0) -> None:
        """The wall clock says `now_ms`; stamps are given by `stamp_ms`, if that is another time."""
        self.now_ms = now_ms
        base = ((stamp_ms or now_ms) << (COUNTER_BITS + NODE_BITS)) | self.node
        if base > self.last:
            self.last = base

    def next(self) -> int:
        """A new stamp, newer than all that this node gave or saw."""
        self.last = stamp = self.last + TICK
        return stamp

    def observe(self, stamp: int) -> None:
        """Another node gave `stamp`: whatever comes next here is newer."""
        if stamp > self.last:
            self.last = (stamp & ~NODE_MASK) | self.node


def cutoff_at(ms: int) -> int:
    """The cutoff of a moment: older than every write that was stamped at it, or later."""
    return ms << (COUNTER_BITS + NODE_BITS)


def is_cutoff(stamp: int) -> bool:
    """Is it a cutoff, and no write's stamp?"""
    return stamp > 0 and not stamp & NODE_MASK


def milliseconds(stamp: int) -> int:
    """The Unix milliseconds in `stamp`."""
    return stamp >> (COUNTER_BITS + NODE_BITS)


def pack(stamp: int) -> bytes:
    """`stamp` as 12 bytes, whose order is the order of stamps."""
    return stamp.to_bytes(STAMP_BYTES, "big")


def unpack(data: bytes) -> int:
    """The stamp in 12 bytes."""
    return int.from_bytes(data, "big")
