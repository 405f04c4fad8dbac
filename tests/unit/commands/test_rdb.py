"""What is in payloads: everything that real servers dump is read, and nothing that is damaged does harm."""

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_dynomite.commands import rdb_listpack
from trio_dynomite.commands.dump import _crc64, decode, encode
from trio_dynomite.commands.lzf import decompress
from trio_dynomite.commands.rdb import Reader, string_bytes
from trio_dynomite.commands.rdb_stream import operations, stream_bytes
from trio_dynomite.commands.rdb_types import STRING
from trio_dynomite.commands.rdb_ziplist import unpack_intset, unpack_ziplist, unpack_zipmap
from trio_dynomite.data.stream import StreamBody
from trio_dynomite.errors import CommandError

from .payloads import PAYLOADS, STREAMS

EVERYTHING = [bytes.fromhex(payload) for _, _, payload, _ in PAYLOADS]
EVERYTHING += [bytes.fromhex(payload) for payload in STREAMS.values()]
BAD_FORMAT = r"^ERR Bad data format$"

TEXTS = st.one_of(
    st.binary(max_size=70),
    st.integers(-(2**63), 2**63 - 1).map(lambda n: b"%d" % n),
    st.integers(-5000, 5000).map(lambda n: b"%d" % n),
    st.sampled_from([127, 128, 4095, 4096, 16380, 16390]).map(lambda size: b"x" * size),
)


def signed(body: bytes, version: int = 11) -> bytes:
    unsigned = body + version.to_bytes(2, "little")
    return unsigned + _crc64(unsigned).to_bytes(8, "little")


@pytest.mark.parametrize(
    ("kind", "payload", "expected"), [case[1:] for case in PAYLOADS], ids=[case[0] for case in PAYLOADS]
)
def test_what_real_servers_dump_is_read(kind: str, payload: str, expected: Any) -> None:
    found_kind, found = decode(bytes.fromhex(payload))
    assert found_kind == kind
    assert found == expected if kind == "list" else sorted(found) == sorted(expected)


@pytest.mark.parametrize("name", STREAMS)
def test_streams_of_real_servers_are_read(name: str) -> None:
    kind, body = decode(bytes.fromhex(STREAMS[name]))
    assert kind == "stream"
    assert dict(body.entries) == {
        5 << 64 | 1: (b"a", b"1", b"b", b"2"),
        7 << 64: (b"c", b"y"),
        7 << 64 | 1: (b"a", b"q", b"b", b"r"),
    }
    counts_deletions = "6.2" not in name
    assert (body.last_id, body.added) == (7 << 64 | 1, 4 if counts_deletions else 3)
    assert body.max_deleted_id == (5 << 64 | 3 if counts_deletions else 0)
    reader, idle = body.groups[b"g"], body.groups[b"h"]
    assert [(owner, count) for owner, _, count in reader.pending.values()] == [(b"one", 1), (b"two", 1)]
    assert list(reader.consumers) == [b"one", b"two"]
    assert list(reader.consumers[b"two"].pending) == [7 << 64]
    assert all(consumer.active_ms == consumer.seen_ms for consumer in reader.consumers.values())
    assert idle.last_id == 7 << 64 | 1
    assert idle.entries_read == (None if counts_deletions else 3)


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_dumped_and_made_again(name: str) -> None:
    _, body = decode(bytes.fromhex(STREAMS[name]))
    _, copy = decode(encode(19, stream_bytes(body)))
    assert copy == body
    made = StreamBody()
    for operation in operations(body):
        made.apply(operation)
    assert made == body


PART = st.integers(0, 2**64 - 1)
IDS = st.lists(st.tuples(PART, PART).filter(any), max_size=150, unique=True)


@given(IDS, st.lists(TEXTS, max_size=4))
@settings(max_examples=20, deadline=None)
def test_streams_of_any_ids_are_dumped_and_read(ids: list[tuple[int, int]], texts: list[bytes]) -> None:
    body = StreamBody()
    for number, (milliseconds, sequence) in enumerate(sorted(ids)):
        fields = [b"f", b"%d" % number] if number % 3 else [piece for text in texts for piece in (text, b"v")]
        body.entries[milliseconds << 64 | sequence] = tuple(fields or [b"f", b""])
        body.last_id = milliseconds << 64 | sequence
        body.added += 1
    _, copy = decode(encode(19, stream_bytes(body)))
    assert copy == body


@given(st.lists(TEXTS, max_size=30))
def test_listpacks_come_back(elements: list[bytes]) -> None:
    assert rdb_listpack.unpack(rdb_listpack.pack(elements)) == elements


@given(TEXTS)
def test_every_string_comes_back(value: bytes) -> None:
    assert decode(encode(STRING, string_bytes(value))) == ("string", value)


@pytest.mark.parametrize("size", [63, 64, 16383, 16384, 70_000])
def test_every_form_of_length_comes_back(size: int) -> None:
    assert Reader(string_bytes(b"x" * size)).string() == b"x" * size


