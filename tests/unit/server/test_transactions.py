"""MULTI, EXEC and WATCH as the session sees them: what is queued, what is refused, and how replies are woven.

The coordinator's part, atomicity and versions, is played by `Book`, which answers at once or when it is told.
"""

from collections.abc import Callable
from typing import Any

import pytest
from attrs import define, field

from tests.unit.server.answers_subject import Client, Subject, make_subject
from trio_dynomite.commands.row import Row
from trio_dynomite.coordinator import several
from trio_dynomite.coordinator.engine import Engine
from trio_dynomite.protocol.replies import NULL_ARRAY, array, error, integer
from trio_dynomite.server.elements import elements


@define(eq=False)
class Book:
    """The coordinator's part."""

    engine: Engine
    versions: dict[bytes, int] = field(factory=dict)
    wholes: list[list[bytes]] = field(factory=list)
    """The names of the commands of each atomic whole that was run."""
    is_slow: bool = False
    refusal: bytes | None = None
    _later: list[Callable[[], None]] = field(factory=list)

    def of(self, keys: list[bytes], caller: Any) -> bytes | None:
        return self._answer(caller, lambda: array([integer(self.versions.get(key, 0)) for key in keys]))

    def run(
        self, requests: list[tuple[Row, list[bytes]]], watched: list[tuple[bytes, int]], caller: Any
    ) -> bytes | None:
        def act() -> bytes:
            if any(self.versions.get(key, 0) != version for key, version in watched):
                return NULL_ARRAY[caller.resp]
            if self.refusal is not None:
                return self.refusal
            self.wholes.append([args[0] for _, args in requests])
            return array([self.engine.execute(row, args, caller.resp) for row, args in requests])

        return self._answer(caller, act)

    def _answer(self, caller: Any, act: Callable[[], bytes]) -> bytes | None:
        if not self.is_slow:
            return act()
        place = caller.wait()
        self._later.append(lambda: place.done(act()))
        return None

    def go_on(self) -> None:
        """Answer what was asked slowly."""
        later, self._later = self._later, []
        for act in later:
            act()


@pytest.fixture
def subject() -> Subject:
    return make_subject(hosts=("127.0.0.1",), racks=("r1",))


@pytest.fixture
def client(subject: Subject) -> Client:
    return subject.client()


@pytest.fixture
def book(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> Book:
    book = Book(subject.engine)
    monkeypatch.setattr(several, "versions", lambda engine, *args: book.of(*args))
    monkeypatch.setattr(several, "submit_transaction", lambda engine, *args: book.run(*args))
    return book


def queue(client: Client, *commands: str) -> None:
    assert client.raw("MULTI") == b"+OK\r\n"
    for command in commands:
        assert client.raw(*command.split()) == b"+QUEUED\r\n"


def test_exec_answers_every_command_in_order(client: Client, book: Book) -> None:
    queue(client, "SET k 1", "INCR k", "GET k")
    assert client.raw("EXEC") == b"*3\r\n+OK\r\n:2\r\n$1\r\n2\r\n"
    assert book.wholes == [[b"SET", b"INCR", b"GET"]]
    assert client.error("EXEC") == "ERR EXEC without MULTI"


def test_an_error_of_one_command_leaves_the_others(client: Client, book: Book) -> None:
    queue(client, "SET k x", "INCR k", "GET k")
    assert client.raw("EXEC").startswith(b"*3\r\n+OK\r\n-ERR value is not an integer")


def test_nothing_queued_is_an_empty_array(client: Client, book: Book) -> None:
    queue(client)
    assert client.raw("EXEC") == b"*0\r\n"
    assert book.wholes == []


def test_discard_forgets_what_was_queued_and_watched(client: Client, book: Book) -> None:
    client("WATCH", "k")
    queue(client, "SET k 1")
    assert client("DISCARD") == b"OK"
    assert client.session.watched == {}
    assert client("GET", "k") is None
    assert client.error("DISCARD") == "ERR DISCARD without MULTI"


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (("NOSUCH",), "ERR unknown command 'NOSUCH', with args beginning with: "),
        (("SET", "k"), "ERR wrong number of arguments for 'set' command"),
        (("MULTI",), "ERR Command 'multi' not allowed inside a transaction"),
        (("WATCH", "k"), "ERR Command 'watch' not allowed inside a transaction"),
        (("CLIENT", "REPLY", "OFF"), "ERR Command 'client|reply' not allowed inside a transaction"),
    ],
)
def test_what_is_refused_when_it_is_queued_makes_exec_refuse_all(
    client: Client, book: Book, words: tuple[str, ...], refusal: str
) -> None:
    queue(client, "SET k 1")
    assert client.error(*words) == refusal
    assert client.raw("SET", "k", "2") == b"+QUEUED\r\n"
    assert client.error("EXEC") == "EXECABORT Transaction discarded because of previous errors."
    assert client("GET", "k") is None
    assert book.wholes == []


def test_exec_with_arguments_discards_in_its_own_words(client: Client, book: Book) -> None:
    queue(client, "SET k 1")
    assert client.error("EXEC", "x") == (
        "EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command"
    )
    assert client("GET", "k") is None


