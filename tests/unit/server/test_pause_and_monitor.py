"""CLIENT PAUSE holds back what it is to hold back, and MONITOR sees what was run, without secrets."""

import re

import pytest

from tests.unit.server.answers_subject import Client, Subject, make_subject
from tests.unit.server.test_pubsub import heard, resp3
from trio_dynomite.server.monitor import quoted_bytes
from trio_dynomite.server.redaction import redacted


@pytest.fixture
def subject() -> Subject:
    return make_subject(hosts=("127.0.0.1",), racks=("r1",))


@pytest.fixture
def client(subject: Subject) -> Client:
    return subject.client()


def pass_time(subject: Subject, seconds: float) -> None:
    """So long, and the turns that belong to it."""
    for step in (seconds, 0, 0):
        subject.engine.end()
        subject.engine.begin(subject.engine.now_ms, subject.engine.mono_s + step)
        subject.server.tick()
        subject.server.end()


class TestPause:
    def test_all_commands_of_everybody_wait_for_the_end(self, subject: Subject, client: Client) -> None:
        other = subject.client()
        assert client("CLIENT", "PAUSE", "1000") == b"OK"
        assert other.raw("PING") == b""
        assert client.raw("GET", "k") == b""
        pass_time(subject, 0.5)
        assert heard(other) == b""
        pass_time(subject, 0.6)
        assert (heard(other), heard(client)) == (b"+PONG\r\n", b"$-1\r\n")
        assert other.raw("PING") == b"+PONG\r\n"

    def test_writes_wait_and_reads_go_on(self, subject: Subject, client: Client) -> None:
        assert client("CLIENT", "PAUSE", "100000", "WRITE") == b"OK"
        reader, writer, publisher = subject.client(), subject.client(), subject.client()
        assert reader.raw("GET", "k") == b"$-1\r\n"
        assert writer.raw("SET", "k", "v") == b""
        assert publisher.raw("PUBLISH", "c", "x") == b""
        assert writer.session.is_blocked
        assert client("CLIENT", "UNPAUSE") == b"OK"
        pass_time(subject, 0)
        assert (heard(writer), heard(publisher)) == (b"+OK\r\n", b":0\r\n")
        assert not writer.session.is_blocked

    def test_a_transaction_waits_if_it_writes(self, subject: Subject, client: Client) -> None:
        reads, writes = subject.client(), subject.client()
        for transaction, command in ((reads, ("GET", "k")), (writes, ("SET", "k", "v"))):
            transaction.raw("MULTI")
            transaction.raw(*command)
        client("CLIENT", "PAUSE", "100000", "WRITE")
        assert reads.raw("EXEC") == b"*1\r\n$-1\r\n"
        assert writes.raw("EXEC") == b""
        client("CLIENT", "UNPAUSE")
        pass_time(subject, 0)
        assert heard(writes) == b"*1\r\n+OK\r\n"

    @pytest.mark.parametrize(
        ("words", "is_held"),
        [
            (("EVAL", "return 1", "0"), True),
            (("EVAL", "#!lua flags=no-writes\nreturn 1", "0"), False),
            (("EVAL_RO", "return 1", "0"), False),
            (("FCALL", "nope", "0"), True),
            (("PFCOUNT", "k"), True),
            (("SET", "k"), False),
            (("NOSUCH",), False),
        ],
    )
    def test_scripts_that_may_write_wait(
        self, subject: Subject, client: Client, words: tuple[str, ...], is_held: bool
    ) -> None:
        client("CLIENT", "PAUSE", "100000", "WRITE")
        other = subject.client()
        assert (other.raw(*words) == b"") is is_held

    def test_a_second_pause_makes_it_longer_and_stricter_never_less(
        self, subject: Subject, client: Client
    ) -> None:
        client("CLIENT", "PAUSE", "5000", "WRITE")
        client("CLIENT", "PAUSE", "1000", "WRITE")
        pass_time(subject, 2)
        writer = subject.client()
        assert writer.raw("SET", "k", "v") == b""
        client("CLIENT", "PAUSE", "1", "ALL")
        assert subject.client().raw("PING") == b""

    def test_who_leaves_in_a_pause_is_forgotten(self, subject: Subject, client: Client) -> None:
        client("CLIENT", "PAUSE", "1000", "WRITE")
        writer = subject.client()
        writer.raw("SET", "k", "v")
        writer.wire.close()
        assert subject.server.pause.held == {}
        pass_time(subject, 2)
        assert client("GET", "k") is None

    @pytest.mark.parametrize(
        ("words", "error"),
        [
            ("x", "ERR timeout is not an integer or out of range"),
            ("-1", "ERR timeout is negative"),
            ("1 foo", "ERR CLIENT PAUSE mode must be WRITE or ALL"),
        ],
    )
    def test_bad_pauses(self, client: Client, words: str, error: str) -> None:
        assert client.error("CLIENT", "PAUSE", *words.split()) == error


