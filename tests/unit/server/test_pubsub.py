"""Publish and subscribe on one node: who gets what, in which form, and in which order."""

import pytest

from tests.unit.server.answers_subject import Client, Subject, make_subject
from trio_dynomite.server.output import OutputLimit


@pytest.fixture
def subject() -> Subject:
    return make_subject(hosts=("127.0.0.1",), racks=("r1",))


@pytest.fixture
def client(subject: Subject) -> Client:
    return subject.client()


def resp3(subject: Subject) -> Client:
    client = subject.client()
    client("HELLO", "3")
    return client


def heard(client: Client) -> bytes:
    """What the client was sent since its last command."""
    said = b"".join(client.wire.sent)
    client.wire.sent.clear()
    return said


@pytest.mark.parametrize(("resp", "mark"), [(2, b"*"), (3, b">")])
def test_each_name_is_confirmed_by_itself_with_the_count_so_far(
    subject: Subject, resp: int, mark: bytes
) -> None:
    client = resp3(subject) if resp == 3 else subject.client()
    assert client.raw("SUBSCRIBE", "a", "b", "a") == (
        mark
        + b"3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
        + mark
        + b"3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n"
        + mark
        + b"3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:2\r\n"
    )
    assert client.raw("PSUBSCRIBE", "x*") == mark + b"3\r\n$10\r\npsubscribe\r\n$2\r\nx*\r\n:3\r\n"
    assert client.raw("SSUBSCRIBE", "a") == mark + b"3\r\n$10\r\nssubscribe\r\n$1\r\na\r\n:1\r\n"
    assert client.raw("UNSUBSCRIBE", "nope") == mark + b"3\r\n$11\r\nunsubscribe\r\n$4\r\nnope\r\n:3\r\n"


def test_without_names_everything_is_left_and_nothing_is_confirmed_too(subject: Subject) -> None:
    client = resp3(subject)
    client.raw("SUBSCRIBE", "a", "b")
    assert client.raw("UNSUBSCRIBE").count(b">3\r\n$11\r\nunsubscribe\r\n") == 2
    assert client.raw("UNSUBSCRIBE") == b">3\r\n$11\r\nunsubscribe\r\n_\r\n:0\r\n"
    assert client.raw("SUNSUBSCRIBE") == b">3\r\n$12\r\nsunsubscribe\r\n_\r\n:0\r\n"
    assert subject.server.pubsub.channels == {}


def test_a_message_reaches_channels_patterns_and_shards_apart(subject: Subject, client: Client) -> None:
    listener, other = subject.client(), resp3(subject)
    listener.raw("SUBSCRIBE", "news")
    listener.raw("PSUBSCRIBE", "n*", "x?")
    listener.raw("SSUBSCRIBE", "news")
    other.raw("SUBSCRIBE", "news")
    heard(listener), heard(other)

    assert client("PUBLISH", "news", "hi") == 3
    assert heard(listener) == (
        b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n"
        b"*4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$2\r\nhi\r\n"
    )
    assert heard(other) == b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n"
    assert client("SPUBLISH", "news", "hi") == 1
    assert heard(listener) == b"*3\r\n$8\r\nsmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n"
    assert heard(other) == b""


def test_in_resp2_a_subscriber_may_do_little_else(client: Client) -> None:
    client.raw("SSUBSCRIBE", "a")
    assert client.error("GET", "k") == (
        "ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET"
        " are allowed in this context"
    )
    assert client.raw("PING") == b"*2\r\n$4\r\npong\r\n$0\r\n\r\n"
    assert client.raw("PING", "x") == b"*2\r\n$4\r\npong\r\n$1\r\nx\r\n"
    client.raw("SUNSUBSCRIBE", "a")
    assert client.raw("GET", "k") == b"$-1\r\n"
    assert client.raw("PING") == b"+PONG\r\n"


