"""What a server is asked around a module's command, with commands of its own in the place of one."""

from typing import Any

from tests.unit.storage.redis.node import SLOT_OF, RemoteNode
from tests.unit.storage.redis.sync_connection import SyncConnection
from trio_dynomite.commands.dump import decode, sealed
from trio_dynomite.commands.row import Row
from trio_dynomite.data.opaque import OpaqueBody
from trio_dynomite.data.record import is_live
from trio_dynomite.storage.redis.heads import decode_head, encode_head, listed_head
from trio_dynomite.storage.redis.layout import groups_at, heads_at
from trio_dynomite.storage.redis.modules import (
    Outcome,
    Place,
    beside,
    commands_step,
    outcome_in,
    replies_in,
    requests,
    undisturbed,
)
from trio_dynomite.storage.servers.handshake import failed

STAMP = 1_700_000_000_000 << 48 | 7
KEY = b"k"


def run(wire: SyncConnection, node: RemoteNode, *args: bytes, head: bytes | None = None) -> Outcome:
    """Run a request of one key as a module's."""
    node.fetch({KEY})
    entry = node.store.cache.find(KEY)  # type: ignore[attr-defined]
    is_there = is_live(node.record(KEY), node.now_ms)
    place = Place(KEY, SLOT_OF(KEY), entry.token if head is None else head, is_there)
    answers, refused = list[bytes](), list[bytes]()
    *first, last = requests(list(args), [place], STAMP)
    for request in first:
        wire.send(request, lambda reply: refused.append(reply) if failed(reply) else None)
    wire.send(last, answers.append)
    wire.pump()
    return outcome_in(answers[0], refused, 1)


def test_what_has_changed_is_told_with_its_payload(wire: SyncConnection) -> None:
    outcome = run(wire, RemoteNode(wire), b"SET", KEY, b"v", b"PX", b"50000")
    assert outcome.reply == b"+OK\r\n"
    assert outcome.was_as_thought
    (became,) = outcome.became
    assert became is not None
    assert (became.type, decode(became.payload), became.head) == ("string", ("string", b"v"), b"")
    assert became.deadline_ms > 50_000


def test_what_has_not_changed_is_not_told(wire: SyncConnection) -> None:
    node = RemoteNode(wire)
    node.run(b"HSET", KEY, b"f", b"v")
    for request in ((b"HSET", KEY, b"f", b"v"), (b"LPUSH", KEY, b"x"), (b"HGETALL", KEY)):
        outcome = run(wire, node, *request)
        assert outcome.was_as_thought
        assert list(outcome.became) == [None]
    assert wire.ask("KEYS", b"\x01d*") == []


def test_what_goes_and_comes_is_told(wire: SyncConnection) -> None:
    node = RemoteNode(wire)
    node.run(b"HSET", KEY, b"f", b"v")
    (became,) = run(wire, node, b"DEL", KEY).became
    assert became is not None
    assert (became.type, became.payload, became.deadline_ms) == ("none", b"", 0)
    assert wire.ask("HEXISTS", heads_at(SLOT_OF(KEY)), KEY) == 0
    assert wire.ask("KEYS", b"\x01[cgd]*") == []


def test_a_server_that_has_something_else_is_found_out(wire: SyncConnection) -> None:
    node = RemoteNode(wire)
    node.run(b"HSET", KEY, b"f", b"v")
    assert not run(wire, node, b"HGETALL", KEY, head=b"x").was_as_thought
    wire.ask("DEL", KEY)
    assert not run(wire, node, b"HGETALL", KEY).was_as_thought


def test_what_has_expired_here_is_gone_for_the_command(wire: SyncConnection) -> None:
    node = RemoteNode(wire)
    node.run(b"SET", KEY, b"v")
    node.run(b"PEXPIRE", KEY, b"1000")
    node.now_ms += 2000
    outcome = run(wire, node, b"GET", KEY)
    assert outcome.reply == b"$-1\r\n"
    assert outcome.was_as_thought


def test_what_the_server_refuses_to_queue_is_the_reply(wire: SyncConnection) -> None:
    for request in ((b"NONE", KEY), (b"SET", KEY)):
        outcome = run(wire, RemoteNode(wire), *request)
        assert outcome.reply.startswith(b"-ERR")
        assert not outcome.became
    assert wire.ask("PING") == b"PONG"


def test_a_head_that_the_server_writes() -> None:
    written = b"m" + STAMP.to_bytes(12) + b"1700000000123:probe-num"
    record = decode_head(written)
    assert record[:4] == (STAMP, "probe-num", STAMP, 1_700_000_000_123)
    assert decode_head(b"m" + STAMP.to_bytes(12) + b"0:vectorset")[:4] == (STAMP, "vectorset", 0, 0)
    full = (STAMP, "probe-num", STAMP, 1_700_000_000_123, OpaqueBody("probe-num", b"x"))
    assert listed_head(written) == listed_head(encode_head(full))


def test_what_stands_beside_its_key_is_told(wire: SyncConnection) -> None:
    node, answers = RemoteNode(wire), list[bytes]()
    payload = sealed(bytes.fromhex("0781bde72cb1eb5e7400") + b"x\x00", 11)

    def ask() -> bytes:
        wire.send(beside(Place(KEY, SLOT_OF(KEY), b"", True)), answers.append)
        wire.pump()
        return answers.pop()

    assert ask() == b":0\r\n"
    node.run(b"RESTORE", KEY, b"0", payload)
    assert wire.ask("GET", groups_at(KEY)) == payload
    assert ask() == b":1\r\n"
    assert not run(wire, node, b"TYPE", KEY).was_as_thought
    node.run(b"HSET", b"other", b"f", b"v")
    node.run(b"SET", KEY, b"v")
    assert ask() == b":0\r\n"
    assert wire.ask("EXISTS", groups_at(KEY)) == 0


def test_a_command_that_could_hold_up_all_runs_in_a_transaction(wire: SyncConnection) -> None:
    answers: list[bytes] = []
    for request in undisturbed([b"BLPOP", KEY, b"0"]):
        wire.send(request, answers.append)
    wire.pump()
    assert replies_in(answers[-1]) == [b"*-1\r\n"]


def test_a_server_without_modules_or_without_leave_has_none(wire: SyncConnection) -> None:
    found: list[list[Row]] = []
    step, answers = commands_step(found.append), list[bytes]()
    wire.send(step.request, answers.append)
    wire.pump()
    assert step.mistake_in(answers[0]) == ""
    assert step.mistake_in(b"-NOPERM no\r\n") == ""
    assert found == [[], []]


def test_replies_are_cut_as_they_are() -> None:
    nested: Any = b"*3\r\n*2\r\n:1\r\n$1\r\na\r\n,1.5\r\n%1\r\n+a\r\n_\r\n"
    assert replies_in(nested) == [b"*2\r\n:1\r\n$1\r\na\r\n", b",1.5\r\n", b"%1\r\n+a\r\n_\r\n"]
