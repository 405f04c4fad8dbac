"""What the oracle cannot show of sets: chance, pages, and how much work an intersection is."""

import pytest

from trio_dynomite.commands.set_algebra import sintercard

from .fake import FakeKeyspace, Run
from .fake_records import FakeSet


def members(reply: bytes) -> list[bytes]:
    return sorted(reply.split(b"\r\n")[2::2])


def test_add_and_ask(run: Run) -> None:
    assert run("SADD key a b a") == b":2\r\n"
    assert run("SADD key b c") == b":1\r\n"
    assert run("SMISMEMBER key a x") == b"*2\r\n:1\r\n:0\r\n"
    assert run("SCARD key") == b":3\r\n"


@pytest.mark.parametrize(("resp", "kind"), [(2, b"*"), (3, b"~")])
def test_sets_are_of_the_clients_protocol(ks: FakeKeyspace, run: Run, resp: int, kind: bytes) -> None:
    ks.resp = resp
    run("SADD key a")
    for line in ("SMEMBERS key", "SINTER key", "SUNION key", "SDIFF key", "SPOP key 1"):
        assert run(line) == kind + b"1\r\n$1\r\na\r\n"
    assert run("SPOP key 1") == kind + b"0\r\n"
    run("SADD key a")
    assert run("SRANDMEMBER key 1") == b"*1\r\n$1\r\na\r\n"


def test_pop_takes_what_it_answers_and_tells_of_it(ks: FakeKeyspace, run: Run) -> None:
    run("SADD key a b c d")
    ks.events.clear()
    popped = members(run("SPOP key 3"))
    assert len(popped) == 3
    assert members(run("SMEMBERS key")) == sorted({b"a", b"b", b"c", b"d"} - set(popped))
    run("SPOP key 0")
    run("SPOP key")
    run("SPOP key")
    assert ks.events == [("spop", b"key"), ("spop", b"key"), ("del", b"key")]


def test_draws_with_repeats_reach_every_member(run: Run) -> None:
    run("SADD key a b c")
    drawn = members(run("SRANDMEMBER key -60"))
    assert len(drawn) == 60
    assert set(drawn) == {b"a", b"b", b"c"}
    assert members(run("SRANDMEMBER key 60")) == [b"a", b"b", b"c"]


def test_a_scan_goes_through_everything_page_by_page(run: Run) -> None:
    run("SADD key " + " ".join(f"m{number:02}" for number in range(25)))
    cursor, found = "0", []
    for _ in range(3):
        reply = run(f"SSCAN key {cursor}").split(b"\r\n")
        cursor, found = reply[2].decode(), found + reply[5::2]
    assert cursor == "0"
    assert sorted(found) == [b"m%02d" % number for number in range(25)]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("SINTER a b c", "x"),
        ("SUNION a b c", "uvwxyz"),
        ("SDIFF a b c", "v"),
        ("SDIFF a b a", ""),
        ("SINTER a absent", ""),
        ("SUNION absent c", "xu"),
        ("SDIFF absent a", ""),
    ],
)
def test_algebra(run: Run, line: str, found: str) -> None:
    run("SADD a v w x")
    run("SADD b w x y z")
    run("SADD c x u")
    assert members(run(line)) == sorted(letter.encode() for letter in found)
    store, *keys = line.split()
    assert run(f"{store}STORE a {' '.join(keys)}") == b":%d\r\n" % len(found)
    assert members(run("SMEMBERS a")) == sorted(letter.encode() for letter in found)


def test_a_stored_result_replaces_a_key_of_any_type_with_its_deadline(ks: FakeKeyspace, run: Run) -> None:
    run("SADD a x")
    run("SET target text EX 100")
    assert run("SUNIONSTORE target a") == b":1\r\n"
    assert (ks.kind(b"target"), ks.deadline(b"target")) == ("set", 0)
    assert run("SDIFFSTORE target a a") == b":0\r\n"
    assert ks.kind(b"target") is None


def test_a_source_of_another_type_leaves_the_destination_alone(ks: FakeKeyspace, run: Run) -> None:
    run("SADD target x")
    run("SET text x")
    for name in ("SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"):
        assert run(f"{name} target absent text").startswith(b"-WRONGTYPE")
    assert run("SMOVE target text x").startswith(b"-WRONGTYPE")
    assert run("SCARD target") == b":1\r\n"


def test_an_intersection_asks_for_the_members_of_the_smallest_and_stops_at_the_limit(
    ks: FakeKeyspace, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("SADD big " + " ".join(map(str, range(100))))
    run("SADD small " + " ".join(map(str, range(20))))
    asked = []
    contains = FakeSet.__contains__
    monkeypatch.setattr(
        FakeSet, "__contains__", lambda self, member: asked.append(member) or contains(self, member)
    )
    assert run("SINTERCARD 2 big small") == b":20\r\n"
    assert len(asked) == 20
    asked.clear()
    assert sintercard(ks, [b"SINTERCARD", b"2", b"big", b"small", b"LIMIT", b"3"]) == b":3\r\n"
    assert len(asked) == 3
