"""What real servers dump, of every type code there is: payloads in hexadecimal, and what was in them.

Made by Redis 6.2.14, Redis 7.0.15 and Valkey 9.1.2, or cut out of the files in Redis's own tests and given a
footer. Of Redis 7.4, which is not to be had here, two were put together by hand after its `rdb.c`.
"""

LIST = [b"a", b"", b"-1", b"12", b"13", b"300", b"-70000", b"9000000", b"5000000000", b"x" * 70, b"y" * 300]
LONG_LIST = [b"e0", b"e1", b"e2", b"z" * 9000]
OLD_LIST = [b"1", b"2", b"3", b"a", b"b", b"c", b"100000", b"6000000000"]
INTEGERS = [b"-2", b"1", b"70000"]
SET = [b"-5000", b"1", b"a"]
SORTED_SET = [(b"3", -float("inf")), (b"b", -1.5), (b"d", 0.1), (b"a", 1.0), (b"c", float("inf"))]
LONG_SORTED_SET = [(b"m" * 70, 2.5)]
OLD_SORTED_SET = [
    *[(b"a", 1.0), (b"aa", 10.0), (b"aaa", 100.0), (b"aaaa", 1000.0), (b"b", 2.0), (b"bb", 20.0)],
    *[(b"bbb", 200.0), (b"bbbb", 5e9), (b"c", 3.0), (b"cc", 30.0), (b"ccc", 300.0), (b"cccc", 123456789.0)],
]
HASH = [(b"f", b"v", 0), (b"1", b"2", 0), (b"n", b"-300", 0)]
LONG_HASH = [(b"f", b"v" * 70, 0)]
OLD_HASH = [(b"f1", b"v1", 0), (b"f2", b"v2", 0)]
EXPIRING_HASH = [(b"f", b"v", 0), (b"g", b"w", 4102444800000)]

PAYLOADS: list[tuple[str, str, str, object]] = [
    (
        "Redis 6.2: list, code 14",
        "list",
        "0e01c3404741a91fa9010000790000000b00000161030002feff03fd02fe0d03c02c0104f090eefe0b05d040"
        "54890006e000f2052a202a04000a404678e03c000349412c79e0ff00e019000179ff0900be889ba0b1a6510f",
        LIST,
    ),
    (
        "Redis 6.2: list, long, code 14",
        "list",
        "0e021717000000120000000300000265300402653104026532ffc3407b63360d362300000a00000001000063"
        "287ae0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00"
        "e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff"
        "00e0ff00e0ff00e0ff00e0ff00e0ff00e00d00017aff09005d99e85119ee3238",
        LONG_LIST,
    ),
    (
        "Redis 6.2: set of integers, code 11",
        "set",
        "0b140400000003000000feffffff01000000701101000900e0a02c3498b77c8a",
        INTEGERS,
    ),
    (
        "Redis 6.2: set, code 2",
        "set",
        "0203c178ecc00101610900287635d56fba2b66",
        SET,
    ),
    (
        "Redis 6.2: sorted set, code 12",
        "zset",
        "0cc338404104410000003b20031b0a0000f402042d696e6606016203042d312e350601640313302e3130e005"
        "000a3115016103f20201630303202d00ff090084e3c128f8e1434d",
        SORTED_SET,
    ),
    (
        "Redis 6.2: sorted set, long, code 5",
        "zset",
        "0501c3094046016d6de03900016d6d000000000000044009009d747d762ebb41d6",
        LONG_SORTED_SET,
    ),
    (
        "Redis 6.2: hash, code 13",
        "hash",
        "0d1c1c00000017000000060000016603017603f202f302016e03c0d4feff0900bd2ea2ab69f7e514",
        HASH,
    ),
    (
        "Redis 6.2: hash, long, code 4",
        "hash",
        "04010166c3094046017676e03900017676090022e9abc65674172d",
        LONG_HASH,
    ),
    (
        "Redis 7.0: list, code 18",
        "list",
        "120102c3404141a41fa40100000b008161028001dfff020c010d01c12c02f290eefe04f3405489000504f400"
        "f2052a2023040009e04678e03c000348e12c79e0ff00e01a000202aeff0a009d979665bef018f7",
        LIST,
    ),
    (
        "Redis 7.0: list, long, code 18",
        "list",
        "12020213130000000300826530038265310382653203ff02c3407a633607362300000100f0282006007ae0ff"
        "00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0"
        "ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00"
        "e0ff00e0ff00e0ff00e0ff00e00e000246adff0a00afa52e7dadfa6a34",
        LONG_LIST,
    ),
    (
        "Redis 7.0: sorted set, code 17",
        "zset",
        "11c3343d1e3d0000000a000301842d696e6605816202842d312e350581640293302e3130e005000a31148161"
        "02010181630283202d0104ff0a00c1451d70aba7ba85",
        SORTED_SET,
    ),
    (
        "Redis 7.0: hash, code 16",
        "hash",
        "101717000000060081660281760201010201816e02ded402ff0a00bda8666ca24dd052",
        HASH,
    ),
    (
        "Valkey 9.1: list, code 18",
        "list",
        "120102c3404141a41fa40100000b008161028001dfff020c010d01c12c02f290eefe04f3405489000504f400"
        "f2052a2023040009e04678e03c000348e12c79e0ff00e01a000202aeff500052bd5ff420a27f03",
        LIST,
    ),
    (
        "Valkey 9.1: set, code 20",
        "set",
        "14101000000003008161020101f178ec03ff5000bdaceeac9f87dc66",
        SET,
    ),
    (
        "Valkey 9.1: sorted set, code 17",
        "zset",
        "112d2d0000000a000301842d696e6605816202842d312e350581640283302e3104816102010181630283696e"
        "6604ff5000d26336372c8cf94e",
        SORTED_SET,
    ),
    (
        "Valkey 9.1: hash with an expiring field, code 22",
        "hash",
        "160201660176ffffffffffffffff0167017700d8c32cbb030000500032c7385dc933de7e",
        EXPIRING_HASH,
    ),
    (
        "Redis's encodings.rdb: zset, code 3",
        "zset",
        "030c026262023230026363023330036262620332303004626262620a35303030303030303030036363630333"
        "3030046363636309313233343536373839016101310261610231300162013203616161033130300163013304"
        "616161610431303030060075f14ed4e039cac1",
        OLD_SORTED_SET,
    ),
    (
        "Redis's encodings.rdb: list_zipped, code 10",
        "list",
        "0a303000000025000000080000c0010004c0020004c0030004016103016203016303d0a086010006e000bca0"
        "6501000000ff0600f46d1d0245d79dce",
        OLD_LIST,
    ),
    (
        "Redis's encodings.rdb: list, code 1",
        "list",
        "0118c001c002c003016101620163c2a08601000a36303030303030303030c001c002c003016101620163c2a0"
        "8601000a36303030303030303030c001c002c003016101620163c2a08601000a363030303030303030300600"
        "56e19239ed3a68cf",
        3 * OLD_LIST,
    ),
    (
        "Redis's hash-zipmap.rdb: hash, code 9",
        "hash",
        "0910020266310200763102663202007632ff0600f1565ce5de094b18",
        OLD_HASH,
    ),
    (
        "Redis 7.4: hash with an expiring field, long, code 24",
        "hash",
        "1800d8c32cbb03000002000166017601016701770c00a0e88cc03ec3d175",
        EXPIRING_HASH,
    ),
    (
        "Redis 7.4: hash with an expiring field, code 25",
        "hash",
        "1900d8c32cbb0300001f1f00000006008166028176020001816702817702f400d8c32cbb03000009ff0c009c"
        "055a768ece861d",
        EXPIRING_HASH,
    ),
]
"""(Where from, type, payload, what it holds.)"""

