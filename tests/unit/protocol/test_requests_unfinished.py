"""What a client has sent of a command that it does not finish may take so much, and no more."""

import pytest

from tests.unit.protocol.test_requests import outcome, packed
from trio_dynomite.errors import ProtocolError, TooMuchInputError
from trio_dynomite.protocol.requests import ARGUMENT_BYTES, Limits, RequestReader

LIMIT = 200_000


def fed(reader: RequestReader, data: bytes, size: int = 16_384) -> int:
    """How many bytes were taken before the reader would take no more."""
    for at in range(0, len(data), size):
        try:
            reader.feed(data[at : at + size])
        except TooMuchInputError:
            return at
    return len(data)


def test_arguments_that_come_and_come_are_refused_at_the_limit() -> None:
    data = b"*1000000\r\n" + b"$1000\r\n" + b"x" * 1000 + b"\r\n"
    more = (b"$1000\r\n" + b"x" * 1000 + b"\r\n") * 1000
    taken = fed(RequestReader(Limits(unfinished=LIMIT)), data + more)
    assert LIMIT - 40_000 < taken < LIMIT + 40_000


def test_many_small_arguments_count_for_what_they_cost() -> None:
    taken = fed(RequestReader(Limits(unfinished=LIMIT)), b"*1000000\r\n" + b"$1\r\nx\r\n" * 900_000)
    assert taken / 7 * ARGUMENT_BYTES < 2 * LIMIT


def test_a_long_argument_is_refused_when_it_is_announced() -> None:
    limits = Limits(unfinished=LIMIT)
    commands, mistake = outcome([packed(b"PING") + b"*2\r\n$3\r\nSET\r\n$200001\r\nx"], limits)
    assert commands == [[b"PING"]]
    assert mistake is not None
    assert "limits.client_input" in mistake
    assert outcome([b"*2\r\n$3\r\nSET\r\n$190000\r\nx"], limits) == ([], None)


def test_a_client_may_send_as_much_as_it_likes_as_long_as_it_finishes_its_commands() -> None:
    reader = RequestReader(Limits(unfinished=LIMIT))
    command = packed(b"SET", b"key", b"x" * 100_000)
    data = command * 20
    found = [one for at in range(0, len(data), 16_384) for one in reader.feed(data[at : at + 16_384])]
    assert len(found) == 20


def test_other_mistakes_are_not_of_this_kind() -> None:
    with pytest.raises(ProtocolError) as raised:
        RequestReader(Limits()).feed(b"*1\r\n:1\r\n")
    assert not isinstance(raised.value, TooMuchInputError)