def lines(said: bytes) -> list[str]:
    """What stands in lines of MONITOR behind the time."""
    return [re.sub(r"^\+\d+\.\d{6} ", "", line) for line in said.decode().split("\r\n") if line]


class TestMonitor:
    def test_every_command_is_seen_with_the_name_as_it_was_written(
        self, subject: Subject, client: Client
    ) -> None:
        monitor = subject.client()
        assert monitor.raw("MONITOR") == b"+OK\r\n"
        heard(monitor)
        client("set", "k", b'a "\n\x01')
        client("MULTI")
        client("GET", "k")
        client("EXEC")
        client.raw("NOSUCH")
        client("CONFIG", "GET", "save")
        who = "[0 10.0.0.9:5000]"
        assert lines(heard(monitor)) == [
            f'{who} "set" "k" "a \\"\\n\\x01"',
            f'{who} "MULTI"',
            f'{who} "GET" "k"',
            f'{who} "EXEC"',
        ]

    def test_a_transaction_that_is_discarded_ends_for_a_monitor_too(
        self, subject: Subject, client: Client
    ) -> None:
        monitor = subject.client()
        monitor.raw("MONITOR")
        heard(monitor)
        client("MULTI")
        client.raw("NOSUCH")
        client.raw("EXEC")
        assert [line.rpartition(" ")[2] for line in lines(heard(monitor))] == ['"MULTI"', '"EXEC"']

    def test_no_password_is_seen(self, subject: Subject, client: Client) -> None:
        monitor = subject.client()
        monitor.raw("MONITOR")
        heard(monitor)
        client.raw("AUTH", "default", "pw")
        client.raw("HELLO", "3", "AUTH", "default", "pw", "SETNAME", "x")
        seen = heard(monitor)
        assert b"pw" not in seen
        assert lines(seen)[1].endswith('"HELLO" "3" "AUTH" "(redacted)" "(redacted)" "SETNAME" "x"')

    def test_a_monitor_sees_itself_after_the_reply_and_cannot_touch_keys(self, subject: Subject) -> None:
        monitor = resp3(subject)
        monitor.raw("MONITOR")
        assert monitor.raw("PING").startswith(b"+PONG\r\n+")
        assert monitor.error("GET", "k") == "ERR Replica can't interact with the keyspace"
        assert monitor.raw("MONITOR") == b""

    def test_the_commands_of_scripts_are_seen_after_the_script(
        self, subject: Subject, client: Client
    ) -> None:
        monitor = subject.client()
        monitor.raw("MONITOR")
        heard(monitor)
        client.raw("EVAL", "return redis.call('SET', KEYS[1], '1')", "1", "k")
        outer, inner = lines(heard(monitor))
        assert inner == '[0 lua] "SET" "k" "1"'
        assert outer.startswith('[0 10.0.0.9:5000] "EVAL" ')

    def test_reset_and_leaving_end_it(self, subject: Subject, client: Client) -> None:
        monitors = [subject.client(), subject.client()]
        for monitor in monitors:
            monitor.raw("MONITOR")
        monitors[0].raw("RESET")
        monitors[1].wire.close()
        heard(monitors[0])
        client("PING")
        assert heard(monitors[0]) == b""
        assert subject.server.modes == 0

    def test_a_transaction_cannot_become_a_monitor(self, client: Client) -> None:
        client("MULTI")
        client("MONITOR")
        assert client.raw("EXEC") == b"*1\r\n-ERR MONITOR isn't allowed for DENY BLOCKING client\r\n"


@pytest.mark.parametrize(
    ("name", "words", "shown"),
    [
        ("auth", "AUTH pw", "AUTH (redacted)"),
        ("auth", "AUTH me pw", "AUTH (redacted) (redacted)"),
        ("acl|setuser", "ACL SETUSER me >pw on", "ACL SETUSER (redacted) (redacted) (redacted)"),
        (
            "config|set",
            "CONFIG SET maxmemory 1 RequirePass pw",
            "CONFIG SET maxmemory 1 RequirePass (redacted)",
        ),
        ("migrate", "MIGRATE h 1 k 0 5 AUTH2 me pw", "MIGRATE h 1 k 0 5 AUTH2 (redacted) (redacted)"),
        ("set", "SET auth pw", "SET auth pw"),
    ],
)
def test_secrets_are_redacted(name: str, words: str, shown: str) -> None:
    assert b" ".join(redacted(name, words.encode().split())).decode() == shown


def test_what_cannot_be_printed_is_escaped() -> None:
    assert quoted_bytes(bytes([7, 8, 9, 10, 13, 34, 92, 65, 127, 255])) == r'"\a\b\t\n\r\"\\A\x7f\xff"'