def test_a_watched_key_that_was_changed_makes_exec_null(client: Client, book: Book) -> None:
    book.versions[b"k"] = 7
    assert client("WATCH", "k", "other", "k") == b"OK"
    assert client.session.watched == {b"k": 7, b"other": 0}
    queue(client, "SET k 1")
    book.versions[b"k"] = 8
    assert client.raw("EXEC") == b"*-1\r\n"
    queue(client, "SET k 1")
    assert client.raw("EXEC") == b"*1\r\n+OK\r\n", "EXEC ends watching, whatever comes of it"


def test_watching_again_keeps_the_first_version(client: Client, book: Book) -> None:
    client("WATCH", "k")
    book.versions[b"k"] = 1
    client("WATCH", "k")
    queue(client, "PING")
    assert client.raw("EXEC") == b"*-1\r\n"


def test_unwatch_forgets(client: Client, book: Book) -> None:
    client("WATCH", "k")
    client("UNWATCH")
    book.versions[b"k"] = 1
    queue(client, "SET k 1")
    assert client.raw("EXEC") == b"*1\r\n+OK\r\n"


def test_what_the_node_answers_itself_is_woven_in_and_parts_no_whole(client: Client, book: Book) -> None:
    queue(client, "PING", "SET k 1", "ECHO hi", "SELECT 9", "GET k", "CLIENT ID")
    assert client.raw("EXEC") == (
        b"*6\r\n+PONG\r\n+OK\r\n$2\r\nhi\r\n-ERR DB index is out of range\r\n$1\r\n1\r\n:1\r\n"
    )
    assert book.wholes == [[b"SET", b"GET"]]


def test_a_refused_whole_refuses_what_the_node_would_have_done_too(
    subject: Subject, client: Client, book: Book
) -> None:
    listener = subject.client()
    listener.raw("SUBSCRIBE", "c")
    listener.wire.sent.clear()
    book.refusal = error("CROSSSLOT Keys in request don't hash to the same slot")
    queue(client, "SET k 1", "PUBLISH c x")
    assert client.error("EXEC").startswith("CROSSSLOT")
    assert listener.wire.sent == []


def test_a_message_of_a_transaction_comes_after_its_reply(subject: Subject, book: Book) -> None:
    client = subject.client()
    client("HELLO", "3")
    client.raw("SUBSCRIBE", "c")
    queue(client, "PUBLISH c x", "SET k 1")
    assert client.raw("EXEC") == b"*2\r\n:1\r\n+OK\r\n>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n"


def test_commands_on_all_keys_run_when_their_turn_comes(subject: Subject, client: Client, book: Book) -> None:
    queue(client, "SET k 1", "DBSIZE", "SET l 1", "PING", "DBSIZE")
    client.raw("EXEC")
    for _ in range(3):
        subject.engine.end()
        subject.engine.begin(subject.engine.now_ms, subject.engine.mono_s)
        subject.server.end()
    assert b"".join(client.wire.sent) == b"*5\r\n+OK\r\n:1\r\n+OK\r\n+PONG\r\n:2\r\n"
    assert book.wholes == [[b"SET"], [b"SET"]]


def test_what_follows_a_transaction_waits_for_its_reply(subject: Subject, client: Client, book: Book) -> None:
    queue(client, "SET k 1", "PING")
    book.is_slow = True
    assert client.raw("EXEC") == b""
    assert client.raw("PING") == b""
    book.go_on()
    subject.server.end()
    assert b"".join(client.wire.sent) == b"*2\r\n+OK\r\n+PONG\r\n+PONG\r\n"


def test_nothing_is_read_before_the_versions_are_known(subject: Subject, client: Client, book: Book) -> None:
    book.is_slow = True
    assert client.raw("WATCH", "k") == b""
    assert client.raw("GET", "k") == b""
    book.versions[b"k"] = 3
    book.go_on()
    subject.server.end()
    assert b"".join(client.wire.sent) == b"+OK\r\n$-1\r\n"
    assert client.session.watched == {b"k": 3}


def test_reset_ends_a_transaction(client: Client, book: Book) -> None:
    queue(client, "SET k 1")
    assert client.raw("RESET") == b"+RESET\r\n"
    assert client.raw("GET", "k") == b"$-1\r\n"


def test_client_list_tells_of_a_transaction(subject: Subject, client: Client, book: Book) -> None:
    client("WATCH", "a", "b")
    queue(client, "SET k 1")
    line = subject.client().text("CLIENT", "LIST", "ID", str(client.session.id))
    assert " multi=1 watch=2 " in line
    assert " flags=x " in line


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b"+OK\r\n", b":1\r\n", b"$-1\r\n", b"*-1\r\n", b"_\r\n", b"#t\r\n", b",1.5\r\n", b"(12\r\n"],
        [b"$4\r\n\r\n\r\n\r\n", b"$0\r\n\r\n", b"=6\r\ntxt:\r\n\r\n", b"!5\r\nERR x\r\n", b"-ERR x\r\n"],
        [b"*2\r\n*1\r\n:1\r\n$1\r\na\r\n", b"*0\r\n", b"%1\r\n+a\r\n*1\r\n:2\r\n", b"~2\r\n:1\r\n:2\r\n"],
        [b"|1\r\n+ttl\r\n:3\r\n*1\r\n:1\r\n", b":2\r\n"],
    ],
)
def test_the_elements_of_an_array_are_its_bytes(parts: list[bytes]) -> None:
    assert elements(b"*%d\r\n" % len(parts) + b"".join(parts)) == parts
