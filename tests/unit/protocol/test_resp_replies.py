"""Replies of a Redis server: cut at the same places wherever the bytes were split, and never changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_dynomite.errors import ProtocolError
from trio_dynomite.protocol.resp_replies import ReplyScanner

REPLIES = [
    b"+OK\r\n",
    b"-ERR no such key\r\n",
    b":-12\r\n",
    b"$5\r\nhello\r\n",
    b"$0\r\n\r\n",
    b"$-1\r\n",
    b"*-1\r\n",
    b"*0\r\n",
    b"$4\r\n\r\n\r\n\r\n",
    b"$18\r\n$3\r\nabc\r\n+OK\r\n:1\r\n\r\n",
    b"$1023\r\n" + b"x" * 1023 + b"\r\n",
    b"$1024\r\n" + b"x" * 1024 + b"\r\n",
    b"*3\r\n$3\r\nabc\r\n:1\r\n$-1\r\n",
    b"*2\r\n*2\r\n:1\r\n*1\r\n+a\r\n*0\r\n",
    b"*20\r\n" + b"$3\r\nabc\r\n" * 20,
    b"*40\r\n" + b":1\r\n" * 20 + b"*1\r\n_\r\n" + b":2\r\n" * 19,
    b"_\r\n",
    b"#t\r\n",
    b",3.14\r\n",
    b",inf\r\n",
    b"(3492890328409238509324850943850943825024385\r\n",
    b"!21\r\nSYNTAX invalid syntax\r\n",
    b"=15\r\ntxt:Some string\r\n",
    b"%2\r\n+first\r\n:1\r\n+second\r\n*1\r\n:2\r\n",
    b"~3\r\n:1\r\n:2\r\n#f\r\n",
    b"|1\r\n+key-popularity\r\n%1\r\n$1\r\na\r\n,0.19\r\n*2\r\n:20\r\n:95\r\n",
    b"*2\r\n|1\r\n+ttl\r\n:3600\r\n:1\r\n:2\r\n",
]
PUSH = b">3\r\n+message\r\n+channel\r\n$5\r\n+OK\r\n\r\n"


def cut(data: bytes, *places: int) -> list[bytes]:
    """The replies in `data`, fed in pieces that end at `places`."""
    scanner = ReplyScanner()
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


def test_every_kind_follows_every_other() -> None:
    for first in REPLIES:
        for second in REPLIES:
            assert cut(first + second) == [first, second]


def test_messages_that_answer_nothing_are_skipped_and_counted() -> None:
    data = PUSH + b"+A\r\n" + PUSH + PUSH + b"+B\r\n"
    for place in range(1, len(data)):
        scanner = ReplyScanner()
        found = scanner.feed(data[:place]) + scanner.feed(data[place:])
        assert found == [b"+A\r\n", b"+B\r\n"]
        assert scanner.pushes == 3


ELEMENTS = st.recursive(
    st.one_of(
        st.sampled_from([b"+OK\r\n", b"_\r\n", b"#t\r\n", b"$-1\r\n", b",1.5\r\n"]),
        st.integers().map(lambda number: b":%d\r\n" % number),
        st.binary(max_size=40).map(lambda value: b"$%d\r\n%b\r\n" % (len(value), value)),
        st.integers(100, 1100).map(
            lambda size: b"$%d\r\n%b\r\n" % (size, b"$1\r\n" * (size // 4) + b"z" * (size % 4))
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=20).map(lambda items: b"*%d\r\n%b" % (len(items), b"".join(items))),
        st.lists(inner, max_size=3).map(lambda items: b"%%%d\r\n%b" % (len(items), b"".join(items * 2))),
        st.lists(inner, max_size=5).map(lambda items: b"~%d\r\n%b" % (len(items), b"".join(items))),
    ),
    max_leaves=30,
)


@given(st.lists(ELEMENTS, max_size=12), st.lists(st.integers(0, 3000), max_size=4))
def test_whatever_comes_is_cut_where_it_ends(replies: list[bytes], places: list[int]) -> None:
    data = b"".join(replies)
    assert cut(data, *sorted(min(place, len(data)) for place in places)) == replies


@pytest.mark.parametrize(
    "data",
    [
        b"$?\r\n;4\r\nHell\r\n;0\r\n",
        b"*?\r\n:1\r\n.\r\n",
        b"hello\r\n",
        b"\r\n",
        b"$1_0\r\n",
        b"$+5\r\nhello\r\n",
        b"$ 5\r\nhello\r\n",
        b"$-2\r\n",
        b"$9999999999999999999\r\n",
        b"*1\r\n>1\r\n+a\r\n",
        b"%x\r\n",
        b"+OK\r\n@\r\n",
    ],
)
def test_what_is_no_reply_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        ReplyScanner().feed(data)


def test_a_line_without_an_end_is_refused() -> None:
    scanner = ReplyScanner()
    scanner.feed(b"+" + b"x" * (1 << 19))
    with pytest.raises(ProtocolError):
        scanner.feed(b"x" * (1 << 20))


def test_a_long_reply_costs_no_more_than_its_length() -> None:
    elements = 200_000
    reply = b"*%d\r\n" % elements + b"$8\r\nabcdefgh\r\n" * elements
    scanner = ReplyScanner()
    found, longest = [], 0
    for start in range(0, len(reply), 1 << 16):
        found += scanner.feed(reply[start : start + (1 << 16)])
        longest = max(longest, sum(map(len, scanner._rest)))

    assert found == [reply]
    assert longest < 100, "what is read is not kept to be read again"
