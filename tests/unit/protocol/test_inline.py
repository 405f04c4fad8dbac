"""Inline commands: Redis's quoting, as its `sdssplitargs` tests have it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_dynomite.errors import ProtocolError
from trio_dynomite.protocol.inline import split_arguments


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        (b"", []),
        (b"   \t ", []),
        (b"set  key\tvalue ", [b"set", b"key", b"value"]),
        (b"\"\" ''", [b"", b""]),
        (b'"a b" c', [b"a b", b"c"]),
        (b'"\\n\\r\\t\\b\\a\\"\\\\"', [b'\n\r\t\b\a"\\']),
        (b'"\\x41\\x00\\xfF"', [b"A\0\xff"]),
        (b'"\\xzz\\x4"', [b"xzzx4"]),
        (b'"\\q"', [b"q"]),
        (b"'a\\'b\\n'", [b"a'b\\n"]),
        (b"'\"'", [b'"']),
        (b'"\'"', [b"'"]),
        (b'ab"c d"', [b"abc d"]),
        (b"back\\slash", [b"back\\slash"]),
    ],
)
def test_a_line_is_split_as_redis_does(line: bytes, arguments: list[bytes]) -> None:
    assert split_arguments(line) == arguments


@pytest.mark.parametrize("line", [b'"', b"'", b'"a', b"'a", b'"a"b', b"'a'b", b'"a\\"', b"'a\\'", b'"a""b"'])
def test_quotes_that_do_not_close_are_refused(line: bytes) -> None:
    with pytest.raises(ProtocolError, match="unbalanced quotes in request"):
        split_arguments(line)


@given(st.lists(st.binary(max_size=20), max_size=5))
def test_everything_can_be_said_in_double_quotes(arguments: list[bytes]) -> None:
    line = b" ".join([b'"%b"' % b"".join([b"\\x%02x" % byte for byte in arg]) for arg in arguments])

    assert split_arguments(line) == arguments


@given(st.lists(st.sampled_from([b'"', b"'", b"\\", b"x", b"4", b" ", b"a", b"\n", b"\xff"]), max_size=12))
def test_every_line_is_split_or_refused(pieces: list[bytes]) -> None:
    line = b"".join(pieces)
    try:
        arguments = split_arguments(line)
    except ProtocolError:
        assert b'"' in line or b"'" in line
    else:
        assert sum(map(len, arguments)) <= len(line)
