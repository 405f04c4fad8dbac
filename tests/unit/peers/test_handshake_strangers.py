"""Strangers on the peer port: told so at once, at the price of a few bytes."""

import pytest

from tests.unit.peers.test_handshake import said_to
from trio_dynomite.protocol.frames import FRAME_MAX, Kind


@pytest.mark.parametrize(
    "data",
    [b"*1\r\n$4\r\nPING\r\n", FRAME_MAX.to_bytes(4, "big") + b"\x01", (1 << 20).to_bytes(4, "big") + b"\x01"],
    ids=["a client of Redis", "the longest frame", "a megabyte"],
)
def test_a_first_frame_too_long_for_a_greeting_is_not_waited_for(data: bytes) -> None:
    _, frames, closed_for = said_to(data)

    assert closed_for is not None
    assert [kind for kind, _ in frames] == [Kind.GOODBYE]
