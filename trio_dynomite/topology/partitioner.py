"""From a key to its place on the ring, and to its storage slot.

Two families. `slots` is Redis Cluster's CRC16 into 16384 slots, which every cluster client computes
too: the slot is the position. A Dynomite hash (`hashes.HASHES`) gives a 32-bit position; its slot is
the top 14 bits, so that storage, digests and repair count in 16384 slots in both families.
"""

from binascii import crc_hqx
from collections.abc import Callable

from attrs import field, frozen

from trio_dynomite.topology.hashes import HASHES, Hash

SLOT_COUNT = 16_384
SLOTS = "slots"
_SLOT_MASK = SLOT_COUNT - 1
_HASH_BITS = 32
_SLOT_SHIFT = 18
_REDIS_TAG = "{}"


@frozen(kw_only=True)
class Partitioner:
    """How a cluster places keys. Compared by name and hash tag; build one with `make`.

    `position` gives a key's place on the ring, 0 to `ring_size` - 1; `slot` its storage bucket, 0 to
    16383; `slot_of_position` the bucket that holds a place on the ring. All three are plain functions.
    """

    name: str
    hash_tag: str
    ring_size: int
    position: Callable[[bytes], int] = field(eq=False, repr=False)
    slot: Callable[[bytes], int] = field(eq=False, repr=False)
    slot_of_position: Callable[[int], int] = field(eq=False, repr=False)

    @property
    def slot_count(self) -> int:
        """The number of storage buckets: 16384, whatever the ring."""
        return SLOT_COUNT

    @property
    def fingerprint(self) -> str:
        """What two nodes must have in common to be in one cluster; peers compare it in the handshake."""
        return f"{self.name}/{self.hash_tag}"


def make(name: str, hash_tag: str) -> Partitioner:
    """The partitioner `name`: `slots`, or one of `HASHES`.

    `hash_tag` is the two characters around the part of a key that is hashed, or "" for none. `slots`
    always has Redis Cluster's `{}`: its clients compute it so. Raises ValueError for anything else.
    """
    if name == SLOTS:
        return _slots(hash_tag)
    if name not in HASHES:
        known = ", ".join((SLOTS, *HASHES))
        raise ValueError(f"partitioner {name!r} is not known; use one of {known}")
    return _hashed(name, hash_tag, HASHES[name])


def _slots(hash_tag: str) -> Partitioner:
    if hash_tag not in ("", _REDIS_TAG):
        raise ValueError(
            f"hash tag {hash_tag!r} does not fit partitioner 'slots': Redis Cluster clients use '{{}}'; "
            "leave it out, or choose a hash such as 'murmur'"
        )
    return Partitioner(
        name=SLOTS,
        hash_tag=_REDIS_TAG,
        ring_size=SLOT_COUNT,
        position=redis_slot,
        slot=redis_slot,
        slot_of_position=_same,
    )


def redis_slot(key: bytes) -> int:
    """Redis Cluster's slot of a key (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/).

    Hashed is what stands between the first `{` and the first `}` after it, or the whole key where
    that is nothing.
    """
    if b"{" in key:
        start = key.find(b"{") + 1
        end = key.find(b"}", start)
        if end > start:
            return crc_hqx(key[start:end], 0) & _SLOT_MASK
    return crc_hqx(key, 0) & _SLOT_MASK


def _same(position: int) -> int:
    return position


def _top_bits(position: int) -> int:
    return position >> _SLOT_SHIFT


def _hashed(name: str, hash_tag: str, hash_key: Hash) -> Partitioner:
    position = _tagged(hash_key, hash_tag) if hash_tag else hash_key

    def slot(key: bytes) -> int:
        return position(key) >> _SLOT_SHIFT

    return Partitioner(
        name=name,
        hash_tag=hash_tag,
        ring_size=1 << _HASH_BITS,
        position=position,
        slot=slot,
        slot_of_position=_top_bits,
    )


def _tagged(hash_key: Hash, hash_tag: str) -> Hash:
    """Dynomite's rule (R4), but an empty tag hashes the whole key, as in Redis Cluster (R3)."""
    if len(hash_tag) != 2 or not hash_tag.isascii():
        raise ValueError(
            f"hash tag {hash_tag!r} must be two ASCII characters such as '{{}}', or empty for no tags"
        )
    opening, closing = hash_tag[0].encode(), hash_tag[1].encode()

    def position(key: bytes) -> int:
        if opening in key:
            start = key.find(opening) + 1
            end = key.find(closing, start)
            if end > start:
                return hash_key(key[start:end])
        return hash_key(key)

    return position
