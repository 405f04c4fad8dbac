import pytest

from trio_dynomite.commands.long_double import LongDouble, add, parse, text_of
from trio_dynomite.errors import CommandError


@pytest.mark.parametrize(
    ("left", "right", "total"),
    [
        ("0.1", "0.2", "0.3"),
        ("10.50", "0.1", "10.6"),
        ("5.0e3", "2.0e2", "5200"),
        ("3", "-3", "0"),
        ("-0.00000000000000000001", "0", "0"),
        ("17179869184", "1.5", "17179869185.5"),
        ("18446744073709551616", "1", "18446744073709551616"),
        ("0x10", ".5", "16.5"),
        ("1e25", "0", "10000000000000000000000000"),
    ],
)
def test_sums_have_the_digits_of_a_long_double(left: str, right: str, total: str) -> None:
    assert text_of(add(parse(left.encode()), parse(right.encode()))) == total.encode()


def test_a_tie_goes_to_the_even_significand() -> None:
    assert text_of(parse(b"%d" % (2**64 + 1))) == b"%d" % 2**64
    assert text_of(parse(b"%d" % (2**64 + 3))) == b"%d" % (2**64 + 4)
    assert text_of(parse(b"%d" % (-(2**64) - 3))) == b"%d" % (-(2**64) - 4)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "1x",
        " 1",
        "nan",
        "1_0",
        "--1",
        ".",
        "e5",
        "0x",
        "1e5000",
        "1e-5000",
        "1e999999999",
        "9" * 6000,
    ],
)
def test_other_texts_are_no_floats(text: str) -> None:
    with pytest.raises(CommandError, match=r"^ERR value is not a valid float$"):
        parse(text.encode())


@pytest.mark.parametrize(
    ("left", "right"), [("inf", "1"), ("1", "-Infinity"), ("inf", "-inf"), ("1e4932", "1e4932")]
)
def test_an_infinite_sum_is_refused(left: str, right: str) -> None:
    with pytest.raises(CommandError, match="NaN or Infinity"):
        add(parse(left.encode()), parse(right.encode()))


def test_the_largest_numbers_are_written_in_full() -> None:
    assert text_of(parse(b"1e4931")).startswith(b"1000000000000000000")
    assert len(text_of(LongDouble(1, 16383))) == 4932