STREAMS = {
    "Redis 6.2: stream": (
        "0f011000000000000000050000000000000001c34048404e124e0000001f0003010101020181610281620200"
        "20090000200140110205010320092019057802dff90205600b0bdfff02010181630281790206201a402c0481"
        "71028172201e00ff030701020167070002000000000000000500000000000000016e1d2f0ca2010000010000"
        "00000000000700000000000000006e1d2f0ca20100000102036f6e656e1d2f0ca20100000100000000000000"
        "0500000000000000010374776f6e1d2f0ca20100000100000000000000070000000000000000016807010000"
        "0900ae8e69e221d453e3"
    ),
    "Redis 7.0: stream": (
        "13011000000000000000050000000000000001c34048404e124e0000001f0003010101020181610281620200"
        "20090000200140110205010320092019057802dff90205600b0bdfff02010181630281790206201a402c0481"
        "71028172201e00ff0307010501050304020167070081ffffffffffffffff0200000000000000050000000000"
        "000001751d2f0ca20100000100000000000000070000000000000000761d2f0ca20100000102036f6e65751d"
        "2f0ca201000001000000000000000500000000000000010374776f761d2f0ca2010000010000000000000007"
        "00000000000000000168070181ffffffffffffffff00000a008771f4c5de50b442"
    ),
    "Valkey 9.1: stream": (
        "15011000000000000000050000000000000001c34048404e124e0000001f0003010101020181610281620200"
        "20090000200140110205010320092019057802dff90205600b0bdfff02010181630281790206201a402c0481"
        "71028172201e00ff0307010501050304020167070081ffffffffffffffff0200000000000000050000000000"
        "0000017b1d2f0ca201000001000000000000000700000000000000007b1d2f0ca20100000102036f6e657b1d"
        "2f0ca20100007b1d2f0ca201000001000000000000000500000000000000010374776f7b1d2f0ca20100007b"
        "1d2f0ca201000001000000000000000700000000000000000168070181ffffffffffffffff00005000efbb6c"
        "7aee15c807"
    ),
}
"""One stream in three forms: four entries of which the second is deleted, two groups, two readers."""
