"""Dynomite's hash functions: a key in, an unsigned 32-bit ring position out.

They exist so that a cluster keeps its tokens when it moves here from Dynomite, so they copy the C code
(`hashkit/`) on a little-endian machine with signed `char`, quirks included: each docstring names its own.
Pure Python loops remember their last results, because keys repeat.

`murmur3` is not here: its body is commented out in Dynomite and the token is left uninitialised, so
there is nothing that could be compatible with it. Use `murmur`, the default.
"""

import binascii
import hashlib
import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from struct import unpack, unpack_from
from types import MappingProxyType

Hash = Callable[[bytes], int]

_MASK = 0xFFFF_FFFF
_REMEMBERED_KEYS = 16_384
_REMEMBERED_KEY_SIZE = 128
_MURMUR_M = 0x5BD1_E995
_FNV_32_INIT = 2_166_136_261
_FNV_32_PRIME = 16_777_619
_FNV_64_INIT = 0xCBF2_9CE4_8422_2325
_FNV_64_PRIME = 0x100_0000_01B3
_JENKINS_INITVAL = 13


def _remembering(compute: Hash) -> Hash:
    """`compute` with a cache in front; long keys pass it by, so the cache stays small."""
    cached = lru_cache(maxsize=_REMEMBERED_KEYS)(compute)

    @wraps(compute)
    def remembered(key: bytes) -> int:
        return cached(key) if len(key) <= _REMEMBERED_KEY_SIZE else compute(key)

    return remembered


def _signed(byte: int) -> int:
    """The byte as C's signed `char`, widened to `uint32_t`."""
    return byte if byte < 128 else byte | 0xFFFF_FF00


@_remembering
def one_at_a_time(key: bytes) -> int:
    """Jenkins's one-at-a-time; bytes are signed chars."""
    value = 0
    for byte in key:
        value += _signed(byte)
        value = (value + (value << 10)) & _MASK
        value ^= value >> 6
    value = (value + (value << 3)) & _MASK
    value ^= value >> 11
    return (value + (value << 15)) & _MASK


def md5(key: bytes) -> int:
    """The first four bytes of the MD5 digest, little-endian."""
    return int.from_bytes(hashlib.md5(key, usedforsecurity=False).digest()[:4], "little")


def crc16(key: bytes) -> int:
    """CRC-16 (CCITT, 0x1021) whose accumulator is never cut to 16 bits.

    What C shifts out of the low 16 bits stays above them, so the upper two bytes are the high bytes of
    the checksums of the key without its last byte and without its last two.
    """
    before_two = binascii.crc_hqx(key[:-2], 0)
    before_one = binascii.crc_hqx(key[-2:-1], before_two)
    checksum = binascii.crc_hqx(key[-1:], before_one)
    return checksum | (before_one >> 8) << 16 | (before_two >> 8) << 24


def crc32(key: bytes) -> int:
    """Bits 16 to 30 of the CRC-32, as memcached clients have it: never above 32767."""
    return zlib.crc32(key) >> 16 & 0x7FFF


def crc32a(key: bytes) -> int:
    """The plain CRC-32."""
    return zlib.crc32(key)


@_remembering
def fnv1_64(key: bytes) -> int:
    """The low 32 bits of the 64-bit FNV-1."""
    value = _FNV_64_INIT & _MASK  # bits above 32 never reach those below
    for byte in key:
        value = value * _FNV_64_PRIME & _MASK ^ byte
    return value


@_remembering
def fnv1a_64(key: bytes) -> int:
    """FNV-1a over a 32-bit accumulator with the 64-bit constants cut to 32 bits."""
    value = _FNV_64_INIT & _MASK
    prime = _FNV_64_PRIME & _MASK
    for byte in key:
        value = (value ^ byte) * prime & _MASK
    return value


@_remembering
def fnv1_32(key: bytes) -> int:
    """The standard 32-bit FNV-1."""
    value = _FNV_32_INIT
    for byte in key:
        value = value * _FNV_32_PRIME & _MASK ^ byte
    return value


@_remembering
def fnv1a_32(key: bytes) -> int:
    """The standard 32-bit FNV-1a."""
    value = _FNV_32_INIT
    for byte in key:
        value = (value ^ byte) * _FNV_32_PRIME & _MASK
    return value


@_remembering
def hsieh(key: bytes) -> int:
    """Paul Hsieh's SuperFastHash from 0; the third byte of a tail of three is a signed char.

    An empty key, for which C leaves the token unset, is 0.
    """
    value = 0
    for low, high in _pairs_of_halves(key):
        value += low
        value = (value << 16 ^ high << 11 ^ value) & _MASK
        value = (value + (value >> 11)) & _MASK
    return _hsieh_avalanche(_hsieh_tail(value, key[len(key) & ~3 :]))


