"""DUMP and RESTORE between us and a real Valkey 9, in both directions, for every type.

A value is made in Valkey, dumped there, restored here, dumped here and restored there: all three answer the
same to the commands that read it. Known loss: when a consumer of a stream last got something, which the form
that we write has no place for. Left out: a time to live that reaches beyond 64 bits, which we refuse; Valkey
says OK, and keeps nothing.
"""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conformance.conversations import GENERIC
from tests.conformance.dump_requests import DUMPS
from tests.conformance.oracle import Connection, assert_equal
from tests.conformance.shape import Tree, in_order
from tests.conformance.subjects import Subject, fake_subject, store_subject

Request = tuple[bytes, ...]

TEXTS = st.one_of(
    st.integers(-200, 200).map(lambda n: b"%d" % n),
    st.sampled_from([7, 8, 12, 13, 15, 16, 23, 24, 31, 32, 63])
    .flatmap(lambda bits: st.sampled_from([1 << bits, (1 << bits) - 1, -(1 << bits), -(1 << bits) - 1]))
    .map(lambda n: b"%d" % n),
    st.binary(max_size=20),
    st.sampled_from([b"", b"x" * 63, b"y" * 64, b"ab" * 60, b"z" * 4095, b"w" * 9000, b"01", b"-0"]),
)
SCORES = st.one_of(
    st.floats(allow_nan=False).map(lambda x: repr(x).encode()),
    st.integers(-100, 100).map(lambda n: b"%d" % n),
)
SIZES = st.sampled_from([1, 2, 5, 20, 150])
LATER = [b"4102444800000", b"5102444800000"]


def many(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return SIZES.flatmap(lambda size: st.lists(parts, min_size=1, max_size=size))


def flat(drawn: list[Any]) -> list[bytes]:
    return [piece for parts in drawn for piece in (parts if isinstance(parts, tuple) else (parts,))]


def with_deadlines(fields: list[bytes]) -> list[Request]:
    expiring = dict.fromkeys(fields[::2][::3])
    return [
        (b"HSET", b"key", *fields),
        *[(b"HPEXPIREAT", b"key", LATER[len(f) % 2], b"FIELDS", b"1", f) for f in expiring],
    ]


STRINGS = TEXTS.map(lambda text: [(b"SET", b"key", text)])
LISTS = many(TEXTS).map(lambda elements: [(b"RPUSH", b"key", *elements)])
SETS = many(TEXTS).map(lambda members: [(b"SADD", b"key", *members)])
INTEGERS = many(st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 9)).map(
    lambda numbers: [(b"SADD", b"key", *[b"%d" % number for number in numbers])]
)
SORTED_SETS = many(st.tuples(SCORES, TEXTS)).map(lambda pairs: [(b"ZADD", b"key", *flat(pairs))])
HASHES = many(st.tuples(TEXTS, TEXTS)).map(lambda pairs: [(b"HSET", b"key", *flat(pairs))])
TIMED_HASHES = many(st.tuples(TEXTS, TEXTS)).map(flat).map(with_deadlines)

