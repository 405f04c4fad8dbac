"""Hash tags whose slot has a given node as primary, from `CLUSTER SLOTS`.

With such a tag in every key, all work of a load goes to one primary and its replicas, as it does for the
connections that a token-aware client keeps to that node.
"""

import binascii
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.wire import Client

SLOTS = 16384


def slot_of(tag: str) -> int:
    """The Redis Cluster slot of a key with hash tag `tag`: CRC16 (XMODEM) modulo 16384."""
    return binascii.crc_hqx(tag.encode(), 0) % SLOTS


def primary_ranges(reply: Sequence[Any], port: int) -> list[tuple[int, int]]:
    """First and last slots of the ranges in a CLUSTER SLOTS reply whose first node listens on `port`."""
    return [(int(first), int(last)) for first, last, primary, *_ in reply if int(primary[1]) == port]


def tag_within(ranges: Sequence[tuple[int, int]]) -> str:
    """The first of `t0`, `t1`, … whose slot lies in one of `ranges`. Raises ValueError for no ranges."""
    if not ranges:
        raise ValueError("the node is primary for no slot")
    tags: Iterator[str] = (f"t{number}" for number in itertools.count())
    return next(tag for tag in tags if any(first <= slot_of(tag) <= last for first, last in ranges))


def primary_tag(port: int) -> str:
    """A tag of which the node on `port` is primary, as the node itself says."""
    with Client(port) as client:
        return tag_within(primary_ranges(client.call("CLUSTER", "SLOTS"), port))
