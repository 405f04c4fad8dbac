"""The reader of memcached's protocol: cut anywhere it reads the same; what is hostile costs little."""

from typing import Any

import pytest

from trio_dynomite.errors import ProtocolError, TooMuchInputError
from trio_dynomite.protocol.memcached import RequestReader
from trio_dynomite.protocol.memcached_lines import Request
from trio_dynomite.protocol.memcached_words import (
    WordError,
    decoded_key,
    meta_flags,
    shown_key,
    signed32,
    unsigned32,
    unsigned64,
)

CONVERSATION = (
    b"set a 5 0 3\r\nabc\r\nget  a b \r\n\r\nms b 4 T5 q F7\r\na\r\nb\r\nset c 0 0 2 noreply\r\nxyz\r\n"
    b"add d 0 0 400\r\n"
    + b"x" * 400
    + b"\r\nmg YQ== b v\nset "
    + b"k" * 251
    + b" 0 0 1\r\nms e 2 v v\r\nhi\r\n"
    b"cas f 1 -1 1 77\r\ny\r\ndelete a 0 noreply\r\nincr n 5\r\nflush_all\r\nversion\r\n"
)


def reader(**more: Any) -> RequestReader:
    return RequestReader(**({"item_max": 300, "unfinished_max": 10_000} | more))


def feed_all(one: RequestReader, pieces: list[bytes]) -> None:
    for piece in pieces:
        one.feed(piece)


def told(requests: list[Request]) -> list[tuple[Any, ...]]:
    return [(r.verb, r.words, r.flags, r.data, r.reply, r.is_quiet) for r in requests]


WHOLE = told(reader().feed(CONVERSATION))


def test_a_conversation() -> None:
    refusals = [reply for _, _, _, _, reply, _ in WHOLE if reply]

    assert WHOLE[0] == (b"set", [b"a", b"0"], b"5", b"abc", b"", False)
    assert WHOLE[1] == (b"get", [b"a", b"b"], b"0", None, b"", False)
    assert WHOLE[3] == (b"ms", [b"b", b"T5", b"q", b"F7"], b"7", b"a\r\nb", b"", False)
    assert (b"cas", [b"f", b"-1", b"77"], b"1", b"y", b"", False) in WHOLE
    assert (b"mg", [b"a", b"b", b"v"], b"0", None, b"", False) in WHOLE
    assert refusals == [
        b"ERROR\r\n",
        b"CLIENT_ERROR bad data chunk\r\n",
        b"ERROR\r\n",
        b"SERVER_ERROR object too large for cache\r\n",
        b"CLIENT_ERROR bad command line format\r\n",
        b"CLIENT_ERROR duplicate flag\r\n",
    ]


def test_cut_at_every_place_it_reads_the_same() -> None:
    for at in range(len(CONVERSATION)):
        cut = reader()
        assert told(cut.feed(CONVERSATION[:at]) + cut.feed(CONVERSATION[at:])) == WHOLE, at


def test_byte_by_byte_it_reads_the_same() -> None:
    cut = reader()
    assert (
        told([request for at in range(len(CONVERSATION)) for request in cut.feed(CONVERSATION[at : at + 1])])
        == WHOLE
    )


def test_what_is_announced_takes_no_memory_before_it_comes() -> None:
    big = reader(item_max=1 << 30, unfinished_max=1 << 30)
    assert big.feed(b"set a 0 0 500000000\r\nx") == []
    assert len(big._rest) == 1


def test_what_is_too_large_is_passed_over_and_not_kept() -> None:
    small = reader()
    (request,) = small.feed(b"set a 0 0 1000000\r\n")
    assert request.reply == b"SERVER_ERROR object too large for cache\r\n"
    for _ in range(100):
        assert small.feed(b"x" * 10_000) == []
        assert not small._rest
    assert told(small.feed(b"\r\nversion\r\n")) == [(b"version", [], b"0", None, b"", False)]


