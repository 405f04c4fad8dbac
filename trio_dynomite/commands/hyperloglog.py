"""The bytes of a HyperLogLog, as Redis's `hyperloglog.c` makes them: header, hash, registers, estimate.

A HyperLogLog is a string: `HYLL`, the encoding, three zeros, the cached cardinality (eight bytes, whose top
bit says that it is stale), and 16384 registers of six bits. Here they are worked on as one byte each
("registers" below): two of those are merged, and the dense encoding is packed and unpacked, a whole string
at a time. The sparse encoding is in `hyperloglog_sparse.py`.
"""

import math
from binascii import a2b_base64, b2a_base64

REGISTERS = 16384
HEADER_SIZE = 16
DENSE_SIZE = HEADER_SIZE + REGISTERS * 6 // 8
MAGIC = b"HYLL"
DENSE, SPARSE = 0, 1

_SEED = 0xADC8_3B19
_M = 0xC6A4_A793_5BD1_E995
_MASK = (1 << 64) - 1
_HASH_BITS = 50
_STALE = 0x80
_STALE_AT = HEADER_SIZE - 1
_ALPHA_INF = 0.721347520444481703680

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_FROM_BASE64 = bytes(max(_BASE64.find(byte), 0) for byte in range(256))
_TO_BASE64 = _BASE64 * 4
_LOW_BITS = int.from_bytes(b"\x01" * REGISTERS, "little")
_HIGH_BITS = _LOW_BITS << 7


def murmur64a(data: bytes, seed: int = _SEED) -> int:
    """MurmurHash64A, read little-endian (https://github.com/aappleby/smhasher, `MurmurHash2.cpp`)."""
    size = len(data)
    value = (seed ^ size * _M) & _MASK
    whole = size & ~7
    for at in range(0, whole, 8):
        word = int.from_bytes(data[at : at + 8], "little") * _M & _MASK
        word = (word ^ word >> 47) * _M & _MASK
        value = (value ^ word) * _M & _MASK
    if size & 7:
        value = (value ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    value = (value ^ value >> 47) * _M & _MASK
    return value ^ value >> 47


def place(element: bytes) -> tuple[int, int]:
    """The register of `element`, and the rank that it asks for there: 1 to 51."""
    value = murmur64a(element)
    rest = value >> 14 | 1 << _HASH_BITS
    return value & REGISTERS - 1, (rest & -rest).bit_length()


def is_hyperloglog(value: bytes) -> bool:
    """Has the string `value` the header, and if dense the length, of a HyperLogLog?"""
    if len(value) < HEADER_SIZE or value[:4] != MAGIC or value[4] > SPARSE:
        return False
    return value[4] == SPARSE or len(value) == DENSE_SIZE


def cached(value: bytes) -> int | None:
    """The cardinality in the header; None when it is stale."""
    if value[_STALE_AT] & _STALE:
        return None
    return int.from_bytes(value[8:HEADER_SIZE], "little")


def stale(value: bytes) -> bytes:
    """`value` with its cached cardinality marked as out of date."""
    top = value[_STALE_AT]
    if top & _STALE:
        return value
    return b"".join((value[:_STALE_AT], bytes((top | _STALE,)), value[HEADER_SIZE:]))


def unpack(dense: bytes) -> bytes:
    """The registers of a dense HyperLogLog.

    Read backwards, three bytes hold four registers from the top bits down, just as in Base64."""
    text = b2a_base64(dense[: HEADER_SIZE - 1 : -1], newline=False)
    return text.translate(_FROM_BASE64)[::-1]


def pack(header: bytes, registers: bytes) -> bytes:
    """A dense HyperLogLog of these registers; the rest of the header stays."""
    body = a2b_base64(registers[::-1].translate(_TO_BASE64))[::-1]
    return b"".join((MAGIC, bytes((DENSE,)), header[5:HEADER_SIZE], body))


def merge(left: bytes, right: bytes) -> bytes:
    """The greater of each pair of registers: sixteen thousand comparisons in one subtraction.

    The top bit of every byte is free, registers being below 64, and takes the borrow."""
    a, b = int.from_bytes(left, "little"), int.from_bytes(right, "little")
    not_less = (a | _HIGH_BITS) - b & _HIGH_BITS
    from_left = not_less - (not_less >> 7)
    return (a & from_left | b & ~from_left).to_bytes(REGISTERS, "little")


def raise_register(dense: bytearray, index: int, rank: int) -> bool:
    """Raise one register of a dense HyperLogLog to `rank`; was it lower?"""
    at, shift = HEADER_SIZE + index * 6 // 8, index * 6 % 8
    pair = int.from_bytes(dense[at : at + 2], "little")
    if pair >> shift & 63 >= rank:
        return False
    pair = pair & ~(63 << shift) | rank << shift
    dense[at : at + 2] = pair.to_bytes(2, "little")[: len(dense) - at]
    return True


def estimate(registers: bytes) -> int:
    """How many different elements there were (Ertl, "New cardinality estimation algorithms for HyperLogLog
    sketches", arXiv:1702.01284)."""
    size = float(REGISTERS)
    histogram = _histogram(registers)
    z = size * _tau((size - histogram[-1]) / size)
    for count in histogram[_HASH_BITS:0:-1]:
        z = (z + count) * 0.5
    z += size * _sigma(histogram[0] / size)
    raw = _ALPHA_INF * size * size / z
    whole = int(raw)
    return whole + (raw - whole >= 0.5)


def _histogram(registers: bytes) -> list[int]:
    """How many registers are 0, 1 … 51. Most are alike: those that were counted are taken out."""
    counts = [0] * (_HASH_BITS + 2)
    for rank in range(len(counts)):
        rest = registers.translate(None, bytes((rank,)))
        counts[rank] = len(registers) - len(rest)
        if not rest:
            break
        registers = rest
    return counts


def _sigma(x: float) -> float:
    if x == 1.0:
        return math.inf
    y, z, before = 1.0, x, math.nan
    while before != z:
        x *= x
        before = z
        z += x * y
        y += y
    return z


def _tau(x: float) -> float:
    if x in (0.0, 1.0):
        return 0.0
    y, z, before = 1.0, 1.0 - x, math.nan
    while before != z:
        x = math.sqrt(x)
        before = z
        y *= 0.5
        z -= math.pow(1.0 - x, 2) * y
    return z / 3
