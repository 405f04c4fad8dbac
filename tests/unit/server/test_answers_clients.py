"""CLIENT: names, lists, kills, and replies that are not sent."""

import pytest

from tests.unit.server.answers_subject import Client, Subject, make_subject


@pytest.fixture
def subject() -> Subject:
    return make_subject()


@pytest.fixture
def client(subject: Subject) -> Client:
    return subject.client()


def fields(line: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in line.split())


def ids(reply: str) -> list[int]:
    return [int(fields(line)["id"]) for line in reply.splitlines()]


def test_info_tells_who_the_client_is(subject: Subject, client: Client) -> None:
    subject.engine.begin(subject.engine.now_ms, subject.engine.mono_s + 7)
    client("CLIENT", "SETNAME", "bob")
    client("CLIENT", "SETINFO", "lib-name", "mine")
    client("CLIENT", "SETINFO", "LIB-VER", "1.2")
    told = fields(client.text("CLIENT", "INFO"))
    assert told["addr"] == "10.0.0.9:5000"
    assert told["laddr"] == "127.0.0.1:7001"
    assert (told["name"], told["lib-name"], told["lib-ver"]) == ("bob", "mine", "1.2")
    assert (told["age"], told["idle"], told["cmd"], told["resp"]) == ("7", "0", "client|info", "2")


def test_a_client_without_a_name_has_none(client: Client) -> None:
    assert client.raw("CLIENT", "GETNAME") == b"$-1\r\n"
    client("CLIENT", "SETNAME", "bob")
    client("CLIENT", "SETNAME", "")
    assert client("CLIENT", "GETNAME") is None


@pytest.mark.parametrize("name", ["a b", "a\nb", "\x7f", "é"])
def test_a_name_that_would_spoil_the_list_is_refused(client: Client, name: str) -> None:
    rest = "cannot contain spaces, newlines or special characters."
    assert client.error("CLIENT", "SETNAME", name) == f"ERR Client names {rest}"
    assert client.error("CLIENT", "SETINFO", "LIB-NAME", name) == f"ERR lib-name {rest}"
    assert client.error("CLIENT", "SETINFO", "colour", "red") == "ERR Unrecognized option 'colour'"


def test_list_tells_everybody_or_those_that_the_filters_mean(subject: Subject, client: Client) -> None:
    other, third = subject.client("10.0.0.9:5001"), subject.client("10.0.0.9:5002")
    one, two, three = client.session.id, other.session.id, third.session.id
    assert ids(client.text("CLIENT", "LIST")) == [one, two, three]
    assert ids(client.text("CLIENT", "LIST", "ID", str(two), str(three))) == [two, three]
    assert ids(client.text("CLIENT", "LIST", "ADDR", "10.0.0.9:5001")) == [two]
    assert ids(client.text("CLIENT", "LIST", "TYPE", "normal", "SKIPME", "yes")) == [two, three]
    assert ids(client.text("CLIENT", "LIST", "TYPE", "pubsub")) == []


def test_a_client_that_left_is_not_listed(subject: Subject, client: Client) -> None:
    subject.client().wire.close()
    assert ids(client.text("CLIENT", "LIST")) == [client.session.id]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("LIST", "TYPE", "foo"), "ERR Unknown client type 'foo'"),
        (("LIST", "TYPE"), "ERR syntax error"),
        (("LIST", "ID", "x"), "ERR syntax error"),
        (("LIST", "foo", "bar"), "ERR syntax error"),
        (("KILL", "1.2.3.4:5"), "ERR No such client"),
        (("KILL", "ID", "0"), "ERR client-id should be greater than 0"),
        (("KILL", "ID", "1", "foo"), "ERR syntax error"),
        (("KILL", "USER", "nobody"), "ERR No such user 'nobody'"),
        (("KILL", "SKIPME", "maybe"), "ERR syntax error"),
        (("KILL", "MAXAGE", "x"), "ERR maxage is not an integer or out of range"),
    ],
)
def test_filters_are_refused_in_valkeys_words(client: Client, words: tuple[str, ...], error: str) -> None:
    assert client.error("CLIENT", *words) == error
    assert client.wire.closed_for is None


def test_kill_by_address_ends_that_connection(subject: Subject, client: Client) -> None:
    other = subject.client("10.0.0.9:5001")
    assert client("CLIENT", "KILL", "10.0.0.9:5001") == b"OK"
    assert other.wire.closed_for is not None
    assert list(subject.server.sessions) == [client.session.id]


def test_kill_by_filter_counts_and_spares_the_killer(subject: Subject, client: Client) -> None:
    others = [subject.client(), subject.client()]
    assert client("CLIENT", "KILL", "TYPE", "normal") == 2
    assert all(other.wire.closed_for for other in others)
    assert client.wire.closed_for is None


def test_a_killer_that_means_itself_still_gets_its_reply(client: Client) -> None:
    assert client("CLIENT", "KILL", "ID", str(client.session.id), "SKIPME", "no") == 1
    assert client.wire.closed_for is not None


def test_kill_by_age_takes_the_old_ones_only(subject: Subject, client: Client) -> None:
    old = subject.client()
    subject.engine.begin(subject.engine.now_ms, subject.engine.mono_s + 60)
    young = subject.client()
    assert client("CLIENT", "KILL", "MAXAGE", "30") == 1
    assert old.wire.closed_for is not None
    assert young.wire.closed_for is None


