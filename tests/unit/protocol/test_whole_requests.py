"""Bytes that may be passed on as they came: only what Redis takes for the very same requests."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from trio_dynomite.errors import ProtocolError
from trio_dynomite.protocol.requests import Limits, RequestReader
from trio_dynomite.protocol.whole_requests import WholeReader

SET = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n"


def taken(*pieces: bytes) -> bytes:
    reader = WholeReader(Limits())
    for piece in pieces:
        reader.feed(piece)
    return reader.take_whole()


def test_whole_requests_pass_once() -> None:
    reader = WholeReader(Limits())
    assert reader.feed(SET * 3) == [[b"SET", b"k", b"v"]] * 3
    assert reader.take_whole() == SET * 3
    assert reader.take_whole() == b""


def test_parts_of_requests_do_not() -> None:
    assert taken(SET + SET[:-1]) == b""
    assert taken(SET[:-1], SET[-1:]) == b""
    assert taken(SET[:-1], SET[-1:] + SET) == b""
    assert taken(SET[:9], SET[9:], SET) == SET


def test_what_hiredis_takes_and_redis_does_not_is_encoded_anew() -> None:
    for odd in (
        b"*2\r\n+GET\r\n$6\r\na\r\n$bc\r\n",
        b"*1\r\n$4\r\nPING\r\n~2\r\n$3\r\nGET\r\n$1\r\na\r\n",
        b"*1\r\n$4\r\nPING\r\n|1\r\n$1\r\na\r\n$1\r\nb\r\n*1\r\n$4\r\nPING\r\n",
        b"*2\r\n$3\r\nGET\r\n=5\r\ntxt:a\r\n",
        b"*2\r\n$3\r\nGET\r\n(123\r\n",
        b"PING\r\n",
        b"*1\r\n$4\r\nPING\r\nPING\r\n",
    ):
        with suppress(ProtocolError):
            assert taken(odd) == b"", odd


@given(
    st.lists(
        st.lists(
            st.binary(max_size=5) | st.sampled_from([b"\r\n+", b"\n~", b"\r\n*1\r\n", b"="]), min_size=1
        ),
        min_size=1,
    )
)
def test_what_passes_is_what_was_read(commands: list[list[bytes]]) -> None:
    data = b"".join(
        b"*%d\r\n" % len(command) + b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in command])
        for command in commands
    )
    reader = WholeReader(Limits())
    assert reader.feed(data) == RequestReader(Limits()).feed(data) == commands
    assert reader.take_whole() in (data, b"")
