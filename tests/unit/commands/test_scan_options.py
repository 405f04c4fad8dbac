"""The cursor and the options of scans, as HSCAN and SSCAN hand them on."""

import pytest

from trio_dynomite.commands.scan_options import cursor_argument, scan_options
from trio_dynomite.errors import CommandError


@pytest.mark.parametrize(
    ("text", "cursor"),
    [(b"0", 0), (b"007", 7), (b"+5", 5), (b" \t6", 6), (b"18446744073709551615", 2**64 - 1)],
)
def test_a_cursor_is_read_as_c_reads_it(text: bytes, cursor: int) -> None:
    assert cursor_argument(text) == cursor


@pytest.mark.parametrize(
    "text", [b"", b"x", b"-1", b"1 ", b"1_0", b"0x10", b"18446744073709551616", b"1" * 5000]
)
def test_what_is_no_cursor_is_refused(text: bytes) -> None:
    with pytest.raises(CommandError, match="ERR invalid cursor"):
        cursor_argument(text)


def test_the_last_of_each_option_counts() -> None:
    options = scan_options(
        [b"", b"", b"", *b"COUNT 1 match a* count 20 MATCH b* novalues".split()], b"NOVALUES"
    )
    assert options.count == 20
    assert options.bare
    assert options.picks(b"bc")
    assert not options.picks(b"ab")


def test_a_star_matches_all() -> None:
    assert scan_options([b"", b"", b"", b"MATCH", b"*"]).pattern is None


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (b"COUNT", "syntax error"),
        (b"MATCH", "syntax error"),
        (b"COUNT 0", "syntax error"),
        (b"COUNT x", "not an integer"),
        (b"TYPE string", "syntax error"),
        (b"NOVALUES", "only be used in HSCAN"),
    ],
)
def test_bad_options_are_refused(words: bytes, refusal: str) -> None:
    with pytest.raises(CommandError, match=refusal):
        scan_options([b"ZSCAN", b"key", b"0", *words.split()], b"NOSCORES")