def test_reply_off_silences_everything_until_on(client: Client) -> None:
    assert client.raw("CLIENT", "REPLY", "OFF") == b""
    assert client.raw("PING") == b""
    assert client.raw("NOSUCH") == b""
    assert client.raw("CLIENT", "REPLY", "ON") == b"+OK\r\n"
    assert client.raw("PING") == b"+PONG\r\n"


def test_reply_skip_silences_exactly_the_next_reply(client: Client) -> None:
    assert client.raw("CLIENT", "REPLY", "SKIP") == b""
    assert client.raw("PING") == b""
    assert client.raw("PING") == b"+PONG\r\n"


def test_switches_take_on_and_off(client: Client) -> None:
    assert client("CLIENT", "NO-EVICT", "on") == client("CLIENT", "NO-TOUCH", "OFF") == b"OK"
    assert client.error("CLIENT", "NO-EVICT", "perhaps") == "ERR syntax error"


def test_unblock_takes_those_who_are_blocked_only(client: Client) -> None:
    assert client("CLIENT", "UNBLOCK", "5", "ERROR") == 0
    assert client("CLIENT", "UNBLOCK", str(client.session.id)) == 0
    assert client.error("CLIENT", "UNBLOCK", "5", "foo").endswith("reason should be TIMEOUT or ERROR")
    assert client.error("CLIENT", "UNBLOCK", "x") == "ERR value is not an integer or out of range"


@pytest.fixture
def alone() -> Subject:
    """A node that leads every key."""
    return make_subject(hosts=("127.0.0.1",), racks=("r1",))


def test_unblock_ends_the_wait_of_another(alone: Subject) -> None:
    client = alone.client()
    ends: list[bytes] = []
    for words in ((), ("TIMEOUT",), ("ERROR",)):
        other = alone.client()
        assert other.raw("BLPOP", "nothing", "0") == b""
        assert fields(client.text("CLIENT", "LIST", "ID", str(other.session.id)))["flags"] == "b"
        assert client("CLIENT", "UNBLOCK", str(other.session.id), *words) == 1
        alone.server.end()
        ends += other.wire.sent
    assert ends == [b"*-1\r\n"] * 2 + [b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"]


def test_who_leaves_while_blocked_takes_nothing(alone: Subject) -> None:
    client, other = alone.client(), alone.client()
    other.raw("BLPOP", "list", "0")
    other.wire.close()
    assert client("RPUSH", "list", "a") == 1
    assert client("LLEN", "list") == 1


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("NAME bob", [2]),
        ("NOT-NAME bob", [1, 3]),
        ("LIB-NAME lib", [3]),
        ("LIB-VER 2", [3]),
        ("NOT-ID 1 2", [3]),
        ("FLAGS P", [2]),
        ("FLAGS N", [1, 3]),
        ("NOT-FLAGS P TYPE normal", [1, 3]),
        ("TYPE pubsub", [2]),
        ("NOT-TYPE pubsub", [1, 3]),
        ("IP 10.0.0.9", [1, 2]),
        ("NOT-IP 10.0.0.9", [3]),
        ("NOT-ADDR 10.0.0.9:2", [1, 3]),
        ("LADDR 127.0.0.1:7001 NOT-USER default", []),
        ("DB 0", [1, 2, 3]),
        ("CAPA r", [3]),
        ("IDLE 5", [2, 3]),
        ("MAXAGE 5 SKIPME yes", [2, 3]),
    ],
)
def test_filters_tell_clients_apart(words: str, expected: list[int]) -> None:
    subject = make_subject()
    me, bob, other = subject.client("10.0.0.9:1"), subject.client("10.0.0.9:2"), subject.client("10.0.0.8:3")
    bob("CLIENT", "SETNAME", "bob")
    bob.raw("SUBSCRIBE", "c")
    other("CLIENT", "SETINFO", "LIB-NAME", "lib")
    other("CLIENT", "SETINFO", "LIB-VER", "2")
    other("CLIENT", "CAPA", "redirect", "more")
    subject.engine.begin(subject.engine.now_ms, subject.engine.mono_s + 5)
    assert ids(me.text("CLIENT", "LIST", *words.split())) == expected


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("FLAGS zz", "ERR Unknown flags found in the provided filter: zz"),
        ("CAPA x", "ERR Unknown capa found in the provided filter: x"),
        ("DB x", "ERR DB is not an integer or out of range"),
        ("DB 9", "ERR DB number should be between 0 and 0"),
        ("IDLE 0", "ERR idle should be greater than 0"),
        ("NOT-MAXAGE 5", "ERR syntax error"),
        ("NOT-USER nobody", "ERR No such user 'nobody'"),
    ],
)
def test_more_filters_are_refused_in_valkeys_words(client: Client, words: str, error: str) -> None:
    assert client.error("CLIENT", "LIST", *words.split()) == error


@pytest.mark.parametrize("container", ["CLIENT", "CONFIG", "CLUSTER", "COMMAND"])
def test_help_names_every_subcommand(client: Client, container: str) -> None:
    lines = [line.decode() for line in client(container, "HELP")]
    heads = {line.split()[0] for line in lines[1:] if not line.startswith(" ")}
    listed = {
        name.partition(b"|")[2].upper().decode()
        for name in client("COMMAND", "LIST", "FILTERBY", "PATTERN", f"{container.lower()}|*")
    }
    assert listed <= heads
