"""Users and permissions as clients meet them: AUTH, HELLO AUTH, ACL, and what is refused to whom."""

from collections.abc import Callable

import pytest

from tests.unit.server.answers_subject import NOW_MS, Client, Subject, make_subject
from trio_dynomite.commands.acl_rows import ACL_ROWS
from trio_dynomite.commands.table import lookup
from trio_dynomite.server.answers import acl
from trio_dynomite.server.modes import GATED
from trio_dynomite.server.permission import STRANGERS_OUTPUT, after_change, refusal_in_script

NOAUTH = "NOAUTH Authentication required."
WRONGPASS = "WRONGPASS invalid username-password pair or user is disabled."


@pytest.fixture
def subject() -> Subject:
    """The other nodes know of every change at once."""
    subject = make_subject()
    subject.server.share_users = lambda then: then()
    return subject


@pytest.fixture
def root(subject: Subject) -> Client:
    """Somebody who may do everything, whatever becomes of the default user."""
    client = subject.client()
    client("ACL", "SETUSER", "root", "on", ">r", "+@all", "~*", "&*")
    client("AUTH", "root", "r")
    return client


def make(root: Client, name: str, rules: str) -> None:
    assert root.raw("ACL", "SETUSER", name, *rules.split()) == b"+OK\r\n"


def test_every_row_has_an_answer() -> None:
    assert {row.name for row in ACL_ROWS} - {"acl"} == set(acl.ANSWERS)


def test_nobody_is_asked_for_a_password_unless_there_is_one(subject: Subject) -> None:
    client = subject.client()
    assert not client.session.modes & GATED
    assert client.error("AUTH", "x").startswith("ERR AUTH <password> called without any password configured")
    assert client.raw("AUTH", "default", "x") == b"+OK\r\n"
    assert client.text("ACL", "WHOAMI") == "default"


def test_before_logging_in_nothing_is_told(subject: Subject, root: Client) -> None:
    make(root, "default", ">secret")
    client = subject.client()
    for words in ("PING", "GET k", "GET", "NOSUCH", "CLIENT NOSUCH", "MULTI", "SUBSCRIBE c", "ACL WHOAMI"):
        assert client.error(*words.split()) == NOAUTH
    assert client.error("HELLO", "3").startswith("NOAUTH HELLO must be called with the client already")
    assert client.error("AUTH") == "ERR wrong number of arguments for 'auth' command"
    assert client.error("AUTH", "wrong") == WRONGPASS
    assert client.error("HELLO", "3", "AUTH", "default", "wrong") == WRONGPASS
    assert client.session.resp == 2
    assert client("HELLO", "3", "AUTH", "default", "secret")[b"proto"] == 3
    assert client.text("PING") == "PONG"
    client("RESET")
    assert client.error("PING") == NOAUTH


def test_a_client_is_who_it_said_last(subject: Subject, root: Client) -> None:
    make(root, "alice", "on >a +@all ~a* &*")
    client = subject.client()
    client("AUTH", "alice", "a")
    assert client.error("GET", "b") == "NOPERM No permissions to access a key"
    assert client.error("AUTH", "alice", "wrong") == WRONGPASS
    assert client.error("GET", "b") == "NOPERM No permissions to access a key"
    assert "user=alice" in client.text("CLIENT", "INFO")
    assert client("CLIENT", "LIST", "USER", "root").count(b"user=root") == 1
    assert client.error("CLIENT", "LIST", "USER", "nosuch") == "ERR No such user 'nosuch'"
    client("RESET")
    assert client("GET", "b") is None


def test_a_pipeline_is_gated_command_by_command(subject: Subject, root: Client) -> None:
    make(root, "alice", "on nopass +get +exists ~a*")
    client, table = subject.client(), subject.engine.table
    key = next(key for key in map(b"a%d".__mod__, range(100)) if table.of_key(key).leads)
    client.wire.sent.clear()
    lines = [b"EXISTS b", b"AUTH alice x", b"GET %b" % key, b"EXISTS b", b"GET %b" % key, b"DEL %b" % key]
    client.session.received(b"".join([line + b"\r\n" for line in lines]))
    assert b"".join(client.wire.sent) == (
        b":0\r\n+OK\r\n$-1\r\n-NOPERM No permissions to access a key\r\n$-1\r\n"
        b"-NOPERM User alice has no permissions to run the 'del' command\r\n"
    )


def test_a_change_counts_at_once_for_those_who_are_there(subject: Subject, root: Client) -> None:
    make(root, "alice", "on nopass +@all ~* &*")
    client = subject.client()
    client("AUTH", "alice", "x")
    assert not client.session.modes & GATED
    make(root, "alice", "-get")
    assert client.error("GET", "k") == "NOPERM User alice has no permissions to run the 'get' command"
    make(root, "alice", "+get off")
    assert client("GET", "k") is None
    assert subject.client().error("AUTH", "alice", "x") == WRONGPASS