def _pairs_of_halves(key: bytes) -> list[tuple[int, int]]:
    halves = unpack_from(f"<{len(key) // 4 * 2}H", key)
    return list(zip(halves[::2], halves[1::2], strict=True))


def _hsieh_tail(value: int, tail: bytes) -> int:
    if len(tail) == 3:
        value += tail[0] | tail[1] << 8
        value ^= value << 16
        value = (value ^ _signed(tail[2]) << 18) & _MASK
        value += value >> 11
    elif len(tail) == 2:
        value += tail[0] | tail[1] << 8
        value = (value ^ value << 11) & _MASK
        value += value >> 17
    elif tail:
        value += tail[0]
        value = (value ^ value << 10) & _MASK
        value += value >> 1
    return value & _MASK


def _hsieh_avalanche(value: int) -> int:
    for left, right in ((3, 5), (4, 17), (25, 6)):
        value = (value ^ value << left) & _MASK
        value = (value + (value >> right)) & _MASK
    return value


@_remembering
def murmur(key: bytes) -> int:
    """MurmurHash2, read little-endian, seeded with 0xdeadbeef times the length: Dynomite's default."""
    size = len(key)
    words = size >> 2
    value = (0xDEAD_BEEF * size ^ size) & _MASK
    for word in unpack_from(f"<{words}I", key):
        word = word * _MURMUR_M & _MASK
        word ^= word >> 24
        value = (value * _MURMUR_M ^ word * _MURMUR_M) & _MASK
    if size & 3:
        value ^= int.from_bytes(key[words << 2 :], "little")
        value = value * _MURMUR_M & _MASK
    value = (value ^ value >> 13) * _MURMUR_M & _MASK
    return value ^ value >> 15


@_remembering
def jenkins(key: bytes) -> int:
    """Bob Jenkins's lookup3 `hashlittle` with initval 13.

    An empty key, for which C leaves the token unset, is the initial state, as in lookup3 itself.
    """
    return hashlittle(key, _JENKINS_INITVAL)


def hashlittle(key: bytes, initval: int) -> int:
    """lookup3's `hashlittle` (http://burtleburtle.net/bob/c/lookup3.c)."""
    a = b = c = (0xDEAD_BEEF + len(key) + initval) & _MASK
    if not key:
        return c
    padded = key + bytes(-len(key) % 12)
    words = unpack(f"<{len(padded) // 4}I", padded)
    for at in range(0, len(words) - 3, 3):
        a, b, c = _mix(a + words[at] & _MASK, b + words[at + 1] & _MASK, c + words[at + 2] & _MASK)
    return _final(a + words[-3] & _MASK, b + words[-2] & _MASK, c + words[-1] & _MASK)


def _rotate(value: int, bits: int) -> int:
    return (value << bits | value >> (32 - bits)) & _MASK


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    for first, second, third in ((4, 6, 8), (16, 19, 4)):
        a = (a - c) & _MASK ^ _rotate(c, first)
        c = (c + b) & _MASK
        b = (b - a) & _MASK ^ _rotate(a, second)
        a = (a + c) & _MASK
        c = (c - b) & _MASK ^ _rotate(b, third)
        b = (b + a) & _MASK
    return a, b, c


def _final(a: int, b: int, c: int) -> int:
    c = ((c ^ b) - _rotate(b, 14)) & _MASK
    a = ((a ^ c) - _rotate(c, 11)) & _MASK
    b = ((b ^ a) - _rotate(a, 25)) & _MASK
    c = ((c ^ b) - _rotate(b, 16)) & _MASK
    a = ((a ^ c) - _rotate(c, 4)) & _MASK
    b = ((b ^ a) - _rotate(a, 14)) & _MASK
    return ((c ^ b) - _rotate(b, 24)) & _MASK


HASHES: Mapping[str, Hash] = MappingProxyType(
    {
        "one_at_a_time": one_at_a_time,
        "md5": md5,
        "crc16": crc16,
        "crc32": crc32,
        "crc32a": crc32a,
        "fnv1_64": fnv1_64,
        "fnv1a_64": fnv1a_64,
        "fnv1_32": fnv1_32,
        "fnv1a_32": fnv1a_32,
        "hsieh": hsieh,
        "murmur": murmur,
        "jenkins": jenkins,
    }
)
"""Every hash by the name that Dynomite's configuration gives it."""
