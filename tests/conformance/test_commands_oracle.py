"""The commands against a real Valkey 9: the same requests must give the same bytes.

Every request goes to our handlers and to a server of the session's own, in RESP2 and RESP3. The keyspace
under our handlers comes from `make_subject`; more factories join its list as engines come to be.

Known differences, kept out of the comparison on purpose:

* OBJECT IDLETIME: our reads do not make a key fresh.
* OBJECT REFCOUNT: Valkey shares the integers below 10,000 between keys, we share nothing.
* OBJECT ENCODING: of short texts Valkey's choice also depends on APPEND and SETRANGE before.
* DUMP: we never compress, and write an older RDB version, so only the value in the payload is compared.
* Times: TTL and its kind may differ by what passes between the two servers.
"""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conformance.conversations import CONVERSATIONS
from tests.conformance.oracle import OURS_ALONE, Connection, answers, assert_equal
from tests.conformance.subjects import Subject, fake_subject, store_subject
from trio_dynomite.commands.introspection import command, command_info
from trio_dynomite.commands.patterns import matches
from trio_dynomite.commands.table import ROWS, SUBCOMMANDS, lookup, named
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import error

ordinary = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=150,
)


@pytest.fixture(params=[fake_subject, store_subject])
def make_subject(request: pytest.FixtureRequest) -> Callable[[int], Subject]:
    factory: Callable[[int], Subject] = request.param
    return factory


# ---- random conversations ---------------------------------------------------------------------------

LOOKS = [look for key in (b"a", b"b") for look in ((b"GET", key), (b"PTTL", key))]
CONDITIONS = (b"GT", b"LT", b"XX", b"NX", b"nx", b"LT", b"GT", b"xx", b"lt", b"gt")


def run_both(subject: Subject, valkey: Connection, request: tuple[bytes, ...]) -> None:
    if request[0] == b"PLANT" and subject.plant is None:
        return
    if request[0] == b"PLANT" and subject.plant is not None:
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
    make_subject: Callable[[int], Subject],
    valkey: Connection,
    resp: int,
    conversation: list[tuple[bytes, ...]],
) -> None:
    valkey(b"FLUSHALL")
    subject = make_subject(resp)
    for request in conversation:
        if request[0] == b"PLANT":
            run_both(subject, valkey, request)
        for asked, ours, theirs in answers(subject, valkey, [request, *LOOKS][request[0] == b"PLANT" :]):
            assert_equal(asked, ours, theirs)


@ordinary
@given(left=st.text("abcd", max_size=60), right=st.text("abcd", max_size=60), least=st.integers(-1, 5))
def test_lcs_names_the_same_subsequence(
    make_subject: Callable[[int], Subject], valkey: Connection, resp: int, left: str, right: str, least: int
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
    make_subject: Callable[[int], Subject], valkey: Connection, resp: int, start: str, step: str
) -> None:
    subject = make_subject(resp)
    run_both(subject, valkey, (b"SET", b"f", start.encode()))
    run_both(subject, valkey, (b"INCRBYFLOAT", b"f", step.encode()))
    run_both(subject, valkey, (b"GET", b"f"))


@pytest.mark.parametrize("size", [0, 1, 63, 64, 16383, 16384, 100_000])
@pytest.mark.parametrize("compress", [b"yes", b"no"])
def test_payloads_are_restored_across_servers(
    make_subject: Callable[[int], Subject], valkey: Connection, resp: int, size: int, compress: bytes
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
    make_subject: Callable[[int], Subject], valkey: Connection, resp: int, tail: bytes, ttl: bytes
) -> None:
    subject = make_subject(resp)
    payload = valkey(b"DUMP", b"nothing") and _payload(valkey, b"300")
    for damaged in [payload, payload[:-1], payload[:-1] + b"!", b""]:
        run_both(subject, valkey, (b"SET", b"key", b"old"))
        run_both(subject, valkey, (b"RESTORE", b"key", ttl, damaged, *tail.split()))
        if ttl != b"1":
            run_both(subject, valkey, (b"GET", b"key"))
            run_both(subject, valkey, (b"PTTL", b"key"))


def _payload(valkey: Connection, value: bytes) -> bytes:
    valkey(b"SET", b"made", value)
    return valkey(b"DUMP", b"made").partition(b"\r\n")[2][:-2]


@pytest.mark.parametrize(
    ("value", "encoding"), [(b"12", "int"), (b"012", "embstr"), (b"x" * 44, "embstr"), (b"x" * 200, "raw")]
)
def test_a_set_string_has_the_same_encoding(
    make_subject: Callable[[int], Subject], valkey: Connection, resp: int, value: bytes, encoding: str
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
def test_globs_match_the_same_keys(valkey: Connection, pattern: str, text: str) -> None:
    valkey(b"FLUSHALL")
    valkey(b"SET", text.encode(), b"")
    found = valkey(b"KEYS", pattern.encode()) != b"*0\r\n"
    assert matches(pattern.encode(), text.encode()) == found


# ---- the table --------------------------------------------------------------------------------------

LEAVES = [name for name in ROWS if name.decode() not in {*SUBCOMMANDS, *OURS_ALONE}] + [
    row.name.encode() for rows in SUBCOMMANDS.values() for row in rows.values() if row.name not in OURS_ALONE
]


@pytest.mark.parametrize("name", LEAVES, ids=bytes.decode)
def test_command_info_and_docs_are_valkeys(valkey: Connection, resp: int, name: bytes) -> None:
    for subcommand in (b"INFO", b"DOCS"):
        request = [b"COMMAND", subcommand, name]
        assert command(request, resp) == valkey(*request)


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_a_containers_own_fields_are_valkeys(valkey: Connection, resp: int, name: str) -> None:
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
def test_command_answers_the_same(valkey: Connection, resp: int, request_line: bytes) -> None:
    args = [b"COMMAND", *request_line.split()]
    try:
        lookup(args)
        ours = command(args, resp)
    except CommandError as refusal:
        ours = error(str(refusal))
    assert ours == valkey(*args)
