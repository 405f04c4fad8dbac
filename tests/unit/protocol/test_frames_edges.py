"""Frames that no node of ours would send: refused in one way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_dynomite.errors import ProtocolError
from trio_dynomite.protocol.frames import FrameReader, frame


@pytest.mark.parametrize(
    "body",
    [
        b"\x91" * 5000,
        b"\x91\xa2\xff\xfe",
        b"\x91\x81\x80\x01",
        b"\xdd\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
    ],
    ids=["nested too deep", "not UTF-8", "a map as a key", "an array too long", "a text too long"],
)
def test_a_body_that_cannot_be_read_is_a_protocol_error(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        FrameReader().feed(frame(1, body))


@given(st.integers(0, 255), st.binary(max_size=60))
def test_random_bytes_raise_nothing_but_a_protocol_error(kind: int, body: bytes) -> None:
    try:
        read = FrameReader().feed(frame(kind, b"\x91" + body))
    except ProtocolError:
        return
    assert [of for of, _ in read] == [kind]
