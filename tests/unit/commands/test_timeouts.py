"""What a blocking command's timeout may be: the refusals are those of a real Valkey 9.1."""

import pytest

from trio_dynomite.commands.timeouts import seconds
from trio_dynomite.errors import CommandError

NOT_A_FLOAT = "ERR timeout is not a float or out of range"
OUT_OF_RANGE = "ERR timeout is out of range"
NEGATIVE = "ERR timeout is negative"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"0", 0),
        (b"1", 1),
        (b"+1", 1),
        (b"0.5", 0.5),
        (b"0x10", 16),
        (b"0.001", 0.001),
        (b"0.0001", 0.001),
        (b"0.0011", 0.002),
        (b"-0.0001", 0),
        (b"9223370000000000", 9223370000000000),
    ],
)
def test_timeouts_are_whole_milliseconds_rounded_up(text: bytes, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        *[(text, NOT_A_FLOAT) for text in (b"", b"x", b" 1", b"1 ", b"nan", b"1e5000", b"1e-5000")],
        *[(text, OUT_OF_RANGE) for text in (b"9223372036854775", b"9223372036854776", b"1e400", b"inf")],
        *[(text, NEGATIVE) for text in (b"-1", b"-0.001", b"-inf", b"-1e30")],
    ],
)
def test_other_timeouts_are_refused(text: bytes, refusal: str) -> None:
    with pytest.raises(CommandError, match=refusal):
        seconds(text)
