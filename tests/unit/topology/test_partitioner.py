"""Keys land where Redis Cluster clients, or Dynomite, expect them."""

import pytest

from trio_dynomite.topology.hashes import HASHES
from trio_dynomite.topology.partitioner import make

# CLUSTER KEYSLOT of redis-server 7.0.15.
REDIS_SLOTS = {
    b"": 0,
    b"foo": 12182,
    b"123456789": 12739,
    b"{user1000}.following": 3443,
    b"{user1000}.followers": 3443,
    b"user1000": 3443,
    b"foo{}{bar}": 8363,
    b"foo{{bar}}zap": 4015,
    b"foo{bar}{zap}": 5061,
    b"bar": 5061,
    b"{}x": 10595,
    b"{open": 7674,
    b"}x{": 5205,
    b"}a{b}": 3300,
    b"\xff\x00{\xfe}": 3793,
}


@pytest.mark.parametrize("key", REDIS_SLOTS, ids=repr)
def test_slots_gives_the_slot_of_redis_cluster(key: bytes) -> None:
    slots = make("slots", "")
    assert slots.slot(key) == slots.position(key) == REDIS_SLOTS[key]


def test_slots_has_a_ring_of_16384_positions_that_are_its_slots() -> None:
    slots = make("slots", "{}")
    assert (slots.ring_size, slots.slot_count) == (16384, 16384)
    assert [slots.slot_of_position(p) for p in (0, 7, 16383)] == [0, 7, 16383]


@pytest.mark.parametrize("name", HASHES)
def test_a_hash_has_a_ring_of_32_bits_and_its_top_14_are_the_slot(name: str) -> None:
    hashed = make(name, "")
    assert (hashed.ring_size, hashed.slot_count) == (2**32, 16384)
    for key in (b"", b"apple", b"x" * 300):
        position = hashed.position(key)
        assert position == HASHES[name](key)
        assert hashed.slot(key) == hashed.slot_of_position(position) == position >> 18
    assert hashed.slot_of_position(2**32 - 1) == 16383


@pytest.mark.parametrize(
    ("key", "hashed_part"),
    [
        (b"a<b>c", b"b"),
        (b"<b><c>", b"b"),
        (b"a<<b>>", b"<b"),
        (b">a<b>", b"b"),
        (b"a<b", b"a<b"),
        (b"a>b", b"a>b"),
        (b"a<>b<c>", b"a<>b<c>"),
        (b"{b}", b"{b}"),
    ],
)
def test_a_hash_tag_hashes_what_stands_between_its_characters(key: bytes, hashed_part: bytes) -> None:
    assert make("murmur", "<>").position(key) == HASHES["murmur"](hashed_part)


def test_a_hash_tag_may_be_one_character_twice() -> None:
    assert make("murmur", "||").position(b"a|b|c") == HASHES["murmur"](b"b")


def test_without_a_hash_tag_a_hash_takes_the_whole_key() -> None:
    assert make("murmur", "").position(b"a{b}c") == HASHES["murmur"](b"a{b}c")


def test_partitioners_are_equal_when_name_and_tag_are() -> None:
    assert make("slots", "") == make("slots", "{}")
    assert make("murmur", "{}") == make("murmur", "{}")
    assert make("murmur", "{}") != make("murmur", "")
    assert make("murmur", "") != make("md5", "")


def test_fingerprints_differ_exactly_when_partitioners_do() -> None:
    made = [
        make("slots", ""),
        make("murmur", ""),
        make("murmur", "{}"),
        make("murmur", "<>"),
        make("md5", ""),
    ]
    assert len({partitioner.fingerprint for partitioner in made}) == len(made)
    assert make("slots", "{}").fingerprint == make("slots", "").fingerprint


@pytest.mark.parametrize(
    ("name", "tag", "said"),
    [
        ("murmur3", "", "'murmur3' is not known; use one of slots, one_at_a_time"),
        ("slots", "<>", "'<>' does not fit partitioner 'slots'"),
        ("murmur", "{", "must be two ASCII characters"),
        ("murmur", "«»", "must be two ASCII characters"),
    ],
)
def test_a_partitioner_that_cannot_be_is_refused_with_the_reason(name: str, tag: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make(name, tag)
