"""Client bytes → commands: the same however they are cut, and Redis's own words for every mistake."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_dynomite.errors import ProtocolError
from trio_dynomite.protocol.requests import Limits, RequestReader

Outcome = tuple[list[list[bytes]], str | None]
"""The commands that were understood, and the mistake that ended it."""


def outcome(pieces: Iterable[bytes], limits: Limits | None = None) -> Outcome:
    """What a reader makes of bytes that come in pieces."""
    reader, commands = RequestReader(limits or Limits()), []
    for piece in pieces:
        try:
            commands += reader.feed(piece)
        except ProtocolError as mistake:
            commands += mistake.commands_before  # type: ignore[attr-defined]
            return commands, str(mistake)
    return commands, None


def packed(*args: bytes) -> bytes:
    return b"*%d\r\n" % len(args) + b"".join([b"$%d\r\n%b\r\n" % (len(arg), arg) for arg in args])


def cut(data: bytes, at: Iterable[int]) -> list[bytes]:
    """`data` in pieces that end at the places `at`."""
    places = [0, *sorted(place % (len(data) + 1) for place in at), len(data)]
    return [data[a:b] for a, b in pairwise(places) if a < b]


MIXED = (
    packed(b"SET", b"key", b"a value\r\nof *3\r\n$1 lines")
    + b"\r\n"
    + b'ECHO "in \\x41 line"\r\n'
    + packed(b"GET", b"")
    + b"*0\r\n*-1\r\nPING\n"
    + packed(b"MSET", *[b"%d" % n for n in range(12)])
)
UNDERSTOOD = [
    [b"SET", b"key", b"a value\r\nof *3\r\n$1 lines"],
    [b"ECHO", b"in A line"],
    [b"GET", b""],
    [b"PING"],
    [b"MSET", *[b"%d" % n for n in range(12)]],
]


def test_whole_commands_inline_ones_and_empty_ones_in_one_piece() -> None:
    assert outcome([MIXED]) == (UNDERSTOOD, None)


@pytest.mark.parametrize("at", range(1, len(MIXED)))
def test_it_does_not_matter_where_the_bytes_are_cut(at: int) -> None:
    assert outcome([MIXED[:at], MIXED[at:]]) == (UNDERSTOOD, None)


def test_byte_by_byte() -> None:
    assert outcome([MIXED[at : at + 1] for at in range(len(MIXED))]) == (UNDERSTOOD, None)


@pytest.mark.parametrize("at", range(len(packed(b"SET", b"key", b"value"))))
def test_a_command_is_given_with_its_last_byte_and_not_before(at: int) -> None:
    reader = RequestReader(Limits())

    assert reader.feed(packed(b"SET", b"key", b"value")[:at]) == []
    assert reader.feed(packed(b"SET", b"key", b"value")[at:]) == [[b"SET", b"key", b"value"]]


@given(
    st.lists(st.lists(st.binary(max_size=40), min_size=1, max_size=6), max_size=8), st.lists(st.integers(0))
)
def test_what_a_client_library_packs_is_what_is_read(commands: list[list[bytes]], at: list[int]) -> None:
    data = b"".join([packed(*command) for command in commands])

    assert outcome(cut(data, at)) == (commands, None)


TYPES = [b"*", b"$", b"+", b":", b"_", b"(", b"=", b"#", b"%", b"~", b">", b"|", b"!", b",", b"-"]
BITS = [b"1", b"2", b"0", b"\r\n", b"\r", b"\n", b"a", b'"', b"'", b"\\", b" ", b"\0", b"\xff"]
WHOLE = [b"*1\r\n", b"*2\r\n", b"$1\r\n", b"$2\r\n", b"$0\r\n\r\n", packed(b"PING")]
alphabet = st.sampled_from([*TYPES, *BITS, *WHOLE])


@pytest.mark.parametrize(
    ("data", "mistake"),
    [
        (b"*a\r\n", "invalid multibulk length"),
        (b"*\r\n", "invalid multibulk length"),
        (b"*+1\r\n", "invalid multibulk length"),
        (b"*01\r\n$4\r\nPING\r\n", "invalid multibulk length"),
        (b"*99999999999\r\n", "invalid multibulk length"),
        (b"*99999999999999999999999\r\n", "invalid multibulk length"),
        (b"*1\r\nPING\r\n", "expected '$', got 'P'"),
        (b"*1\r\n:1\r\n", "expected '$', got ':'"),
        (b"*1\r\n+PING\r\n", "expected '$', got '+'"),
        (b"*1\r\n*1\r\n$4\r\nPING\r\n", "expected '$', got '*'"),
        (b"*1\r\n$-1\r\n", "invalid bulk length"),
        (b"*1\r\n$a\r\n", "invalid bulk length"),
        (b"*1\r\n$\r\n", "invalid bulk length"),
        (b"*1\r\n$4294967296\r\n", "invalid bulk length"),
        (b'GET "unclosed\r\n', "unbalanced quotes in request"),
        (b'GET "a"b\r\n', "unbalanced quotes in request"),
        (b"*" + b"1" * 70_000, "too big mbulk count string"),
        (b"*1\r\n$" + b"1" * 70_000, "too big bulk count string"),
        (b"a" * 70_000, "too big inline request"),
        (b"a" * 70_000 + b"\r\n", "too big inline request"),
    ],
)
def test_mistakes_are_told_in_the_words_of_redis(data: bytes, mistake: str) -> None:
    before = packed(b"PING")

    assert outcome([data]) == ([], mistake)
    assert outcome([before + data]) == ([[b"PING"]], mistake), "what came before was run"
    assert outcome(cut(data, range(0, len(data), 4000)))[1] == mistake


@pytest.mark.parametrize("length", [64 * 1024 - 2, 64 * 1024])
def test_the_longest_inline_command(length: int) -> None:
    line = b"a" * length

    assert outcome([line + b"\n"]) == ([[line]], None)


def test_limits_hold_for_what_comes_in_pieces() -> None:
    limits = Limits(bulk=4, multibulk=2)

    assert outcome([b"*3\r\n"], limits) == ([], "invalid multibulk length")
    assert outcome([b"*2\r\n$5\r\n"], limits) == ([], "invalid bulk length")
    assert outcome([b"*2\r\n$4\r\nPI", b"NG\r\n$4\r\nPING\r\n"], limits) == ([[b"PING", b"PING"]], None)


def test_memory_is_taken_as_bytes_arrive_and_not_as_they_are_announced() -> None:
    reader = RequestReader(Limits())

    assert reader.feed(b"*1000000\r\n$500000000\r\nx") == []
    assert len(reader._rest) <= len(b"*1000000\r\n$500000000\r\nx")


def test_a_long_value_is_joined_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """20 MB in pieces of 64 KB: looked at as it begins and as it ends, not with every piece."""
    looks: list[int] = []
    read = RequestReader._careful

    def counted(self: RequestReader, data: bytes, *more: object) -> list[list[bytes]]:
        looks.append(len(data))
        return read(self, data, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(RequestReader, "_careful", counted)
    value = b"x" * 20_000_000
    data = packed(b"SET", b"key", value)

    commands, mistake = outcome(data[at : at + 65536] for at in range(0, len(data), 65536))

    assert mistake is None
    assert commands == [[b"SET", b"key", value]]
    assert len(looks) <= 3
