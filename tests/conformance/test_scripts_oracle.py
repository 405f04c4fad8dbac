"""Scripts and functions against a real Valkey 9: the same requests must give the same bytes.

Known differences, kept out of the comparison on purpose:

* The order in which Lua hands out the names of a table: Valkey's Lua mixes them differently.
* `redis.REDIS_VERSION` and its kind are those that this node claims; the two that are equal are compared.
* Where an error is named that a C function raised which Lua's C called: `string.gsub('x', 'x', error)`.
* FUNCTION DUMP: we never compress, and write an older RDB version; each server restores the other's.
* SCRIPT DEBUG YES: there is no debugger here.
"""

from collections.abc import Callable
from hashlib import sha1
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conformance.conversations import GENERIC, STRINGS
from tests.conformance.function_requests import EVALS, FUNCTIONS, SCRIPTS, library, registered
from tests.conformance.hash_requests import HASHES
from tests.conformance.oracle import Connection
from tests.conformance.script_cases import CASES
from tests.conformance.script_requests import SCRIPTS as CODECS
from tests.conformance.script_subject import ScriptSubject
from tests.conformance.shape import Tree, trees
from tests.conformance.subjects import fake_subject, store_subject
from trio_dynomite.commands.table import lookup

ordinary = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=150,
)


@pytest.fixture
def subject(resp: int) -> ScriptSubject:
    return ScriptSubject(fake_subject(resp).ks)


@pytest.mark.parametrize("about", CASES)
def test_a_script_gets_the_same_reply(subject: ScriptSubject, valkey: Connection, about: str) -> None:
    for script in CASES[about]:
        request = (b"EVAL", script.encode("latin1"), b"0")
        assert subject(*request) == valkey(*request), script


@settings(ordinary, max_examples=600)
@given(script=st.one_of(CODECS))
def test_a_random_script_gets_the_same_reply(subject: ScriptSubject, valkey: Connection, script: str) -> None:
    request = (b"EVAL", script.encode("latin1"), b"0")
    assert subject(*request) == valkey(*request)


CALLS = [
    b"return redis.call(unpack(ARGV))",
    b"return redis.pcall(unpack(ARGV))",
    b"local call = redis.call return call(unpack(ARGV))",
    b"redis.setresp(3) return redis.call(unpack(ARGV))",
    b"redis.setresp(3) return redis.pcall(unpack(ARGV))",
    b"local ok, what = pcall(redis.call, unpack(ARGV)) return {tostring(ok), what}",
    b"#!lua flags=no-writes\nreturn redis.call(unpack(ARGV))",
]
_NO_ORDER = {b"HGETALL", b"HKEYS", b"HVALS", b"HSCAN", b"HRANDFIELD"}
_TIMES = {b"TTL", b"PTTL", b"EXPIRETIME", b"PEXPIRETIME", b"HTTL", b"HPTTL", b"HEXPIRETIME", b"HPEXPIRETIME"}
_OURS = {b"PLANT", b"DUMP", b"OBJECT", b"RESTORE"}
_OTHER = _NO_ORDER | _TIMES | _OURS


@ordinary
@given(
    conversation=st.lists(
        st.tuples(st.sampled_from(CALLS), st.one_of(STRINGS + GENERIC + HASHES)), max_size=20
    )
)
@pytest.mark.parametrize("make", [fake_subject, store_subject])
def test_commands_say_the_same_in_scripts(
    valkey: Connection,
    resp: int,
    make: Callable[[int], Any],
    conversation: list[tuple[bytes, tuple[bytes, ...]]],
) -> None:
    valkey(b"FLUSHALL")
    node = make(resp)
    subject = ScriptSubject(node.ks)
    for script, command in conversation:
        if command[0].upper() not in _OTHER:
            request = (b"EVAL", script, b"0", *command)
            node.tell_time(1_000_000_000_000)
            assert subject(*request) == valkey(*request), request


def normal(reply: bytes) -> Tree:
    """A reply with its arrays in order: libraries and functions come in none."""
    [tree] = trees(reply)
    return _ordered(tree)


def _ordered(tree: Tree) -> Tree:
    kind, inside = tree
    return kind, sorted(map(_ordered, inside), key=repr) if isinstance(inside, list) else inside


FLUSHED = [
    (b"EVAL", b"return 1", b"0"),
    (b"SCRIPT", b"LOAD", b"return 2"),
    (b"SCRIPT", b"FLUSH"),
    (b"EVALSHA", sha1(b"return 1").hexdigest().encode(), b"0"),
    (b"EVALSHA", sha1(b"return 2").hexdigest().encode(), b"0"),
    (b"EVAL", b"return 2", b"0"),
    (b"SCRIPT", b"EXISTS", sha1(b"return 1").hexdigest().encode(), sha1(b"return 2").hexdigest().encode()),
]


