"""What is said to a server first, and what is made of its answers."""

import pytest

from tests.unit.storage.servers.wire import Wire
from trio_dynomite.protocol.memcached_replies import MetaReplyScanner
from trio_dynomite.protocol.resp_replies import ReplyScanner
from trio_dynomite.storage.servers.handshake import (
    Greeted,
    Handshake,
    Step,
    failed,
    memcached_steps,
    packed,
    redis_steps,
)
from trio_dynomite.storage.servers.pipe import ServerPipe

WELCOME = (
    b"%4\r\n$6\r\nserver\r\n$6\r\nvalkey\r\n$7\r\nversion\r\n$5\r\n9.1.2\r\n"
    b"$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"
)
WELCOME_2 = WELCOME.replace(b"%4", b"*8", 1)


def greet(steps: list[Step], *replies: bytes, is_memcached: bool = False) -> tuple[list[bytes], list[str]]:
    """What was sent, and what came of it."""
    pipe = ServerPipe(MetaReplyScanner() if is_memcached else ReplyScanner())
    wire = pipe.pipe = Wire(pipe)
    done: list[str] = []
    Handshake(steps, done.append).start(pipe)
    for reply in replies:
        assert not done
        pipe.received(reply)
    return wire.sent, done


def steps(greeted: Greeted, password: bytes | None = None, username: str | None = None) -> list[Step]:
    return redis_steps(greeted, protocol=3, username=username, password=password, database=5)


@pytest.mark.parametrize("welcome", [WELCOME, WELCOME_2])
def test_all_is_said_at_once_and_all_must_be_well(welcome: bytes) -> None:
    greeted = Greeted()
    sent, done = greet(steps(greeted, b"secret", "me"), welcome, b"+OK\r\n", b"+PONG\r\n", b"+OK\r\n")

    assert sent == [
        packed("HELLO", 3, "AUTH", "me", b"secret"),
        packed("CLIENT", "SETNAME", "trio-dynomite"),
        packed("PING"),
        packed("SELECT", 5),
    ]
    assert done == [""]
    assert (greeted.kind, greeted.version) == ("valkey", (9, 1, 2))


@pytest.mark.parametrize(
    ("password", "reply", "said"),
    [
        (
            "x",
            b"-WRONGPASS invalid username-password pair or user is disabled.\r\n",
            "refuses the password of user",
        ),
        (
            None,
            b"-NOAUTH HELLO must be called with the client already authenticated\r\n",
            "redis.password is not given",
        ),
        (b"x", b"-ERR AUTH <password> called without any password configured\r\n", "has no password"),
        (None, b"-ERR unknown command `HELLO`, with args\r\n", "is too old"),
        (None, b"-ERR max number of clients reached\r\n", "max number of clients"),
        (None, WELCOME.replace(b"$6\r\nmaster", b"$7\r\nreplica"), "is a replica of another server"),
        (None, WELCOME.replace(b"$10\r\nstandalone", b"$7\r\ncluster"), "runs in cluster mode"),
        (None, WELCOME.replace(b"9.1.2", b"6.1.2"), "is valkey 6.1.2; needed is"),
    ],
)
def test_the_first_mistake_is_told_in_words(password: bytes | None, reply: bytes, said: str) -> None:
    _, done = greet(steps(Greeted(), password), reply, b"-NOAUTH x\r\n", b"-NOAUTH x\r\n", b"-NOAUTH x\r\n")

    assert len(done) == 1
    assert said in done[0]
    assert "secret" not in done[0]


def test_a_server_that_loads_is_not_up() -> None:
    loading = b"-LOADING Valkey is loading the dataset in memory\r\n"
    _, done = greet(steps(Greeted()), WELCOME, b"+OK\r\n", loading, b"+OK\r\n")

    assert done == ["LOADING Valkey is loading the dataset in memory"]


def test_an_engine_adds_steps_of_its_own() -> None:
    load = Step(packed("FUNCTION", "LOAD", "REPLACE", "x"), failed)
    sent, done = greet(
        [*steps(Greeted()), load], WELCOME, b"+OK\r\n", b"+PONG\r\n", b"+OK\r\n", b"-ERR bad\r\n"
    )

    assert sent[-1] == load.request
    assert done == ["ERR bad"]


def test_a_connection_that_ends_is_no_answer() -> None:
    pipe = ServerPipe(ReplyScanner())
    pipe.pipe = Wire(pipe)
    done: list[str] = []
    Handshake(steps(Greeted()), done.append).start(pipe)
    pipe.closed("gone")

    assert not done


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (b"VERSION 1.6.18\r\n", ""),
        (b"VERSION 1.4.15\r\n", "is memcached 1.4.15; needed is 1.6.10 or newer"),
        (b"ERROR\r\n", "does not welcome this node: ERROR"),
    ],
)
def test_a_memcached_tells_its_version(reply: bytes, said: str) -> None:
    sent, done = greet(memcached_steps(Greeted()), reply, is_memcached=True)

    assert sent == [b"version\r\n"]
    assert done == [said]
