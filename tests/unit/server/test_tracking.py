"""Client-side caching: what is remembered, and who is told when it changes."""

import pytest

from tests.unit.server.answers_subject import Client, Subject, make_subject
from tests.unit.server.test_pubsub import heard, resp3
from trio_dynomite.commands.table import lookup

PUSH = b">2\r\n$10\r\ninvalidate\r\n"
FLUSH = PUSH + b"_\r\n"


def invalid(*keys: str) -> bytes:
    """The message that these keys changed."""
    return (
        PUSH
        + b"*%d\r\n" % len(keys)
        + b"".join([b"$%d\r\n%b\r\n" % (len(key), key.encode()) for key in keys])
    )


@pytest.fixture
def subject() -> Subject:
    return make_subject(hosts=("127.0.0.1",), racks=("r1",))


@pytest.fixture
def writer(subject: Subject) -> Client:
    return subject.client()


@pytest.fixture
def client(subject: Subject) -> Client:
    return resp3(subject)


def turn(subject: Subject, times: int = 1) -> None:
    for _ in range(times):
        subject.engine.end()
        subject.server.end()
        subject.engine.begin(subject.engine.now_ms, subject.engine.mono_s)


def told(subject: Subject, client: Client) -> bytes:
    """What the client is told when the turn ends."""
    client.wire.sent.clear()
    turn(subject)
    return heard(client)


def test_a_key_that_was_read_is_told_of_once(subject: Subject, client: Client, writer: Client) -> None:
    client("CLIENT", "TRACKING", "ON")
    client("GET", "k")
    writer("SET", "k", "1")
    writer("SET", "other", "1")
    assert told(subject, client) == invalid("k")
    writer("SET", "k", "2")
    assert told(subject, client) == b"", "it was forgotten"
    client("MGET", "k", "l")
    writer("MSET", "k", "3", "l", "3")
    assert told(subject, client) == invalid("k") + invalid("l")


def test_writing_is_not_reading(subject: Subject, client: Client, writer: Client) -> None:
    client("CLIENT", "TRACKING", "ON")
    client("SET", "k", "1")
    turn(subject)
    writer("SET", "k", "2")
    assert told(subject, client) == b""


def test_what_a_client_writes_itself_is_told_to_it_after_the_reply(subject: Subject, client: Client) -> None:
    client("CLIENT", "TRACKING", "ON")
    client("GET", "k")
    assert client.raw("SET", "k", "1") == b"+OK\r\n"
    assert told(subject, client) == invalid("k")


def test_no_loop_spares_the_writer_and_nobody_else(subject: Subject, client: Client, writer: Client) -> None:
    other = resp3(subject)
    client("CLIENT", "TRACKING", "ON", "NOLOOP")
    other("CLIENT", "TRACKING", "ON")
    client("GET", "k"), other("GET", "k")
    client("SET", "k", "1")
    assert told(subject, client) == b""
    assert heard(other).endswith(invalid("k"))
    client("GET", "k")
    writer("SET", "k", "2")
    assert told(subject, client) == invalid("k")


def test_with_no_loop_anothers_write_in_the_same_turn_is_told(
    subject: Subject, client: Client, writer: Client
) -> None:
    client("CLIENT", "TRACKING", "ON", "BCAST", "NOLOOP")
    client("SET", "k", "1")
    assert told(subject, client) == b""
    client("SET", "k", "1")
    writer("SET", "k", "2")
    assert told(subject, client) == invalid("k")


