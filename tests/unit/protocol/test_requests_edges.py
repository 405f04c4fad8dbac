"""Requests at the edges of what Redis accepts."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.protocol.test_requests import alphabet, cut, outcome, packed
from trio_dynomite.errors import ProtocolError
from trio_dynomite.protocol.requests import Limits, RequestReader


@pytest.mark.parametrize(
    ("data", "argument"),
    [(b"*1\r\n$4\rXPINGxx", b"PING"), (b"*1\r\n$4\rXPI\nG\r\n", b"PI\nG"), (b"*1\rX$1\r\nkyy", b"k")],
)
def test_whatever_stands_after_a_carriage_return_is_skipped(data: bytes, argument: bytes) -> None:
    """As Redis does: it looks for the carriage return, and only counts what follows."""
    assert outcome([data]) == ([[argument]], None)


@pytest.mark.parametrize(
    "value", [b"+\r\n", b"$0\r\n\r\n", b"+x\r\n", b"(\r\n", b"=4\r\ntxt:\r\n", b":1\r\n"]
)
def test_values_that_stand_alone_are_inline_commands(value: bytes) -> None:
    reader = RequestReader(Limits())
    lines = [[line] for line in value.split(b"\r\n") if line]

    assert reader.feed(packed(b"PING") + value + packed(b"ECHO")) == [[b"PING"], *lines, [b"ECHO"]]
    assert reader.feed(packed(b"PING") + value) == [[b"PING"], *lines]
    assert reader.feed(packed(b"TIME")) == [[b"TIME"]]


def test_limits_hold_however_the_bytes_arrive() -> None:
    limits = Limits(bulk=4, multibulk=2)

    assert outcome([packed(b"a", b"b", b"c")], limits) == ([], "invalid multibulk length")
    assert outcome([packed(b"PING") + packed(b"abcde")], limits) == ([[b"PING"]], "invalid bulk length")


@given(st.lists(alphabet, max_size=14).map(b"".join), st.lists(st.integers(0), max_size=6))
def test_the_commands_are_the_same_however_the_bytes_are_cut(data: bytes, at: list[int]) -> None:
    data = packed(b"PING") + data + b"\r\n"

    assert outcome(cut(data, at)) == outcome([data])


@given(st.one_of(st.binary(max_size=80), st.lists(alphabet, max_size=14).map(b"".join)))
def test_random_bytes_raise_nothing_but_a_protocol_error(data: bytes) -> None:
    commands, _ = outcome([data])

    assert all(type(argument) is bytes for command in commands for argument in command)
    assert all(commands)


def test_a_command_of_many_arguments_is_read_in_linear_time() -> None:
    """Four times the arguments cost about four times the CPU; sixteen times when it is quadratic."""
    costs = [_cpu_s(count) for count in (25_000, 100_000)]

    assert all(more < 9 * less for less, more in pairwise(costs)), costs


def _cpu_s(count: int) -> float:
    data = packed(*[b"abc"] * count)
    best = 1e9
    for _ in range(2):
        reader = RequestReader(Limits())
        started = time.process_time()
        for at in range(0, len(data), 16384):
            commands = reader.feed(data[at : at + 16384])
        best = min(best, time.process_time() - started)
        assert commands == [[b"abc"] * count]
    return best


@pytest.mark.parametrize(
    "before", [b"", packed(b"PING"), packed(b"SET", b"k", b"x" * 9000), packed(b"SET", b"k", b"*" * 9000)]
)
def test_room_is_not_made_for_what_is_only_announced(before: bytes) -> None:
    """hiredis would make a list of a thousand million: seconds, and gigabytes of addresses."""
    started_s = time.process_time()
    reader = RequestReader(Limits())
    with pytest.raises(ProtocolError, match="invalid multibulk length"):
        reader.feed(before + b"*1000000000\r\n$1\r\n*\r\n")
    assert time.process_time() - started_s < 1.0