@settings(ordinary, max_examples=300)
@given(conversation=st.lists(st.one_of(EVALS + SCRIPTS), max_size=30))
@example(FLUSHED)
def test_random_conversations_about_scripts(
    valkey: Connection, resp: int, conversation: list[tuple[bytes, ...]]
) -> None:
    valkey(b"FLUSHALL")
    valkey(b"SCRIPT", b"FLUSH")
    subject = ScriptSubject(fake_subject(resp).ks)
    for request in conversation:
        assert subject(*request) == valkey(*request), request


@settings(ordinary, max_examples=300)
@given(conversation=st.lists(st.one_of(FUNCTIONS), max_size=30))
def test_random_conversations_about_functions(
    valkey: Connection, resp: int, conversation: list[tuple[bytes, ...]]
) -> None:
    valkey(b"FLUSHALL")
    valkey(b"FUNCTION", b"FLUSH")
    subject = ScriptSubject(fake_subject(resp).ks)
    for request in conversation:
        ours, theirs = subject(*request), valkey(*request)
        if request[:2] == (b"FUNCTION", b"LIST"):
            assert normal(ours) == normal(theirs), request
        else:
            assert ours == theirs, request


ONE = library("one", registered("f1", "return 1"))
ONE_AGAIN = library("one", registered("f1", "return 'again'"))
TWO = library("two", registered("f2", "return 2", ", description='x', flags={'no-writes'}"))
THREE = library("three", registered("f1", "return 3"))
LONG = library("four", registered("f4", "return 4" + " " * 5000))


@pytest.mark.parametrize("dumped", [[], [ONE], [ONE, TWO], [TWO, LONG]])
@pytest.mark.parametrize("present", [[], [ONE_AGAIN], [TWO], [THREE]])
@pytest.mark.parametrize("policy", [[], [b"APPEND"], [b"replace"], [b"FLUSH"]])
def test_each_server_restores_what_the_other_dumped(
    subject: ScriptSubject,
    valkey: Connection,
    dumped: list[bytes],
    present: list[bytes],
    policy: list[bytes],
) -> None:
    payloads = []
    for server in (subject, valkey):
        server(b"FUNCTION", b"FLUSH")
        for code in dumped:
            server(b"FUNCTION", b"LOAD", code)
        payloads.append(server(b"FUNCTION", b"DUMP").partition(b"\r\n")[2][:-2])
    for payload in payloads:
        for server in (subject, valkey):
            server(b"FUNCTION", b"FLUSH")
            for code in present:
                server(b"FUNCTION", b"LOAD", code)
        restore = (b"FUNCTION", b"RESTORE", payload, *policy)
        assert subject(*restore) == valkey(*restore)
        listing = (b"FUNCTION", b"LIST", b"WITHCODE")
        assert normal(subject(*listing)) == normal(valkey(*listing))
        for name in (b"f1", b"f2", b"f4"):
            assert subject(b"FCALL", name, b"0") == valkey(b"FCALL", name, b"0")


@pytest.mark.parametrize(
    "damage", [lambda p: p[:-1], lambda p: p[:-1] + b"!", lambda p: b"", lambda p: b"x" + p]
)
def test_damaged_payloads_are_refused_alike(
    subject: ScriptSubject, valkey: Connection, damage: Callable[[bytes], bytes]
) -> None:
    valkey(b"FUNCTION", b"FLUSH")
    valkey(b"FUNCTION", b"LOAD", ONE)
    payload = damage(valkey(b"FUNCTION", b"DUMP").partition(b"\r\n")[2][:-2])
    assert subject(b"FUNCTION", b"RESTORE", payload) == valkey(b"FUNCTION", b"RESTORE", payload)


def test_a_payload_of_another_kind_is_refused_alike(subject: ScriptSubject, valkey: Connection) -> None:
    valkey(b"SET", b"key", b"value")
    payload = valkey(b"DUMP", b"key").partition(b"\r\n")[2][:-2]
    assert subject(b"FUNCTION", b"RESTORE", payload) == valkey(b"FUNCTION", b"RESTORE", payload)


def test_keys_are_found_alike(valkey: Connection) -> None:
    for request in [
        (b"EVAL", b"x", b"2", b"a", b"b", b"c"),
        (b"EVALSHA_RO", b"x", b"1", b"a"),
        (b"FCALL", b"x", b"1", b"a", b"b"),
    ]:
        [(_, keys)] = trees(valkey(b"COMMAND", b"GETKEYS", *request))
        assert lookup(list(request)).keys(list(request)) == [key for _, key in keys]