def test_in_resp3_a_subscriber_may_do_everything_and_hears_itself_after_the_reply(subject: Subject) -> None:
    client = resp3(subject)
    client.raw("SUBSCRIBE", "a")
    assert client.raw("GET", "k") == b"_\r\n"
    assert client.raw("PING") == b"+PONG\r\n"
    assert client.raw("PUBLISH", "a", "x") == b":1\r\n>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n"


def test_reset_and_leaving_end_every_subscription(subject: Subject, client: Client) -> None:
    stays, leaves = subject.client(), subject.client()
    for listener in (stays, leaves):
        listener.raw("SUBSCRIBE", "a")
        listener.raw("PSUBSCRIBE", "*")
    assert client("PUBLISH", "a", "x") == 4
    assert stays.raw("RESET") == b"+RESET\r\n"
    leaves.wire.close()
    assert client("PUBLISH", "a", "x") == 0
    assert stays.raw("PING") == b"+PONG\r\n"


def test_replies_that_are_off_leave_messages_on(subject: Subject) -> None:
    client = subject.client()
    client.raw("CLIENT", "REPLY", "OFF")
    assert client.raw("SUBSCRIBE", "a") == b"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
    subject.client()("PUBLISH", "a", "x")
    assert heard(client).endswith(b"message\r\n$1\r\na\r\n$1\r\nx\r\n")


def test_pubsub_tells_who_listens_to_what(subject: Subject, client: Client) -> None:
    one, two = subject.client(), subject.client()
    one.raw("SUBSCRIBE", "a", "b")
    two.raw("SUBSCRIBE", "a")
    two.raw("PSUBSCRIBE", "p*")
    one.raw("PSUBSCRIBE", "p*")
    one.raw("SSUBSCRIBE", "s")
    assert sorted(client("PUBSUB", "CHANNELS")) == [b"a", b"b"]
    assert client("pubsub", "channels", "[b-z]") == [b"b"]
    assert client("PUBSUB", "NUMSUB", "a", "b", "c") == [b"a", 2, b"b", 1, b"c", 0]
    assert client("PUBSUB", "NUMPAT") == 1
    assert client("PUBSUB", "SHARDCHANNELS") == [b"s"]
    assert client("PUBSUB", "SHARDNUMSUB", "s", "a") == [b"s", 1, b"a", 0]
    assert client.error("PUBSUB", "CHANNELS", "a", "b") == (
        "ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP."
    )


def test_a_listener_that_does_not_read_is_cut_off_and_counted(subject: Subject, client: Client) -> None:
    assert client("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1kb 100 10") == b"OK"
    assert client("CONFIG", "GET", "client-output-buffer-limit")[1].endswith(b"pubsub 1024 100 10")
    listener = subject.client()
    listener.raw("SUBSCRIBE", "a")
    listener.wire.unsent = 500
    client("PUBLISH", "a", "x")
    assert listener.wire.closed_for is None, "over the soft limit, but not for long"
    subject.engine.begin(subject.engine.now_ms, subject.engine.mono_s + 11)
    client("PUBLISH", "a", "x")
    assert listener.wire.closed_for is not None
    other = subject.client()
    other.raw("SUBSCRIBE", "a")
    other.wire.unsent = 1025
    assert client("PUBLISH", "a", "x") == 1
    assert other.wire.closed_for is not None
    assert client("PUBLISH", "a", "x") == 0
    assert subject.server.cut_off == 2


def test_no_limit_is_no_limit(subject: Subject) -> None:
    listener = subject.client()
    assert not OutputLimit(0, 0, 0).is_passed(listener.session, 1 << 50, 0)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("pubsub 1 2", "Wrong number of arguments in buffer limit configuration."),
        ("foo 1 2 3", "Invalid client class specified in buffer limit configuration."),
        ("pubsub x 2 3", "Error in hard, soft or soft_seconds setting in buffer limit configuration."),
    ],
)
def test_limits_are_refused_in_redis_words(client: Client, value: str, error: str) -> None:
    words = f"ERR CONFIG SET failed (possibly related to argument 'client-output-buffer-limit') - {error}"
    assert client.error("CONFIG", "SET", "client-output-buffer-limit", value) == words
