"""The loader's buffers and INFO."""

import hiredis
import pytest

from benchmarks.wire import parse_info, set_requests


def commands(buffers: list[bytes]) -> list[list[bytes]]:
    reader = hiredis.Reader()
    reader.feed(b"".join(buffers))
    found = []
    while (command := reader.gets()) is not False:
        found.append(command)
    return found


def test_every_key_is_written_once_with_a_value_of_its_own() -> None:
    buffers = list(set_requests("key:%012d", 20, 32, per_request=10))
    assert len(buffers) == 2
    found = commands(buffers)
    assert [key for _, key, _ in found] == [b"key:%012d" % number for number in range(20)]
    assert {name for name, _, _ in found} == {b"SET"}
    assert {len(value) for _, _, value in found} == {32}
    assert len({value for _, _, value in found}) == 20


def test_a_hash_tag_in_the_pattern_is_kept() -> None:
    (buffer,) = set_requests("{t7}:%012d", 1, 8, per_request=1)
    assert commands([buffer]) == [[b"SET", b"{t7}:000000000000", b"00000000"]]


def test_a_count_that_leaves_a_rest_is_refused() -> None:
    with pytest.raises(ValueError, match="not a multiple"):
        list(set_requests("k%d", 1500, 8))


def test_info_gives_fields_without_headings() -> None:
    text = "# Stats\r\ngc_pause_ms_max:3.5\r\n\r\n# Other\r\nurl:http://x:1\r\n"
    assert parse_info(text) == {"gc_pause_ms_max": "3.5", "url": "http://x:1"}
