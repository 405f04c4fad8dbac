"""DUMP and RESTORE as commands: options, deadlines, footers, events. What is in payloads: `test_rdb.py`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_dynomite.commands.dump import _crc64, decode, encode, sealed
from trio_dynomite.commands.rdb import string_bytes
from trio_dynomite.commands.rdb_module import may_be_module_type, module_type
from trio_dynomite.commands.rdb_types import STRING
from trio_dynomite.errors import CommandError

from .fake import FakeKeyspace, Run

VALKEY_LZF = b"\x00\xc3\t+\x01aa\xe0\x1e\x00\x01aaP\x00\x16\xb7JZ\x0b\xa1\xf7\x1b"
"""What Valkey 9.1 dumps of 43 times `a`."""


def payload_of(text: bytes) -> bytes:
    return encode(STRING, string_bytes(text))


def payload_in(reply: bytes) -> bytes:
    return reply.partition(b"\r\n")[2][:-2]


@given(st.integers(0, len(VALKEY_LZF) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_noticed(position: int, flip: int) -> None:
    damaged = bytearray(VALKEY_LZF)
    damaged[position] ^= flip
    with pytest.raises(CommandError, match=r"^ERR DUMP payload version or checksum are wrong$"):
        decode(bytes(damaged))


def test_a_newer_version_is_refused() -> None:
    unsigned = b"\x00\x01a" + (81).to_bytes(2, "little")
    with pytest.raises(CommandError, match="version"):
        decode(unsigned + _crc64(unsigned).to_bytes(8, "little"))


def test_restore_gives_relative_and_absolute_deadlines(ks: FakeKeyspace, run: Run) -> None:
    payload = payload_of(b"value")
    assert run("RESTORE key 5000", payload) == b"+OK\r\n"
    assert (ks.get(b"key"), ks.deadline(b"key")) == (b"value", ks.now_ms + 5_000)
    assert run("RESTORE key 0", payload) == b"-BUSYKEY Target key name already exists."
    run("RESTORE key 2000000000000", payload, b"REPLACE", b"ABSTTL")
    assert ks.deadline(b"key") == 2_000_000_000_000
    run("RESTORE key 0", payload, b"REPLACE")
    assert ks.deadline(b"key") == 0
    run("RESTORE key 1", payload, b"REPLACE", b"ABSTTL")
    assert ks.kind(b"key") is None


@pytest.mark.parametrize(
    "line",
    [
        "SET key 12",
        "SADD key a b 3",
        "ZADD key 1 a -inf b 0.1 c",
        "RPUSH key a b a",
        "HSET key f v g w",
        "XADD key 5-1 f v",
    ],
)
def test_what_is_dumped_is_restored_in_place_of_anything(ks: FakeKeyspace, run: Run, line: str) -> None:
    run(line)
    kind, payload = run("TYPE key"), payload_in(run("DUMP key"))
    run("HSET other x y")
    assert run("RESTORE other 5000", payload, b"REPLACE") == b"+OK\r\n"
    assert run("TYPE other") == kind
    assert run("DUMP other") == run("DUMP key")
    assert ks.deadline(b"other") == ks.now_ms + 5_000


def test_fields_keep_their_deadlines(ks: FakeKeyspace, run: Run) -> None:
    run("HSET key a 1 b 2 c 3")
    run("HPEXPIREAT key 2000000000000 FIELDS 1 b")
    run("HPEXPIREAT key 3000000000000 FIELDS 1 c")
    run("RESTORE copy 0", payload_in(run("DUMP key")))
    copy = ks.hash_at(b"copy")
    assert {field: copy.deadline(field) for field, _ in copy.items()} == {
        b"a": 0,
        b"b": 2_000_000_000_000,
        b"c": 3_000_000_000_000,
    }
    ks.now_ms = 2_500_000_000_000
    run("RESTORE late 0", payload_in(run("DUMP key")))
    assert sorted(field for field, _ in ks.hash_at(b"late").items()) == [b"a", b"c"]


def test_a_hash_whose_fields_have_all_passed_is_absent(ks: FakeKeyspace, run: Run) -> None:
    run("HSET key a 1")
    run("HPEXPIREAT key 2000000000000 FIELDS 1 a")
    payload = payload_in(run("DUMP key"))
    ks.now_ms = 2_500_000_000_000
    assert run("RESTORE late 1000", payload) == b"+OK\r\n"
    assert ks.kind(b"late") is None


def test_a_damaged_payload_leaves_the_old_value(ks: FakeKeyspace, run: Run) -> None:
    run("SET key old EX 100")
    assert run("RESTORE key 0", encode(STRING, b"\x05abc"), b"REPLACE") == b"-ERR Bad data format"
    assert (ks.get(b"key"), ks.deadline(b"key")) == (b"old", ks.now_ms + 100_000)


def test_restore_tells_what_happened(ks: FakeKeyspace, run: Run) -> None:
    payload = payload_of(b"value")
    run("RESTORE key 0", payload)
    run("RESTORE key 1", payload, b"REPLACE", b"ABSTTL")
    run("RESTORE key 1", payload, b"ABSTTL")
    assert ks.events == [("restore", b"key"), ("del", b"key")]


def test_a_modules_value_is_kept_as_it_is(ks: FakeKeyspace, run: Run) -> None:
    payload = sealed(b"\x07\x81" + bytes.fromhex("bde72cb1eb5e7400") + b"whatever\x00", 12)
    assert run("RESTORE k 0", payload) == b"+OK\r\n"
    assert ks.kind(b"k") == module_type(payload[:-10])
    assert payload_in(run("DUMP k")) == payload
    assert run("RESTORE k 0", payload).startswith(b"-BUSYKEY")
    assert run("RESTORE k 1000", payload, b"REPLACE") == b"+OK\r\n"
    assert ks.deadline(b"k") == ks.now_ms + 1000
    assert run("OBJECT ENCODING k") == b"$3\r\nraw\r\n"


def test_the_type_of_a_modules_value() -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    number = 0
    for letter in "ReJSON-RL":
        number = number << 6 | letters.index(letter)
    told = (number << 10 | 3).to_bytes(8, "big")
    assert module_type(b"\x07\x81" + told) == "ReJSON-RL"
    assert module_type(b"\x00\x81" + told) is None
    assert module_type(b"\x07\x81" + told[:7]) is None
    assert module_type(b"") is None
    assert may_be_module_type(b"rejson-rl")
    assert not may_be_module_type(b"rejson-r")
    assert not may_be_module_type(b"rejson.rl")