ENTRIES = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=3) | st.just([(b"a", b"1"), (b"b", b"2")])
ADDED = st.lists(ENTRIES, min_size=1, max_size=60).map(
    lambda entries: [
        (b"XADD", b"key", b"%d-%d" % (100 + number // 3, number), *flat(entry))
        for number, entry in enumerate(entries, 1)
    ]
)
READ: list[Request] = [
    (b"XGROUP", b"CREATE", b"key", b"all", b"0"),
    (b"XGROUP", b"CREATE", b"key", b"new", b"$"),
    (b"XREADGROUP", b"GROUP", b"all", b"one", b"COUNT", b"3", b"STREAMS", b"key", b">"),
    (b"XREADGROUP", b"GROUP", b"all", b"two", b"COUNT", b"5", b"STREAMS", b"key", b">"),
    (b"XGROUP", b"CREATECONSUMER", b"key", b"new", b"idle"),
    (b"XACK", b"key", b"all", b"100-1", b"101-4"),
    (b"XDEL", b"key", b"100-2", b"101-5", b"103-11"),
    (b"XTRIM", b"key", b"MAXLEN", b"40"),
    (b"XSETID", b"key", b"500-1", b"ENTRIESADDED", b"99", b"MAXDELETEDID", b"104-1"),
]
STREAMS = st.tuples(ADDED, st.lists(st.sampled_from(READ), max_size=12)).map(
    lambda pair: [*pair[0], *pair[1]]
)
VALUES = st.one_of(STRINGS, LISTS, SETS, INTEGERS, SORTED_SETS, HASHES, TIMED_HASHES, STREAMS)

LOOKS: dict[bytes, list[Request]] = {
    b"none": [(b"EXISTS",)],
    b"string": [(b"GET",)],
    b"list": [(b"LRANGE", b"0", b"-1")],
    b"set": [(b"SMEMBERS",)],
    b"zset": [(b"ZRANGE", b"0", b"-1", b"WITHSCORES")],
    b"hash": [(b"HGETALL",)],
    b"stream": [(b"XRANGE", b"-", b"+"), (b"XINFO", b"GROUPS"), (b"XPENDING", b"all"), (b"XPENDING", b"new")],
}


@pytest.fixture(params=[fake_subject, store_subject])
def make_subject(request: pytest.FixtureRequest) -> Callable[[int], Subject]:
    factory: Callable[[int], Subject] = request.param
    return factory


def look(server: Callable[..., bytes], key: bytes = b"key") -> list[Tree | bytes]:
    """What the commands that read `key` answer."""
    kind = server(b"TYPE", key)
    seen: list[Tree | bytes] = [kind]
    for name, *words in LOOKS[kind[1:-2]]:
        request = (name, *words, key) if name == b"XINFO" else (name, key, *words)
        seen.append(in_order(request, server(*request)))
    if kind == b"+hash\r\n":
        for field in {field for (_, field), _ in seen[1][1]}:  # type: ignore[index, misc]
            seen.append(field + deadline(server, key, field))
    if kind == b"+stream\r\n":
        seen.append(counters(server(b"XINFO", b"STREAM", key)))
    return seen[:2] + sorted(seen[2:], key=repr)


def deadline(server: Callable[..., bytes], key: bytes, field: bytes) -> bytes:
    """When the field expires; of a server that knows no such thing: never."""
    told = server(b"HPEXPIRETIME", key, b"FIELDS", b"1", field)
    return b"*1\r\n:-1\r\n" if told.startswith(b"-ERR unknown command") else told


def counters(reply: bytes) -> bytes:
    """What XINFO STREAM tells, but how the entries are kept and what the first one ever was."""
    kept = reply.index(b"radix-tree-keys"), reply.index(b"last-generated-id")
    reply = reply[: kept[0]] + reply[kept[1] :]
    first = reply.index(b"recorded-first-entry-id"), reply.index(b"groups")
    return reply[: first[0]] + reply[first[1] :]


def payload(reply: bytes) -> bytes:
    return reply.partition(b"\r\n")[2][:-2]


CONVERSATIONS = st.lists(st.sampled_from([*DUMPS, *GENERIC]), min_size=1, max_size=3).flatmap(
    lambda chosen: st.lists(st.one_of(*DUMPS, *chosen), min_size=5, max_size=20)
)


@settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=100,
)
@given(value=VALUES)
def test_values_go_from_server_to_server(
    make_subject: Callable[[int], Subject], valkey: Connection, resp: int, value: list[Request]
) -> None:
    valkey(b"FLUSHALL")
    subject = make_subject(resp)
    for request in value:
        valkey(*request)
    assert subject(b"RESTORE", b"key", b"0", payload(valkey(b"DUMP", b"key"))) == b"+OK\r\n"
    seen = look(valkey)
    assert look(subject) == seen
    assert valkey(b"RESTORE", b"key", b"0", payload(subject(b"DUMP", b"key")), b"REPLACE") == b"+OK\r\n"
    assert look(valkey) == seen


@settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=60,
)
@given(conversation=CONVERSATIONS)
def test_restored_keys_get_the_same_replies(
    make_subject: Callable[[int], Subject], valkey: Connection, resp: int, conversation: list[Request]
) -> None:
    valkey(b"FLUSHALL")
    subject = make_subject(resp)
    for request in conversation:
        if request[0] == b"PLANT":
            continue
        assert_equal(request, subject(*request), valkey(*request))
        for key in (b"a", b"b"):
            assert_equal((b"PTTL", key), subject(b"PTTL", key), valkey(b"PTTL", key))
            assert look(subject, key) == look(valkey, key), request


@pytest.mark.parametrize("compress", [b"yes", b"no"])
def test_compressed_payloads_are_read(
    make_subject: Callable[[int], Subject], valkey: Connection, resp: int, compress: bytes
) -> None:
    valkey(b"CONFIG", b"SET", b"rdbcompression", compress)
    for number, request in enumerate(
        [
            (b"RPUSH", b"key", *[b"element" * 9] * 300),
            (b"HSET", b"key", b"f" * 100, b"v" * 10_000),
            (b"ZADD", b"key", *flat([(b"%d" % n, b"member %d" % n) for n in range(100)])),
        ]
    ):
        valkey(b"DEL", b"key")
        valkey(*request)
        subject = make_subject(resp)
        assert subject(b"RESTORE", b"key", b"0", payload(valkey(b"DUMP", b"key"))) == b"+OK\r\n", number
        assert look(subject) == look(valkey)
    valkey(b"CONFIG", b"SET", b"rdbcompression", b"no")
