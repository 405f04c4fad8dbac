"""Sessions against a real Valkey 9: what two clients are sent, byte for byte, whatever modes they are in.

Subscriptions, transactions, tracking and muted replies change what a command answers and when messages come.
Two clients of a node of ours and two of a real server do the same, and each must be sent the same.
"""

import os
import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import hiredis
import pytest
from attrs import define
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.unit.server.answers_subject import Client, Subject, make_subject

few = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=int(os.environ.get("SESSION_EXAMPLES", "60")),
)

WORDS = [
    *("SUBSCRIBE a", "SUBSCRIBE a b", "SUBSCRIBE", "UNSUBSCRIBE a", "UNSUBSCRIBE nope", "PSUBSCRIBE a*"),
    *(
        "PSUBSCRIBE [a-b] x",
        "PUNSUBSCRIBE a*",
        "PUNSUBSCRIBE nope",
        "SSUBSCRIBE a",
        "SUNSUBSCRIBE",
        "SUNSUBSCRIBE a",
    ),
    *("PUBLISH a hello", "PUBLISH b hello", "PUBLISH nobody x", "SPUBLISH a hello", "PUBLISH a"),
    *(
        "PUBSUB NUMSUB a b",
        "PUBSUB NUMPAT",
        "PUBSUB CHANNELS a",
        "PUBSUB SHARDNUMSUB a",
        "PUBSUB SHARDCHANNELS",
    ),
    *("PUBSUB NUMPAT x", "PUBSUB CHANNELS a b", "PUBSUB FOO", "PUBSUB"),
    *(
        "MULTI",
        "MULTI",
        "EXEC",
        "EXEC",
        "DISCARD",
        "EXEC x",
        "WATCH k",
        "WATCH k l",
        "WATCH",
        "UNWATCH",
        "MULTI x",
    ),
    *(
        "SET k 1",
        "SET k 2",
        "GET k",
        "INCR k",
        "DEL k",
        "APPEND k x",
        "GET l",
        "SET l 5",
        "MGET k l",
        "LPUSH k x",
    ),
    *("PING", "PING x", "PING x y", "ECHO hi", "SELECT 0", "SELECT 1", "RESET", "NOSUCH", "GET", "DBSIZE"),
    *("CLIENT REPLY ON", "CLIENT REPLY OFF", "CLIENT REPLY SKIP", "CLIENT REPLY foo"),
    *("CLIENT TRACKING ON", "CLIENT TRACKING OFF", "CLIENT TRACKING ON BCAST", "CLIENT TRACKING ON OPTIN"),
    *("CLIENT TRACKING ON OPTOUT", "CLIENT TRACKING ON NOLOOP", "CLIENT TRACKING ON BCAST PREFIX k NOLOOP"),
    *(
        "CLIENT TRACKING ON BCAST OPTIN",
        "CLIENT TRACKING ON PREFIX k",
        "CLIENT TRACKING ON FOO",
        "CLIENT GETREDIR",
    ),
    *(
        "CLIENT CACHING YES",
        "CLIENT CACHING NO",
        "CLIENT CACHING foo",
        "CLIENT TRACKINGINFO",
        "CLIENT GETNAME",
    ),
    *("CLIENT SETNAME bob", "CLIENT NO-EVICT on", "CLIENT NO-TOUCH foo", "CLIENT UNPAUSE", "CLIENT NOSUCH"),
    *(
        "CLIENT PAUSE x",
        "CLIENT PAUSE 1 foo",
        "CLIENT UNBLOCK 99999",
        "CLIENT UNBLOCK 1 foo",
        "CLIENT KILL ID 0",
    ),
    *("SLOWLOG GET -2", "SLOWLOG HELP", "LATENCY RESET foo", "LATENCY GRAPH foo", "LATENCY HISTORY foo"),
    *(
        "LATENCY HELP",
        "PUBSUB HELP",
        "COMMANDLOG HELP",
        "COMMANDLOG LEN foo",
    ),
    *("DEBUG", "WAITAOF 0 0 0", "WAITAOF 1 0 0", "WAITAOF x 0 0", "REPLICAOF NO ONE", "LOLWUT VERSION x"),
]
STEP = st.tuples(st.integers(0, 1), st.sampled_from(WORDS))
# Each conversation keeps to a few commands, so that they meet each other's results (swarm testing).
CONVERSATIONS = st.lists(st.sampled_from(WORDS), min_size=3, max_size=9).flatmap(
    lambda chosen: st.lists(st.tuples(st.integers(0, 1), st.sampled_from(chosen)), min_size=5, max_size=30)
)