def test_deleting_a_user_ends_its_sessions(subject: Subject, root: Client) -> None:
    make(root, "alice", "on nopass +@all ~*")
    client, other = subject.client(), subject.client()
    client("AUTH", "alice", "x")
    assert root("ACL", "DELUSER", "alice", "nosuch") == 1
    assert client.wire.closed_for == "its user was deleted"
    assert other.wire.closed_for is None
    assert root("ACL", "DELUSER", "root") == 1
    assert root.wire.closed_for == "all was sent"


def test_who_may_not_listen_any_more_is_disconnected(subject: Subject, root: Client) -> None:
    make(root, "alice", "on nopass +@all ~* &news &w*")
    one, two, three = (subject.client() for _ in range(3))
    for client, words in (
        (one, ("SUBSCRIBE", "news")),
        (two, ("PSUBSCRIBE", "w*")),
        (three, ("SUBSCRIBE", "weather")),
    ):
        client("AUTH", "alice", "x")
        client.raw(*words)
    make(root, "alice", "resetchannels &news &weather")
    assert [client.wire.closed_for is None for client in (one, two, three)] == [True, False, True]


def test_what_another_node_tells_counts_for_the_sessions_here(subject: Subject, root: Client) -> None:
    make(root, "alice", "on nopass +@all ~* &*")
    client, other = subject.client(), make_subject()
    client("AUTH", "alice", "x")
    other.engine.begin(NOW_MS + 1000, 101.0)
    other.client()("ACL", "SETUSER", "alice", "on", "+get", "~*")
    server = subject.server
    after_change(server, server.users.join(other.server.users.told()))
    assert client.error("SET", "k", "v").startswith("NOPERM User alice has no permissions to run the 'set'")
    other.client()("ACL", "DELUSER", "alice")
    after_change(server, server.users.join(other.server.users.told()))
    assert client.wire.closed_for == "its user was deleted"


def test_the_other_nodes_are_told_of_every_change(subject: Subject) -> None:
    told: list[int] = []

    def share(then: Callable[[], None]) -> None:
        told.append(len(subject.server.users.told()))
        then()

    subject.server.share_users = share
    client = subject.client()
    client("ACL", "SETUSER", "alice", "on")
    client.error("ACL", "SETUSER", "bob", "nonsense")
    client("ACL", "DELUSER", "nosuch")
    client("CONFIG", "SET", "requirepass", "x")
    client("ACL", "DELUSER", "alice")
    assert told == [1, 2, 2]


def test_a_change_is_answered_when_the_others_know_it(subject: Subject, root: Client) -> None:
    told: list[Callable[[], None]] = []
    subject.server.share_users = told.append
    client = subject.client()
    assert root.raw("ACL", "SETUSER", "alice", "on", ">a") == b""
    assert client.error("AUTH", "alice", "b") == WRONGPASS
    assert client.raw("AUTH", "alice", "a") == b"+OK\r\n"
    told[0]()
    root.session.drain()
    assert root.wire.sent == [b"+OK\r\n"]


def test_requirepass_is_the_default_users_password(subject: Subject, root: Client) -> None:
    assert root("CONFIG", "GET", "requirepass") == [b"requirepass", b""]
    root("CONFIG", "SET", "requirepass", "secret")
    shown = root("CONFIG", "GET", "requirepass")[1]
    assert shown.startswith(b"sha256:2bb80d537b1da3e38bd30361aa85")
    client = subject.client()
    assert client.error("GET", "k") == NOAUTH
    assert client.raw("AUTH", "secret") == b"+OK\r\n"
    root("CONFIG", "SET", "requirepass", shown)
    assert subject.client().raw("AUTH", "secret") == b"+OK\r\n"
    assert "secret" not in root.error("CONFIG", "SET", "requirepass", "sha256:secret").partition(" - ")[2]
    root("CONFIG", "SET", "requirepass", "")
    assert subject.client()("GET", "k") is None


