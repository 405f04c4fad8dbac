import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_dynomite.commands.dump import _crc64, decode, encode
from trio_dynomite.commands.lzf import decompress
from trio_dynomite.errors import CommandError

from .fake import FakeKeyspace, Run

VALKEY_LZF = b"\x00\xc3\t+\x01aa\xe0\x1e\x00\x01aaP\x00\x16\xb7JZ\x0b\xa1\xf7\x1b"
"""What Valkey 9.1 dumps of 43 times `a`."""
VALKEY_INT16 = b"\x00\xc1,\x01P\x00Zh\xa8c\xfb\xd0;\xe4"
"""What Valkey 9.1 dumps of 300."""


@given(st.binary(max_size=300) | st.integers().map(lambda n: b"%d" % n))
def test_every_string_comes_back(value: bytes) -> None:
    assert decode(encode(value)) == value


@pytest.mark.parametrize("size", [63, 64, 16383, 16384, 70_000])
def test_every_form_of_length_comes_back(size: int) -> None:
    assert decode(encode(b"x" * size)) == b"x" * size


def test_payloads_of_valkey_are_read() -> None:
    assert decode(VALKEY_INT16) == b"300"
    assert decode(VALKEY_LZF) == b"a" * 43


@given(st.integers(0, len(VALKEY_LZF) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_noticed(position: int, flip: int) -> None:
    damaged = bytearray(VALKEY_LZF)
    damaged[position] ^= flip
    with pytest.raises(CommandError, match=r"^ERR DUMP payload version or checksum are wrong$"):
        decode(bytes(damaged))


@given(st.binary(max_size=40))
def test_a_body_that_is_no_string_is_refused(body: bytes) -> None:
    """The checksum is right, the rest is noise: it decodes or is refused, and nothing else happens."""
    with contextlib.suppress(CommandError):
        assert len(decode(_signed(b"\x00" + body))) <= 264 * len(body)


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"\x04\x00",
            b"\x00",
            b"\x00\x05abc",
            b"\x00\x01abc",
            b"\x00\xc4",
            b"\x00\xc0",
            b"\x00\x80\x00\x00",
        ),
        *(b"\x00\x82\x00", b"\x00\xc3\x05\x81" + b"\xff" * 8 + b"aaaaa", b"\x00\xc3\x03\x05\x01aa"),
    ],
)
def test_a_damaged_body_is_refused(body: bytes) -> None:
    with pytest.raises(CommandError, match=r"^ERR Bad data format$"):
        decode(_signed(body))


def test_a_newer_version_is_refused() -> None:
    with pytest.raises(CommandError, match="version"):
        decode(_signed(b"\x00\x01a", version=81))


@pytest.mark.parametrize("data", [b"\x05abc", b"\x20", b"\xe0\x01", b"\x20\x00", b"\x00a\x20\x05"])
def test_damaged_lzf_is_noticed(data: bytes) -> None:
    assert decompress(data, 3) is None


def test_lzf_copies_may_run_into_themselves() -> None:
    assert decompress(b"\x01ab\xe0\x05\x01", 16) == b"ab" * 8


def test_restore_gives_relative_and_absolute_deadlines(ks: FakeKeyspace, run: Run) -> None:
    payload = encode(b"value")
    assert run("RESTORE key 5000", payload) == b"+OK\r\n"
    assert (ks.get(b"key"), ks.deadline(b"key")) == (b"value", ks.now_ms + 5_000)
    assert run("RESTORE key 0", payload) == b"-BUSYKEY Target key name already exists."
    run("RESTORE key 2000000000000", payload, b"REPLACE", b"ABSTTL")
    assert ks.deadline(b"key") == 2_000_000_000_000
    run("RESTORE key 0", payload, b"REPLACE")
    assert ks.deadline(b"key") == 0
    run("RESTORE key 1", payload, b"REPLACE", b"ABSTTL")
    assert ks.kind(b"key") is None


def _signed(body: bytes, version: int = 11) -> bytes:
    unsigned = body + version.to_bytes(2, "little")
    return unsigned + _crc64(unsigned).to_bytes(8, "little")