@define
class Pair:
    """One client of ours, and one of Valkey's that does the same."""

    ours: Client
    theirs: socket.socket
    ours_said: bytes = b""
    theirs_said: bytes = b""

    def send(self, words: list[str]) -> None:
        self.ours.session.received(hiredis.pack_command(tuple(words)))  # type: ignore[arg-type]
        self.theirs.sendall(hiredis.pack_command(tuple(words)))  # type: ignore[arg-type]

    def hear(self, patience_s: float) -> None:
        """Take what both were sent; Valkey has so long to send as much as we did."""
        self.ours_said += b"".join(self.ours.wire.sent)
        self.ours.wire.sent.clear()
        end = time.monotonic() + patience_s
        while True:
            wait_s = end - time.monotonic() if len(self.theirs_said) < len(self.ours_said) else 0.0
            if not select.select([self.theirs], [], [], max(0.0, wait_s))[0]:
                return
            said = self.theirs.recv(1 << 16)
            assert said, "the server closed the connection"
            self.theirs_said += said


def turn(subject: Subject) -> None:
    for _ in range(3):
        subject.engine.end()
        subject.server.end()
        subject.engine.begin(time.time_ns() // 1_000_000, time.monotonic())
    subject.engine.end()


@pytest.fixture
def wires(server_path: str, resp: int) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        wires = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(3)]
        for wire in wires:
            while wire.connect_ex(server_path):
                time.sleep(0.01)
        yield wires


def begin(wires: list[socket.socket], resp: int) -> list[Pair]:
    """Two fresh clients on each side, and no keys."""
    subject = make_subject(hosts=("127.0.0.1",), racks=("r1",))
    wires[2].sendall(b"FLUSHALL\r\n")
    assert wires[2].recv(100) == b"+OK\r\n"
    pairs = []
    for wire in wires[:2]:
        wire.sendall(b"CLIENT REPLY ON\r\nRESET\r\nHELLO %d\r\n" % resp)
        time.sleep(0.002)
        while not wire.recv(1 << 16).endswith(b"lua\r\n$4\r\nargs\r\n*0\r\n"):
            pass
        client = subject.client()
        client.raw("HELLO", str(resp))
        client.wire.sent.clear()
        pairs.append(Pair(client, wire))
    return pairs


@few
@given(conversation=CONVERSATIONS)
@example(
    [
        (0, "SUBSCRIBE a"),
        (1, "PUBLISH a hello"),
        (0, "PING"),
        (0, "GET k"),
        (0, "PUBLISH a hello"),
        (0, "RESET"),
    ]
)
@example([(0, "WATCH k"), (1, "SET k 1"), (0, "MULTI"), (0, "GET k"), (0, "PING"), (0, "EXEC"), (0, "EXEC")])
@example(
    [(0, "CLIENT TRACKING ON"), (0, "GET k"), (1, "SET k 1"), (0, "SET k 2"), (0, "GET k"), (0, "SET k 1")]
)
@example(
    [(0, "CLIENT REPLY OFF"), (0, "SUBSCRIBE a"), (0, "PING"), (1, "PUBLISH a hello"), (0, "CLIENT REPLY ON")]
)
@example(
    [(0, "MULTI"), (0, "SUBSCRIBE a b"), (0, "PUBLISH a hello"), (0, "PING"), (0, "DBSIZE"), (0, "EXEC")]
)
def test_two_clients_are_sent_the_same(
    wires: list[socket.socket], resp: int, conversation: list[tuple[int, str]]
) -> None:
    pairs = begin(wires, resp)
    for at, (who, words) in enumerate(conversation):
        pairs[who].send(words.split())
        if not pairs[who].ours.wire.sent:
            # No reply tells when Valkey has run it, and the next command may come to it another way.
            time.sleep(0.005)
        turn(Subject(pairs[0].ours.session.server))
        for pair in pairs:
            pair.hear(1.0)
            done = [f"{number}> {request}" for number, request in conversation[: at + 1]]
            assert pair.theirs_said[: len(pair.ours_said)] == pair.ours_said, done
    time.sleep(0.002)
    for pair in pairs:
        pair.hear(0.0)
        assert pair.theirs_said == pair.ours_said, conversation
