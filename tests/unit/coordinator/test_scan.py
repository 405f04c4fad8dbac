"""SCAN: every key that is there throughout comes exactly once, whatever else changes."""

import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.coordinator.lone_node import Lone, decoded, lone_node
from trio_dynomite.model import Level
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import Simulation

PARTITIONERS = ["slots", "murmur"]


def scan(ask: Callable[..., list[object]], *options: bytes) -> Iterator[list[bytes]]:
    """The pages of a whole scan."""
    cursor = b"0"
    for _ in range(100_000):
        cursor, page = ask(b"SCAN", cursor, *options)  # type: ignore[assignment]
        yield page  # type: ignore[misc]
        if cursor == b"0":
            return
    raise AssertionError("the scan does not end")


def fill(lone: Lone, keys: list[bytes]) -> None:
    for key in keys:
        assert lone.ask(b"SET", key, b"v") == b"OK"


@pytest.mark.parametrize("partitioner", PARTITIONERS)
@pytest.mark.parametrize("count", [b"1", b"7", b"10", b"1000", b"1000000000"])
def test_every_key_comes_once(partitioner: str, count: bytes) -> None:
    lone = lone_node(partitioner)
    keys = [b"key:%d" % number for number in range(300)] + [b"{tag}%d" % number for number in range(50)]
    fill(lone, keys)

    pages = list(scan(lone.ask, b"COUNT", count))

    assert sorted(key for page in pages for key in page) == sorted(keys)
    if partitioner == "slots":
        assert max(map(len, pages)) <= int(count)


def test_an_empty_database_is_soon_scanned() -> None:
    pages = list(scan(lone_node().ask))

    assert pages == [[]] * len(pages)
    assert len(pages) <= 8


@pytest.mark.parametrize("partitioner", PARTITIONERS)
def test_a_slot_with_many_keys_is_given_in_pages(partitioner: str) -> None:
    lone = lone_node(partitioner)
    keys = [b"{one}%d" % number for number in range(1000)]
    fill(lone, keys)

    pages = [page for page in scan(lone.ask, b"COUNT", b"100") if page]

    assert sorted(key for page in pages for key in page) == sorted(keys)
    assert max(map(len, pages)) == 100 or partitioner != "slots"


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(PARTITIONERS))
def test_keys_that_come_and_go_disturb_no_other(seed: int, partitioner: str) -> None:
    rng = random.Random(seed)
    lone = lone_node(partitioner)
    stay = {b"{t%d}stay:%d" % (n % 5, n) for n in range(60)}
    come_and_go = [b"{t%d}pass:%d" % (n % 5, n) for n in range(60)]
    fill(lone, [*stay, *rng.sample(come_and_go, 30)])
    cursor, seen = b"0", []
    for _ in range(10_000):
        cursor, page = lone.ask(b"SCAN", cursor, b"COUNT", b"%d" % rng.randint(1, 20))
        seen += page
        for key in rng.sample(come_and_go, 5):
            lone.ask(*((b"SET", key, b"v") if rng.random() < 0.5 else (b"DEL", key)))
        if cursor == b"0":
            break

    assert cursor == b"0"
    assert sorted(key for key in seen if key in stay) == sorted(stay)


def test_patterns_and_types_choose_and_do_not_end_the_scan() -> None:
    lone = lone_node()
    fill(lone, [b"a:%d" % n for n in range(40)] + [b"b:%d" % n for n in range(200)])

    assert sum(map(len, scan(lone.ask, b"MATCH", b"a:*", b"COUNT", b"5"))) == 40
    assert sum(map(len, scan(lone.ask, b"MATCH", b"a:[12]"))) == 2
    assert sum(map(len, scan(lone.ask, b"TYPE", b"string"))) == 240
    assert sum(map(len, scan(lone.ask, b"TYPE", b"hash"))) == 0
    lone.ask(b"HSET", b"{a hash}", b"f", b"v")
    assert sum(map(len, scan(lone.ask, b"TYPE", b"hash"))) == 1


def test_deleted_and_expired_keys_are_not_shown() -> None:
    lone = lone_node()
    fill(lone, [b"stay", b"gone"])
    lone.ask(b"DEL", b"gone")
    lone.ask(b"SET", b"brief", b"v", b"PX", b"50")
    lone.now_s += 1
    lone.turn()

    assert [key for page in scan(lone.ask) for key in page] == [b"stay"]


@pytest.mark.parametrize("cursor", [b"-1", b"x", b"", b"1.5", b" 1", b"99999999999999999999999"])
def test_what_is_no_cursor(cursor: bytes) -> None:
    assert str(lone_node().ask(b"SCAN", cursor)) == "ERR invalid cursor"


@pytest.mark.parametrize("cursor", [b"1", b"281474976710655", b"4611686018427387903"])
def test_any_number_is_a_cursor(cursor: bytes) -> None:
    reply = lone_node().ask(b"SCAN", cursor)

    assert reply[1] == []


@pytest.mark.parametrize(
    ("options", "mistake"),
    [
        ((b"COUNT",), "ERR syntax error"),
        ((b"TYPE", b"Foo"), "ERR unknown type name 'Foo'"),
        ((b"COUNT", b"0"), "ERR syntax error"),
        ((b"COUNT", b"-1"), "ERR syntax error"),
        ((b"COUNT", b"x"), "ERR value is not an integer or out of range"),
        ((b"NOSUCH", b"1"), "ERR syntax error"),
    ],
)
def test_mistakes_are_told_as_redis_does(options: tuple[bytes, ...], mistake: str) -> None:
    assert str(lone_node().ask(b"SCAN", b"0", *options)) == mistake


@pytest.mark.parametrize("partitioner", PARTITIONERS)
def test_a_scan_goes_over_all_nodes_and_on_at_any_of_them(partitioner: str) -> None:
    simulation = Simulation(layout([2, 1, 2], partitioner=partitioner), 7)
    simulation.start()
    nodes = sorted(simulation.nodes)
    keys = [b"key:%d" % number for number in range(60)]
    for number, key in enumerate(keys):
        assert simulation.ask(nodes[number % 5], Level.DC_QUORUM, b"SET", key, b"v") == b"+OK\r\n"
    cursor, seen, turn = b"0", [], 0
    while turn == 0 or cursor != b"0":
        name, turn = nodes[turn % 5], turn + 1
        cursor, page = decoded(simulation.ask(name, Level.DC_ONE, b"SCAN", cursor, b"COUNT", b"9"))
        seen += page

    assert sorted(seen) == sorted(keys)
    assert turn > 6
