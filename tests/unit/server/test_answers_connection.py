"""PING, HELLO, AUTH, SELECT, RESET, QUIT, the consistency of a connection, and the node as a plain Redis."""

import pytest

from tests.unit.server.answers_subject import NOW_MS, Client, Subject, make_subject
from trio_dynomite.commands.row import Spread
from trio_dynomite.commands.table import FAMILIES, SUBCOMMANDS
from trio_dynomite.model import Level
from trio_dynomite.server.answers import ANSWERS


@pytest.fixture
def subject() -> Subject:
    return make_subject()


@pytest.fixture
def client(subject: Subject) -> Client:
    return subject.client()


def test_every_session_row_has_an_answer_and_every_answer_a_row() -> None:
    bare = set(SUBCOMMANDS) - {"command"}
    rows = [row for family in FAMILIES.values() for row in family if row.spread is Spread.SESSION]
    assert {row.name for row in rows if row.handler is None} - bare == set(ANSWERS)


def test_ping_and_echo_give_back_what_they_were_given(client: Client) -> None:
    assert client.raw("PING") == b"+PONG\r\n"
    assert client("PING", "hi") == client("ECHO", "hi") == b"hi"
    assert client.error("PING", "a", "b") == "ERR wrong number of arguments for 'ping' command"


def test_hello_changes_the_protocol_and_names_the_client(client: Client) -> None:
    told = client("HELLO", "3", "AUTH", "default", "any", "SETNAME", "bob")
    assert told[b"proto"] == 3
    assert (told[b"server"], told[b"mode"], told[b"role"]) == (b"redis", b"cluster", b"master")
    assert told[b"id"] == client.session.id
    assert client.session.resp == 3
    assert client("CLIENT", "GETNAME") == b"bob"


def test_hello_alone_keeps_the_protocol(client: Client) -> None:
    assert client.raw("HELLO")[:1] == b"*"
    client("HELLO", "3")
    assert client.raw("HELLO")[:1] == b"%"


def test_hello_of_a_hash_partitioner_is_a_single_redis() -> None:
    told = make_subject("murmur").client()("HELLO", "3")
    assert told[b"mode"] == b"standalone"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("x",), "ERR Protocol version is not an integer or out of range"),
        (("4",), "NOPROTO unsupported protocol version"),
        (("3", "AUTH", "bob", "x"), "WRONGPASS invalid username-password pair or user is disabled."),
        (
            ("3", "SETNAME", "a b"),
            "ERR Client names cannot contain spaces, newlines or special characters.",
        ),
        (("3", "SETNAME", "bob", "AUTH", "x"), "ERR Syntax error in HELLO option 'AUTH'"),
        (("3", "foo"), "ERR Syntax error in HELLO option 'foo'"),
    ],
)
def test_a_refused_hello_changes_nothing(client: Client, words: tuple[str, ...], error: str) -> None:
    assert client.error("HELLO", *words) == error
    assert (client.session.resp, client.session.name) == (2, b"")


def test_auth_takes_any_password_of_the_user_default_only(client: Client) -> None:
    assert client("AUTH", "default", "any") == b"OK"
    assert client.error("AUTH", "any").startswith(
        "ERR AUTH <password> called without any password configured"
    )
    assert client.error("AUTH", "bob", "any").startswith("WRONGPASS")
    assert client.error("AUTH", "a", "b", "c") == "ERR syntax error"


def test_there_is_database_zero_only(client: Client) -> None:
    assert client("SELECT", "0") == b"OK"
    assert client.error("SELECT", "1") == "ERR DB index is out of range"
    assert client.error("SELECT", "x") == "ERR value is not an integer or out of range"


def test_quit_answers_and_ends_the_connection(client: Client) -> None:
    assert client("QUIT") == b"OK"
    assert client.wire.closed_for is not None


def test_reset_makes_a_connection_new_but_for_its_library(client: Client) -> None:
    client("HELLO", "3", "SETNAME", "bob")
    client("CLIENT", "SETINFO", "LIB-NAME", "mine")
    client("DYNO_CONFIG:CONN_CONSISTENCY", "DC_QUORUM")
    assert client.raw("RESET") == b"+RESET\r\n"
    session = client.session
    assert (session.resp, session.name, session.library) == (2, b"", b"mine")
    assert (session.read_level, session.write_level, session.levels_chosen) == (0, 0, False)


def test_a_connection_chooses_its_levels_in_any_case(subject: Subject, client: Client) -> None:
    assert client("dyno_config:conn_consistency", "dc_Quorum") == b"OK"
    subject.server.set_levels(Level.DC_SAFE_QUORUM, Level.DC_SAFE_QUORUM)
    assert client.session.read_level == client.session.write_level == Level.DC_QUORUM


def test_a_wrong_level_is_refused_with_the_four_that_exist(client: Client) -> None:
    refusal = client.error("DYNO_CONFIG:CONN_CONSISTENCY", "DC_TWO")
    assert "'DC_TWO'" in refusal
    assert all(level.name in refusal for level in Level)
    assert client.session.levels_chosen is False


@pytest.mark.parametrize("word", ["READONLY", "READWRITE", "ASKING"])
def test_what_switches_nodes_of_a_cluster_is_accepted(client: Client, word: str) -> None:
    assert client(word) == b"OK"


def test_time_is_the_time_of_the_turn(client: Client) -> None:
    assert client("TIME") == [b"%d" % (NOW_MS // 1000), b"123000"]


def test_role_is_a_master_that_nobody_follows(client: Client) -> None:
    assert client("ROLE") == [b"master", 0, []]


def test_wait_counts_the_nodes_that_share_copies_and_are_up(subject: Subject, client: Client) -> None:
    assert client("WAIT", "1", "0") == 2
    subject.down("n3")
    assert client("WAIT", "1", "0") == 1


def test_wait_refuses_what_redis_refuses(client: Client) -> None:
    assert client.error("WAIT", "x", "0") == "ERR value is not an integer or out of range"
    assert client.error("WAIT", "1", "-1") == "ERR timeout is negative"
    assert client.error("WAIT", "1", "x") == "ERR timeout is not an integer or out of range"


def test_command_is_answered_in_the_protocol_of_the_client(client: Client) -> None:
    assert client("COMMAND", "GETKEYS", "GET", "k") == [b"k"]
    assert len(client("COMMAND")) == client("COMMAND", "COUNT")
    client("HELLO", "3")
    assert list(client("COMMAND", "DOCS", "get")) == [b"get"]


def test_lolwut_draws_a_letter_for_each_leader(subject: Subject, client: Client) -> None:
    assert {"a n1", "b n2", "c n3"} <= set(client.text("LOLWUT").splitlines())
    subject.down("n2")
    assert "n2" not in client.text("LOLWUT")
