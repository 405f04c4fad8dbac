"""Dynomite's hashes give the positions that its C code gives."""

import pytest

from trio_dynomite.topology.hashes import HASHES, crc16, hashlittle, murmur

COLUMNS = (
    "one_at_a_time", "md5", "crc16", "crc32", "crc32a", "fnv1_64",
    "fnv1a_64", "fnv1_32", "fnv1a_32", "hsieh", "murmur", "jenkins",
)  # fmt: skip
VECTORS = {
    b"apple": (
        2297466611, 3195025439, 3662830516, 10542, 2838417488, 473199127,
        1488911807, 67176023, 280767167, 3738850110, 4142305122, 1442444624,
    ),
    b"foo": (
        596015325, 3675831724, 205303702, 3187, 2356372769, 1805727027,
        4275688823, 1083137555, 2851307223, 1993659431, 3303027599, 2583187353,
    ),
    b"a": (
        3392050242, 3111502092, 31879, 26807, 3904355907, 2248259518,
        2248273036, 84696446, 3826002220, 2472816263, 1262581116, 3768813200,
    ),
    b"key_1": (
        3621110121, 1811398844, 1882091230, 5093, 333816846, 4257778378,
        2513062088, 3865414090, 1673377000, 3492290774, 2176450355, 3498207732,
    ),
    b"user1": (
        1219215491, 1591855396, 1389748138, 3153, 2354152789, 1518405085,
        1653384025, 344153533, 2692558073, 1467421392, 766992236, 3252678065,
    ),
    b"0": (
        1849449579, 2216742351, 13907, 29915, 4108050209, 2248259567,
        2248252591, 84696367, 890022063, 3246951466, 2680312085, 3556424314,
    ),
}  # fmt: skip
MURMURS = {
    b"": 0,
    b"1": 1129055870,
    b"ab": 3820310011,
    b"abc": 2064434216,
    b"abcd": 4016735919,
    b"beat": 734504955,
    b"carrot": 3802834688,
    b"KEY_VALUE_0": 19374756,
}
# one_at_a_time, hsieh, murmur of bytes above 127: the C functions compiled where `char` is signed.
HIGH_BYTES = {
    b"\xf4": (4154767125, 1306901609, 142313039),
    b"\xe9\xc4": (2021362629, 3912168300, 1462294965),
    b"\xde\xb9\x94": (1893671578, 4178959391, 4018923924),
    b"\xb2\x8dhC\x1e\xf9\xd4": (3558639024, 2615661252, 2006090654),
    b"pK&\x01\xdc\xb7\x92mH#\xfe\xd9\xb4": (4285003689, 1169534963, 1280000644),
}


@pytest.mark.parametrize("column", range(len(COLUMNS)), ids=COLUMNS)
@pytest.mark.parametrize("key", VECTORS, ids=bytes.decode)
def test_every_hash_gives_dynomites_value(key: bytes, column: int) -> None:
    assert HASHES[COLUMNS[column]](key) == VECTORS[key][column]


def test_the_hashes_are_dynomites_without_murmur3() -> None:
    assert set(HASHES) == set(COLUMNS)


@pytest.mark.parametrize("key", MURMURS, ids=bytes.decode)
def test_murmur_gives_the_values_of_dynomites_hash_tool(key: bytes) -> None:
    assert murmur(key) == MURMURS[key]


@pytest.mark.parametrize("key", HIGH_BYTES, ids=bytes.hex)
def test_bytes_above_127_are_signed_where_c_has_them_signed(key: bytes) -> None:
    assert (
        HASHES["one_at_a_time"](key),
        HASHES["hsieh"](key),
        HASHES["murmur"](key),
    ) == HIGH_BYTES[key]


def test_jenkins_agrees_with_lookup3s_own_self_test_beyond_one_block() -> None:
    assert hashlittle(b"Four score and seven years ago", 0) == 0x17770551
    assert hashlittle(b"Four score and seven years ago", 1) == 0xCD628161


def _crc16_as_in_c(key: bytes) -> int:
    crc = 0
    for byte in key:
        row = ((crc >> 8 ^ byte) & 0xFF) << 8
        for _ in range(8):
            row = row << 1 ^ (0x1021 if row & 0x8000 else 0)
        crc = (crc << 8 ^ row & 0xFFFF) & 0xFFFF_FFFF
    return crc


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 17])
def test_crc16_keeps_what_c_shifts_above_sixteen_bits(size: int) -> None:
    key = bytes(255 - 31 * at & 0xFF for at in range(size))
    assert crc16(key) == _crc16_as_in_c(key)


def test_the_hsieh_of_an_empty_key_is_zero() -> None:
    assert HASHES["hsieh"](b"") == 0


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("key", [b"", b"\xff" * 3, b"x" * 1000, bytes(range(256))])
def test_positions_are_unsigned_32_bit_numbers_and_repeatable(name: str, key: bytes) -> None:
    first = HASHES[name](key)
    assert 0 <= first < 2**32
    assert HASHES[name](bytes(bytearray(key))) == first