def test_the_log_tells_who_was_refused_what(subject: Subject, root: Client) -> None:
    make(root, "alice", "on >a +@all -del ~a")
    client = subject.client("10.0.0.9:7")
    client.error("AUTH", "alice", "wrong")
    client("AUTH", "alice", "a")
    client.error("DEL", "a")
    client.error("GET", "b")
    client.error("GET", "b")
    subject.engine.begin(NOW_MS + 1500, 101.5)
    entries = [dict(zip(entry[::2], entry[1::2], strict=True)) for entry in root("ACL", "LOG")]
    assert [(entry[b"reason"], entry[b"object"], entry[b"count"]) for entry in entries] == [
        (b"key", b"b", 2),
        (b"command", b"del", 1),
        (b"auth", b"AUTH", 1),
    ]
    assert {entry[b"username"] for entry in entries} == {b"alice"}
    assert entries[0][b"age-seconds"] == b"1.5"
    assert entries[0][b"timestamp-created"] == NOW_MS
    assert b"addr=10.0.0.9:7" in entries[0][b"client-info"]
    assert root.raw("ACL", "LOG", "RESET") == b"+OK\r\n"
    assert root("ACL", "LOG") == []


def test_in_transactions_and_scripts_the_log_says_so(subject: Subject, root: Client) -> None:
    make(root, "alice", "on nopass +@all -del ~a")
    client = subject.client()
    client("AUTH", "alice", "x")
    client("MULTI")
    assert client.error("DEL", "a").startswith("NOPERM")
    assert client.error("EXEC").startswith("EXECABORT")
    args = [b"GET", b"b"]
    refused = refusal_in_script(client.session, lookup(args), args)
    assert refused == "ERR ACL failure in script: No permissions to access a key"
    contexts = [dict(zip(entry[::2], entry[1::2], strict=True))[b"context"] for entry in root("ACL", "LOG")]
    assert contexts == [b"lua", b"multi"]


def test_what_was_allowed_when_it_was_queued_may_not_be_at_exec(subject: Subject, root: Client) -> None:
    make(root, "alice", "on nopass +@all ~*")
    client = subject.client()
    client("AUTH", "alice", "x")
    client("MULTI")
    client("GET", "k")
    make(root, "alice", "-get")
    assert client.raw("EXEC").startswith(b"*1\r\n-NOPERM ACLs rules changed between the moment")


def test_passwords_are_made_by_chance(root: Client) -> None:
    made = {root("ACL", "GENPASS") for _ in range(3)}
    assert len(made) == 3
    assert all(len(password) == 64 for password in made)
    assert len(root("ACL", "GENPASS", "5")) == 2


AUTH_SECRET = b"*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n"
TOO_MANY = b"-ERR Protocol error: unauthenticated multibulk length\r\n"
TOO_LONG = b"-ERR Protocol error: unauthenticated bulk length\r\n"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"*11\r\n", TOO_MANY),
        (b"*10\r\n", b""),
        (b"*1\r\n$16385\r\n", TOO_LONG),
        (b"*1\r\n$16385\r\nxx", TOO_LONG),
        (b"*1\r\n$16384\r\nxx", b""),
        (b"*11\r\n" + b"$4\r\nPING\r\n" * 11, TOO_MANY),
        (b"*2\r\n$4\r\nAUTH\r\n$16385\r\n" + b"x" * 16385 + b"\r\n", TOO_LONG),
        (b"*1\r\n$16385\r\n" + b"x" * 16385 + b"\r\n", TOO_LONG),
        (b"PING\r\n*11\r\n", b"-" + NOAUTH.encode() + b"\r\n" + TOO_MANY),
        (AUTH_SECRET + b"*11\r\n", b"+OK\r\n"),
        (AUTH_SECRET + b"*1\r\n$16385\r\n", b"+OK\r\n"),
        (AUTH_SECRET + b"*11\r\n$3\r\nDEL\r\n", b"+OK\r\n"),
    ],
)
def test_who_has_not_logged_in_may_send_little(
    subject: Subject, root: Client, sent: bytes, said: bytes
) -> None:
    make(root, "default", ">secret")
    client = subject.client()
    for at in range(0, len(sent), 10_000):
        client.session.received(sent[at : at + 10_000])
        if client.wire.closed_for is not None:
            break
    assert b"".join(client.wire.sent) == said
    assert (client.wire.closed_for is not None) is said.startswith(b"-")
    if said == b"+OK\r\n":
        assert client.session.user is subject.server.users.default


def test_everybody_may_send_much_where_no_password_is_needed(subject: Subject) -> None:
    client = subject.client()
    client.session.received(b"*11\r\n$4\r\nMGET\r\n$16385\r\n")
    assert client.wire.sent == []
    assert client.wire.closed_for is None


def test_who_has_not_logged_in_must_read_what_is_said(subject: Subject, root: Client) -> None:
    make(root, "default", ">secret")
    client = subject.client()
    client.wire.unsent = STRANGERS_OUTPUT
    assert client.error("PING") == NOAUTH
    client.wire.unsent += 1
    assert client.raw("PING") == b""
    assert client.wire.closed_for == "it has not logged in and does not read its replies"