@pytest.mark.parametrize("line", [b"x" * 2049, b"set a" + b" " * 2048, b" " * 200 + b"get " + b"a " * 2000])
def test_a_line_that_goes_on_is_the_end(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        reader().feed(line)
    cut = reader()
    with pytest.raises(ProtocolError):
        feed_all(cut, [line[at : at + 1] for at in range(len(line))])


def test_a_long_get_is_read_up_to_a_limit() -> None:
    one = reader()
    (request,) = one.feed(b"get " + b"a " * 3000 + b"\r\n")
    assert len(request.words) == 3000
    assert one.feed(b"gets " + b"a " * 2000) == []
    with pytest.raises(TooMuchInputError):
        feed_all(one, [b"a " * 500] * 100)


def test_what_came_before_a_mistake_is_not_lost() -> None:
    with pytest.raises(ProtocolError) as caught:
        reader().feed(b"get a\r\nGET / HTTP/1.1\r\n")
    assert told(caught.value.commands_before) == [(b"get", [b"a"], b"0", None, b"", False)]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        (b"0", (0, 0, 0)),
        (b"+5", (5, 5, 5)),
        (b"-5", (None, None, -5)),
        (b"-18446744073709551615", (1, 1, None)),
        (b"4294967296", (4294967296, 0, 0)),
        (b"2147483648", (2147483648, 2147483648, -2147483648)),
        (b"18446744073709551615", (2**64 - 1, 2**32 - 1, None)),
        (b"18446744073709551616", (None, None, None)),
        (b"\t7", (7, 7, 7)),
        (b"7\tx", (7, 7, 7)),
        (b"7x", (None, None, None)),
        (b"", (None, None, None)),
        (b"x", (None, None, None)),
        (b"1" * 5000, (None, None, None)),
    ],
)
def test_numbers_are_read_as_in_c(word: bytes, wanted: tuple[int | None, ...]) -> None:
    assert (unsigned64(word), unsigned32(word), signed32(word)) == wanted


def test_keys_in_base64() -> None:
    assert decoded_key(b"44OG44K544OI") == "テスト".encode()
    assert [decoded_key(word) for word in (b"", b"!!", b"YQ", b"=" * 4)] == [None] * 4
    assert shown_key(b"a b", [b"k", b"b"]) == b"YSBi b"
    assert shown_key(b"a", [b"k"]) == b"a"


def test_flags_carry_the_number_that_counts() -> None:
    words = [b"v", b"T-1", b"F4294967297", b"C07", b"Oxyz", b"MA", b"kx"]
    assert meta_flags(words) == [b"v", b"T-1", b"F1", b"C7", b"Oxyz", b"MA", b"k"]
    for wrong in ([b"v", b"v"], [b"\xff"], [b"Y"], [b"T"], [b"MAA"], [b"Nx"]):
        with pytest.raises(WordError):
            meta_flags(wrong)


class TestLoggingIn:
    def make(self) -> RequestReader:
        return reader(log_in=lambda name, password: (name, password) == (b"me", b"secret"))

    def test_who_knows_the_password_is_let_in(self) -> None:
        data = b"set x 0 0 9\r\nme secret\r\nget a\r\n"
        wanted = [(b"", [], b"0", None, b"STORED\r\n", False), (b"get", [b"a"], b"0", None, b"", False)]
        assert told(self.make().feed(data)) == wanted
        for at in range(len(data)):
            cut = self.make()
            assert told(cut.feed(data[:at]) + cut.feed(data[at:])) == wanted

    @pytest.mark.parametrize(
        ("said", "reply"),
        [
            (b"get a\r\n", b"unauthenticated"),
            (b"set a 0 0\r\n", b"unauthenticated"),
            (b"set a 0 0 x\r\n", b"unauthenticated"),
            (b"set a 0 0 8\r\nme wrong\r\n", b"authentication failure"),
            (b"set a 0 0 2\r\nme\r\n", b"bad authentication token format"),
            (b"set a 0 0 9\r\nme secretxx", b"bad command line termination"),
        ],
    )
    def test_nobody_else_is(self, said: bytes, reply: bytes) -> None:
        stranger = self.make()
        assert [one.reply for one in stranger.feed(said)] == [b"CLIENT_ERROR " + reply + b"\r\n"]
        assert stranger.log_in is not None

    def test_strangers_may_not_send_much(self) -> None:
        for data in (b"get " + b"a " * 2000, b"set a 0 0 5000\r\n"):
            with pytest.raises(ProtocolError):
                self.make().feed(data)
