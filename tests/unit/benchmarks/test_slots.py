"""Finding a hash tag for a primary."""

import pytest

from benchmarks.slots import primary_ranges, slot_of, tag_within

REPLY = [
    [0, 5460, [b"127.0.0.1", 7001, b"a"], [b"127.0.0.1", 7002, b"b"]],
    [5461, 10922, [b"127.0.0.1", 7002, b"b"], [b"127.0.0.1", 7001, b"a"]],
    [10923, 16383, [b"127.0.0.1", 7001, b"a"]],
]


def test_slots_are_those_of_the_cluster_specification() -> None:
    assert slot_of("123456789") == 0x31C3  # the specification's own check value
    assert slot_of("foo") == 12182


def test_only_ranges_that_a_node_leads_are_its_own() -> None:
    assert primary_ranges(REPLY, 7001) == [(0, 5460), (10923, 16383)]
    assert primary_ranges(REPLY, 7002) == [(5461, 10922)]
    assert primary_ranges(REPLY, 7003) == []


@pytest.mark.parametrize("port", [7001, 7002])
def test_the_tag_lies_in_a_slot_of_the_node(port: int) -> None:
    ranges = primary_ranges(REPLY, port)
    assert any(first <= slot_of(tag_within(ranges)) <= last for first, last in ranges)


def test_a_node_that_leads_nothing_has_no_tag() -> None:
    with pytest.raises(ValueError, match="primary for no slot"):
        tag_within([])