def test_broadcast_tells_of_every_key_with_a_prefix(subject: Subject, client: Client, writer: Client) -> None:
    client("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "user:", "PREFIX", "x")
    writer("MSET", "user:1", "a", "x", "b", "user:2", "c", "y", "d")
    assert told(subject, client) == invalid("user:1", "user:2") + invalid("x")
    assert client("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "y") == b"OK"
    writer("SET", "y", "1")
    assert told(subject, client) == invalid("y")
    client("CLIENT", "TRACKING", "OFF")
    writer("SET", "y", "2")
    assert told(subject, client) == b""
    assert subject.engine.written.on_written is None
    assert subject.server.tracking.prefixes == {}


def test_broadcast_without_a_prefix_tells_of_every_key(
    subject: Subject, client: Client, writer: Client
) -> None:
    client("CLIENT", "TRACKING", "ON", "BCAST")
    writer("SET", "k", "1")
    assert told(subject, client) == invalid("k")


def test_who_changes_to_broadcast_hears_once_of_what_it_read_before(
    subject: Subject, client: Client, writer: Client
) -> None:
    client("CLIENT", "TRACKING", "ON")
    client("GET", "k")
    client("CLIENT", "TRACKING", "OFF")
    client("CLIENT", "TRACKING", "ON", "BCAST")
    writer("SET", "k", "1")
    assert told(subject, client) == invalid("k")


def test_who_was_blocked_hears_the_reply_before_what_it_changed(
    subject: Subject, client: Client, writer: Client
) -> None:
    client("CLIENT", "TRACKING", "ON")
    client("GET", "other")
    assert client.raw("BLPOP", "list", "0") == b""
    writer("SET", "other", "1")
    turn(subject)
    assert heard(client) == invalid("other"), "while it blocks it is told of other keys"
    client.session.server.tracking.remember(client.session, lookup([b"LLEN", b"list"]), [b"LLEN", b"list"])
    writer("RPUSH", "list", "a")
    turn(subject)
    assert heard(client) == b"*2\r\n$4\r\nlist\r\n$1\r\na\r\n" + invalid("list")


def test_opt_in_remembers_the_command_after_caching_yes(
    subject: Subject, client: Client, writer: Client
) -> None:
    client("CLIENT", "TRACKING", "ON", "OPTIN")
    client("GET", "a")
    client("CLIENT", "CACHING", "YES")
    client("GET", "b")
    client("GET", "c")
    writer("MSET", "a", "1", "b", "1", "c", "1")
    assert told(subject, client) == invalid("b")


def test_opt_in_remembers_a_whole_transaction(subject: Subject, client: Client, writer: Client) -> None:
    client("CLIENT", "TRACKING", "ON", "OPTIN")
    client("CLIENT", "CACHING", "YES")
    client("MULTI")
    client("GET", "a")
    client("GET", "b")
    client("EXEC")
    client("GET", "c")
    writer("MSET", "a", "1", "b", "1", "c", "1")
    assert told(subject, client) == invalid("a") + invalid("b")


def test_opt_out_remembers_all_but_the_command_after_caching_no(
    subject: Subject, client: Client, writer: Client
) -> None:
    client("CLIENT", "TRACKING", "ON", "OPTOUT")
    client("CLIENT", "CACHING", "NO")
    client("GET", "a")
    client("GET", "b")
    writer("MSET", "a", "1", "b", "1")
    assert told(subject, client) == invalid("b")


def test_another_connection_can_be_told_instead(subject: Subject, writer: Client) -> None:
    client, channel = subject.client(), subject.client()
    number = str(channel.session.id)
    channel.raw("SUBSCRIBE", "__redis__:invalidate")
    client("CLIENT", "TRACKING", "ON", "REDIRECT", number)
    assert client("CLIENT", "GETREDIR") == int(number)
    client("GET", "k")
    writer("SET", "k", "1")
    assert told(subject, channel) == (
        b"*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\nk\r\n"
    )


def test_a_redirection_that_breaks_is_told_in_resp3(subject: Subject, client: Client, writer: Client) -> None:
    channel = resp3(subject)
    client("CLIENT", "TRACKING", "ON", "REDIRECT", str(channel.session.id))
    client("GET", "k")
    channel.wire.close()
    writer("SET", "k", "1")
    assert told(subject, client) == b">2\r\n$21\r\ntracking-redir-broken\r\n:%d\r\n" % channel.session.id
    assert b"broken_redirect" in client("CLIENT", "TRACKINGINFO")[b"flags"]


def test_without_resp3_and_without_another_nobody_can_be_told(subject: Subject, writer: Client) -> None:
    client = subject.client()
    assert client("CLIENT", "TRACKING", "ON") == b"OK"
    client("GET", "k")
    writer("SET", "k", "1")
    assert told(subject, client) == b""


def test_a_script_that_reads_reads_all_the_keys_that_it_names(
    subject: Subject, client: Client, writer: Client
) -> None:
    client("CLIENT", "TRACKING", "ON")
    client("EVAL", "return redis.call('set', KEYS[1], '1')", "2", "{t}a", "{t}b")
    turn(subject)
    writer("MSET", "{t}a", "2", "{t}b", "2")
    assert told(subject, client) == b""
    client("EVAL", "return redis.call('get', '{t}c')", "2", "{t}a", "{t}b")
    writer("MSET", "{t}a", "3", "{t}b", "3", "{t}c", "3")
    assert told(subject, client) == invalid("{t}a") + invalid("{t}b") + invalid("{t}c")


def test_a_flush_is_told_to_whoever_remembers_keys(subject: Subject, client: Client, writer: Client) -> None:
    client("CLIENT", "TRACKING", "ON")
    client("GET", "k")
    writer.raw("FLUSHALL")
    client.wire.sent.clear()
    turn(subject, 200)
    assert heard(client) == FLUSH
    writer.raw("FLUSHALL")
    turn(subject, 200)
    assert heard(client) == b"", "it remembers nothing"


def test_in_broadcast_mode_a_flush_is_told_when_it_begins_and_when_it_is_over(
    subject: Subject, client: Client, writer: Client
) -> None:
    client("CLIENT", "TRACKING", "ON", "BCAST")
    writer.raw("FLUSHALL")
    client.wire.sent.clear()
    turn(subject, 200)
    assert heard(client) == FLUSH
    for _ in range(20):
        subject.engine.begin(subject.engine.now_ms, subject.engine.mono_s + 0.05)
        subject.server.tick()
        turn(subject)
    assert heard(client) == FLUSH


def test_a_full_table_forgets_what_was_first_and_says_so(
    subject: Subject, client: Client, writer: Client
) -> None:
    client("CONFIG", "SET", "tracking-table-max-keys", "2")
    client("CLIENT", "TRACKING", "ON")
    client("GET", "a")
    client("GET", "b")
    assert client.raw("GET", "c") == b"_\r\n" + invalid("a")
    assert list(subject.server.tracking.readers) == [b"b", b"c"]


def test_a_table_that_is_to_be_smaller_forgets_at_once(subject: Subject, client: Client) -> None:
    client("CLIENT", "TRACKING", "ON")
    client("MGET", "a", "b", "c")
    told = client.raw("CONFIG", "SET", "tracking-table-max-keys", "1")
    assert told.replace(b"+OK\r\n", b"") == invalid("a") + invalid("b")
    assert list(subject.server.tracking.readers) == [b"c"]


def test_who_leaves_is_forgotten(subject: Subject, client: Client, writer: Client) -> None:
    client("CLIENT", "TRACKING", "ON", "BCAST")
    client.wire.close()
    writer("SET", "k", "1")
    turn(subject)
    assert (subject.server.tracking.sessions, subject.engine.written.on_written) == (0, None)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("ON PREFIX a", "ERR PREFIX option requires BCAST mode to be enabled"),
        ("ON BCAST OPTIN", "ERR OPTIN and OPTOUT are not compatible with BCAST"),
        ("ON OPTIN OPTOUT", "ERR You can't specify both OPTIN mode and OPTOUT mode"),
        ("ON REDIRECT 999", "ERR The client ID you want redirect to does not exist"),
        ("ON REDIRECT x", "ERR value is not an integer or out of range"),
        ("ON REDIRECT", "ERR syntax error"),
        ("ON FOO", "ERR syntax error"),
        ("MAYBE", "ERR syntax error"),
        (
            "ON BCAST PREFIX ab PREFIX a",
            "ERR Prefix 'ab' overlaps with another provided prefix 'a'."
            " Prefixes for a single client must not overlap.",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(client: Client, words: str, error: str) -> None:
    assert client.error("CLIENT", "TRACKING", *words.split()) == error
    assert client.session.tracking is None


def test_modes_cannot_be_switched_while_tracking(client: Client) -> None:
    client("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "foo")
    assert client.error("CLIENT", "TRACKING", "ON").startswith("ERR You can't switch BCAST mode on/off")
    assert client.error("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "foobar") == (
        "ERR Prefix 'foobar' overlaps with an existing prefix 'foo'."
        " Prefixes for a single client must not overlap."
    )
    client("CLIENT", "TRACKING", "OFF")
    client("CLIENT", "TRACKING", "ON", "OPTIN")
    assert client.error("CLIENT", "TRACKING", "ON", "OPTOUT").startswith("ERR You can't switch OPTIN/OPTOUT")


def test_trackinginfo_tells_the_mode(subject: Subject) -> None:
    client = subject.client()
    assert client("CLIENT", "TRACKINGINFO") == [b"flags", [b"off"], b"redirect", -1, b"prefixes", []]
    assert client.error("CLIENT", "CACHING", "YES").startswith("ERR CLIENT CACHING can be called only")
    client("CLIENT", "TRACKING", "ON", "OPTIN", "NOLOOP")
    assert client.error("CLIENT", "CACHING", "NO").endswith("tracking is enabled in OPTOUT mode.")
    client("CLIENT", "CACHING", "YES")
    flags = [b"on", b"optin", b"caching-yes", b"noloop"]
    assert client("CLIENT", "TRACKINGINFO") == [b"flags", flags, b"redirect", 0, b"prefixes", []]
    client("CLIENT", "TRACKING", "OFF")
    client("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "b", "PREFIX", "a")
    assert client("CLIENT", "TRACKINGINFO")[1::4] == [[b"on", b"bcast"], [b"a", b"b"]]