@given(
    st.sampled_from(EVERYTHING),
    st.lists(
        st.tuples(
            st.floats(0, 1, exclude_max=True), st.integers(0, 255), st.sampled_from(["set", "cut", "put"])
        ),
        min_size=1,
        max_size=5,
    ),
)
@settings(max_examples=500, deadline=None)
def test_damaged_payloads_are_read_or_refused(payload: bytes, damages: list[tuple[float, int, str]]) -> None:
    """The checksum is right, the rest is damaged: it decodes or is refused, and nothing else happens."""
    body = bytearray(payload[:-10])
    for place, byte, how in damages:
        at = int(place * len(body))
        match how:
            case "set":
                body[at : at + 1] = bytes([byte])
            case "cut":
                del body[at : at + byte % 4]
            case "put":
                body[at:at] = bytes([byte])
    with contextlib.suppress(CommandError):
        kind, value = decode(signed(bytes(body)))
        assert weight(kind, value) <= 300 * len(body)


def weight(kind: str, value: Any) -> int:
    """About how many bytes and elements there are: LZF makes 264 bytes of three at most."""
    if kind == "stream":
        return sum(len(piece) + 1 for fields in value.entries.values() for piece in fields)
    return len(value) if kind == "string" else sum(len(e) if isinstance(e, bytes) else 1 for e in value)


@given(st.integers(0, 30), st.binary(max_size=40))
@settings(max_examples=500)
def test_noise_is_read_or_refused(code: int, body: bytes) -> None:
    with contextlib.suppress(CommandError):
        kind, value = decode(signed(bytes([code]) + body))
        assert weight(kind, value) <= 300 * len(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"\x00\x05abc",
        b"\x00\x01abc",
        b"\x00\xc4",
        b"\x00\xc0",
        b"\x00\x80\x00\x00",
        b"\x00\x82\x00",
        b"\x00\xc3\x05\x81" + b"\xff" * 8 + b"aaaaa",
        b"\x00\xc3\x03\x05\x01aa",
        b"\x01\x00",
        b"\x01\x81" + b"\xff" * 8 + b"\x01a",
        b"\x02\x02\x01a\x01a",
        b"\x04\x02\x01f\x01v\x01f\x01w",
        b"\x05\x01\x01a" + bytes(6) + b"\xf8\x7f",
        b"\x03\x01\x01a\xfd",
        b"\x03\x01\x01a\x03abc",
        b"\x06\x00",
        b"\x16\x01\x01f\x01v" + b"\xfe" + b"\xff" * 7,
        b"\x0f\x00\x00\x05\x01\x00\x00",
        b"\x0f\x00\x01\x05\x01\x00",
        b"\x13\x00\x00\x05\x01\x00\x00\x00\x00\x00\x01\x01g\x00\x00\x00\x01" + bytes(24) + b"\x01\x00",
    ],
    ids=bytes.hex,
)
def test_a_damaged_body_is_refused(body: bytes) -> None:
    with pytest.raises(CommandError, match=BAD_FORMAT):
        decode(signed(body))


def test_valkeys_code_means_something_else_in_payloads_of_redis() -> None:
    body = b"\x16\x01\x01f\x01v" + b"\xff" * 8
    assert decode(signed(body, version=80)) == ("hash", [(b"f", b"v", 0)])
    with pytest.raises(CommandError, match=BAD_FORMAT):
        decode(signed(body, version=12))


@pytest.mark.parametrize(
    ("unpack", "data"),
    [
        (rdb_listpack.unpack, b""),
        (rdb_listpack.unpack, b"\x07\0\0\0\x01\0\xff"),
        (rdb_listpack.unpack, b"\x09\0\0\0\x01\0\x85a\xff"),
        (rdb_listpack.unpack, b"\x09\0\0\0\x01\0\xf5\x01\xff"),
        (unpack_ziplist, b"\x0b\0\0\0\x0a\0\0\0\x01\0\xff"),
        (unpack_ziplist, b"\x0e\0\0\0\x0a\0\0\0\x01\0\0\xc1\x02\xff"),
        (unpack_zipmap, b"\x01\x01a\xff"),
        (unpack_zipmap, b"\x01\xfe\xff\xff\xff\xff\xff"),
        (unpack_intset, b"\x02\0\0\0\xff\xff\xff\xff\x01\0"),
        (unpack_intset, b"\x03\0\0\0\x01\0\0\0\x01\0\0"),
    ],
)
def test_damaged_packed_encodings_are_refused(unpack: Any, data: bytes) -> None:
    with pytest.raises(CommandError, match=BAD_FORMAT):
        unpack(data)


@pytest.mark.parametrize("data", [b"\x05abc", b"\x20", b"\xe0\x01", b"\x20\x00", b"\x00a\x20\x05"])
def test_damaged_lzf_is_noticed(data: bytes) -> None:
    assert decompress(data, 3) is None


def test_lzf_copies_may_run_into_themselves() -> None:
    assert decompress(b"\x01ab\xe0\x05\x01", 16) == b"ab" * 8
