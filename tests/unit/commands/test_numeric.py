import pytest

from trio_dynomite.commands.numeric import INT64_MAX, INT64_MIN, draws_argument, integer_argument, parse_int64
from trio_dynomite.errors import CommandError


@pytest.mark.parametrize("number", [0, 1, -1, 10, INT64_MAX, INT64_MIN])
def test_an_integer_reads_as_it_is_written(number: int) -> None:
    assert parse_int64(b"%d" % number) == number


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"-", b"-0", b"+1", b"01", b" 1", b"1 ", b"1_0", b"1.0", b"0x1", b"\xc2\xb2", b"9" * 5000),
        *(b"%d" % (INT64_MAX + 1), b"%d" % (INT64_MIN - 1)),
    ],
)
def test_nothing_else_reads_as_an_integer(text: bytes) -> None:
    assert parse_int64(text) is None
    with pytest.raises(CommandError, match=r"^ERR value is not an integer or out of range$"):
        integer_argument(text)


@pytest.mark.parametrize(("text", "number"), [(b"-10000000", -10_000_000), (b"%d" % INT64_MAX, INT64_MAX)])
def test_draws_of_a_size_that_can_be_had(text: bytes, number: int) -> None:
    assert draws_argument(text) == number


@pytest.mark.parametrize("text", [b"-10000001", b"%d" % INT64_MIN])
def test_too_many_draws_are_refused(text: bytes) -> None:
    with pytest.raises(CommandError, match="out of range"):
        draws_argument(text)
