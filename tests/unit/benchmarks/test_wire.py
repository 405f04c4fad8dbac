"""Replies and INFO."""

import hiredis
import pytest

from benchmarks.wire import ReplyError, checked, pack, parse_info


def test_an_error_is_raised_wherever_it_is_in_a_reply() -> None:
    error = hiredis.ReplyError("WRONGTYPE no list")
    for reply in (error, [b"OK", error]):
        with pytest.raises(ReplyError, match="WRONGTYPE no list"):
            checked(reply)
    assert checked([b"OK", None, 1]) == [b"OK", None, 1]


def test_a_command_is_an_array_of_strings() -> None:
    assert pack(("GET", "k")) == b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"


def test_info_gives_fields_without_headings() -> None:
    text = "# Stats\r\ngc_pause_ms_max:3.5\r\n\r\n# Other\r\nurl:http://x:1\r\n"
    assert parse_info(text) == {"gc_pause_ms_max": "3.5", "url": "http://x:1"}
