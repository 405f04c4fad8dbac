"""Scores: what is read, what is refused, how they are printed."""

import pytest

from trio_dynomite.commands.scores import bound, score_argument, score_reply, text_of
from trio_dynomite.errors import CommandError


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (b"5", 5.0),
        (b"+.5", 0.5),
        (b"7.", 7.0),
        (b"1e3", 1000.0),
        (b"-INF", float("-inf")),
        (b"Infinity", float("inf")),
        (b"5e-324", 5e-324),
        (b"0e-999", 0.0),
        (b"00000000000000000012", 12.0),
    ],
)
def test_what_is_read(text: bytes, number: float) -> None:
    assert score_argument(text) == bound(text) == number


@pytest.mark.parametrize("text", [b"x", b"nan", b" 1", b"1 ", b"0x10", b"1_0", b".", b"1e", b"-", b"infin"])
def test_what_is_no_number_is_refused(text: bytes) -> None:
    assert bound(text) is None
    with pytest.raises(CommandError, match="ERR value is not a valid float"):
        score_argument(text)


@pytest.mark.parametrize(
    ("text", "number"), [(b"1e400", float("inf")), (b"1e-400", 0.0), (b"", 0.0), (b"3\0x", 3.0)]
)
def test_the_end_of_a_range_is_read_as_c_does(text: bytes, number: float) -> None:
    assert bound(text) == number
    with pytest.raises(CommandError):
        score_argument(text)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (3.0, b"3"),
        (-0.0, b"-0"),
        (0.1, b"0.1"),
        (1e17, b"100000000000000000"),
        (9223372036854775807.0, b"9223372036854776000"),
        (1e19, b"1e+19"),
        (1e-6, b"0.000001"),
        (1e-7, b"1e-7"),
        (-1.2345678e-6, b"-1.2345678e-6"),
        (1234.12345678, b"1234.12345678"),
        (12345.12345678, b"1.234512345678e+4"),
        (float("-inf"), b"-inf"),
        (1.7976931348623157e308, b"1.7976931348623157e+308"),
    ],
)
def test_how_they_are_printed(number: float, text: bytes) -> None:
    assert text_of(number) == text
    assert score_reply(number, 3) == b",%b\r\n" % text
    assert score_reply(number, 2) == b"$%d\r\n%b\r\n" % (len(text), text)
