"""Key-space notifications: classes, their letters, and what is published for an event."""

import pytest

from tests.unit.server.answers_subject import Client, Subject, make_subject
from tests.unit.server.test_pubsub import heard, resp3
from trio_dynomite.server.events import class_of


@pytest.fixture
def subject() -> Subject:
    return make_subject(hosts=("127.0.0.1",), racks=("r1",))


@pytest.fixture
def client(subject: Subject) -> Client:
    return subject.client()


@pytest.mark.parametrize(
    ("letters", "told"),
    [("KEA", b"AKE"), ("", b""), ("KEg$lshzxetd", b"AKE"), ("nK", b"nK"), ("Em", b"Em"), ("AKEn", b"AKE")],
)
def test_letters_are_told_as_valkey_tells_them(client: Client, letters: str, told: bytes) -> None:
    assert client("CONFIG", "SET", "notify-keyspace-events", letters) == b"OK"
    assert client("CONFIG", "GET", "notify-keyspace-events") == [b"notify-keyspace-events", told]


def test_an_unknown_letter_is_refused_and_changes_nothing(client: Client) -> None:
    client("CONFIG", "SET", "notify-keyspace-events", "Kl")
    assert client.error("CONFIG", "SET", "notify-keyspace-events", "KQ").endswith(
        "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."
    )
    assert client("CONFIG", "GET", "notify-keyspace-events")[1] == b"lK"


@pytest.mark.parametrize(
    ("event", "letter"),
    [
        *[("del", "g"), ("rename_from", "g"), ("set", "$"), ("setbit", "$"), ("pfadd", "$"), ("sadd", "s")],
        *[("sinterstore", "s"), ("sortstore", "l"), ("rpush", "l"), ("lset", "l"), ("hset", "h")],
        *[("hexpired", "h"), ("zadd", "z"), ("geosearchstore", "z"), ("xadd", "t"), ("xgroup-create", "t")],
        *[("expired", "x"), ("evicted", "e"), ("keymiss", "m"), ("new", "n"), ("strange", "s"), ("odd", "d")],
    ],
)
def test_every_event_has_its_class(event: str, letter: str) -> None:
    assert class_of(event) == letter


def test_a_change_is_told_by_key_and_by_event(subject: Subject, client: Client) -> None:
    listener = subject.client()
    client("CONFIG", "SET", "notify-keyspace-events", "KE$")
    listener.raw("PSUBSCRIBE", "__key*")
    heard(listener)
    client("SET", "k", "v")
    assert heard(listener) == (
        b"*4\r\n$8\r\npmessage\r\n$6\r\n__key*\r\n$16\r\n__keyspace@0__:k\r\n$3\r\nset\r\n"
        b"*4\r\n$8\r\npmessage\r\n$6\r\n__key*\r\n$18\r\n__keyevent@0__:set\r\n$1\r\nk\r\n"
    )
    client("DEL", "k")
    assert heard(listener) == b"", "generic events are not wanted"


def test_who_changes_a_key_and_listens_hears_of_it_after_the_reply(subject: Subject) -> None:
    client = resp3(subject)
    client("CONFIG", "SET", "notify-keyspace-events", "EA")
    client.raw("SUBSCRIBE", "__keyevent@0__:del")
    client.raw("SET", "k", "v")
    assert client.raw("DEL", "k") == (
        b":1\r\n>3\r\n$7\r\nmessage\r\n$18\r\n__keyevent@0__:del\r\n$1\r\nk\r\n"
    )


def test_without_a_way_or_a_class_the_keyspace_is_not_asked_for_events(client: Client) -> None:
    keyspace = client.session.server.engine.keyspace
    for letters, wanted in (("A", False), ("KE", False), ("K$", True), ("", False)):
        client("CONFIG", "SET", "notify-keyspace-events", letters)
        assert keyspace.wants_events is wanted
