"""Replies of a memcached: cut at the same places wherever the bytes were split, and never changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_dynomite.errors import ProtocolError
from trio_dynomite.protocol.memcached_replies import MetaReplyScanner

REPLIES = [
    b"HD\r\n",
    b"HD c12 Oabc kfoo b\r\n",
    b"EN\r\n",
    b"NF\r\n",
    b"NS k1\r\n",
    b"EX\r\n",
    b"MN\r\n",
    b"ME foo exp=-1 la=3 cas=2 fetch=no cls=1 size=64\r\n",
    b"VA 2\r\nhi\r\n",
    b"VA 0 t0\r\n\r\n",
    b"VA 8 t-1 c5\r\nHD\r\nEN\r\n\r\n",
    b"VA 1023 c1\r\n" + b"x" * 1023 + b"\r\n",
    b"VA 1024 c1\r\n" + b"x" * 1024 + b"\r\n",
    b"OK\r\n",
    b"ERROR\r\n",
    b"CLIENT_ERROR bad data chunk\r\n",
    b"SERVER_ERROR out of memory storing object\r\n",
    b"VERSION 1.6.18\r\n",
    b"12\r\n",
    b"STAT pid 5\r\nSTAT uptime 7\r\nEND\r\n",
    b"END\r\n",
]


def cut(data: bytes, *places: int) -> list[bytes]:
    """The replies in `data`, fed in pieces that end at `places`."""
    scanner = MetaReplyScanner()
    found = []
    for start, end in zip((0, *places), (*places, len(data)), strict=True):
        found += scanner.feed(data[start:end])
    assert scanner.is_between
    return found


@pytest.mark.parametrize("reply", REPLIES, ids=repr)
def test_a_reply_is_whole_wherever_it_is_split(reply: bytes) -> None:
    assert cut(reply) == [reply]
    for place in range(1, len(reply)):
        assert cut(reply, place) == [reply]
        assert cut(reply * 2, len(reply) + place) == [reply, reply]
    assert cut(reply, *range(1, len(reply))) == [reply]


@given(
    st.lists(
        st.one_of(
            st.sampled_from(REPLIES),
            st.binary(max_size=1200).map(lambda value: b"VA %d c9\r\n%b\r\n" % (len(value), value)),
        ),
        max_size=12,
    ),
    st.lists(st.integers(0, 3000), max_size=4),
)
def test_whatever_comes_is_cut_where_it_ends(replies: list[bytes], places: list[int]) -> None:
    data = b"".join(replies)
    assert cut(data, *sorted(min(place, len(data)) for place in places)) == replies


@pytest.mark.parametrize("data", [b"hello\r\n", b"\r\n", b"VA\r\n", b"VA x\r\n", b"VA -1\r\n", b"HDX\r\n"])
def test_what_is_no_reply_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        MetaReplyScanner().feed(data)


def test_a_line_without_an_end_is_refused() -> None:
    with pytest.raises(ProtocolError):
        MetaReplyScanner().feed(b"HD " + b"x" * (1 << 17))


def test_a_long_value_is_looked_at_when_it_is_whole() -> None:
    reply = b"VA 1000000 c1\r\n" + b"EN\r\n" * 250_000 + b"\r\n"
    scanner = MetaReplyScanner()
    found = []
    for start in range(0, len(reply), 1 << 16):
        found += scanner.feed(reply[start : start + (1 << 16)])

    assert found == [reply]
