"""Pipelines of unlike commands, frozen nodes, time-outs, hang-ups: the n-th reply is the n-th command's."""

import random
import socket
import threading
from collections import Counter
from contextlib import closing
from typing import Any

import hiredis
import pytest
import redis
from attrs import define, field

from tests.integration.conftest import MakeCluster
from trio_dynomite.testing.local import LocalCluster, LocalNode, wait_until

pytestmark = pytest.mark.integration

LENGTH = 100
ALLOWED = ("NOREPLICAS", "UNKNOWN", "TIMEOUT")
"""What a command may be answered with instead, while nodes are frozen."""
Expected = tuple[tuple[Any, ...], Any]


def unlike(token: str, at: int) -> Expected:
    """A command, and its reply, which no other command of a pipeline has."""
    fresh, count = f"{{{token}}}:{at}", at % 7 + 1
    return [
        (("ECHO", f"{token}-{at}"), f"{token}-{at}".encode()),
        (("GET", f"before:{at}"), b"value of %d" % at),
        (("INCRBY", fresh, 1000 + at), 1000 + at),
        (("SET", fresh, "x" * at), b"OK"),
        (("RPUSH", fresh, *range(count)), count),
        (("HSET", fresh, *range(2 * count)), count),
        (("MGET", f"before:{at}", f"before:{at + 1}"), [b"value of %d" % at, b"value of %d" % (at + 1)]),
        (("SETRANGE", fresh, at, "end"), at + 3),
        (("PING", f"{at}"), b"%d" % at),
        ((f"NOSUCH{at}",), f"ERR unknown command 'NOSUCH{at}'"),
    ][at % 10]


def is_answer(reply: Any, expected: Any) -> bool:
    """Is this the reply, or an error that is allowed in its place?"""
    if isinstance(reply, hiredis.ReplyError):
        text = str(reply)
        return text.startswith(ALLOWED) or (isinstance(expected, str) and text.startswith(expected))
    return bool(reply == expected)


@define(eq=False)
class Piper:
    """A client that sends pipelines and looks at every reply; now and then it hangs up in the middle."""

    number: int
    nodes: list[LocalNode]
    ending: threading.Event
    replies: Counter[str] = field(factory=Counter)
    wrong: list[str] = field(factory=list)
    rng: random.Random = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.rng = random.Random(self.number)

    def run(self) -> None:
        """Until it is told to end."""
        round_ = 0
        while not self.ending.is_set() and not self.wrong:
            round_ += 1
            try:
                self.once(f"p{self.number}r{round_}", self.rng.choice(self.nodes))
            except OSError:
                self.replies["hung up"] += 1
            except Exception as error:  # a thread's end must not go unseen
                self.wrong.append(repr(error))

    def once(self, token: str, node: LocalNode) -> None:
        """One pipeline."""
        pipeline = [unlike(token, at) for at in range(LENGTH)]
        self.rng.shuffle(pipeline)
        reader, patience_s = hiredis.Reader(), self.rng.choice([0.2, 5.0, 5.0, 5.0])
        with closing(socket.create_connection((node.host, node.port), 5.0)) as wire:
            wire.settimeout(patience_s)
            wire.sendall(b"".join([hiredis.pack_command(request) for request, _ in pipeline]))
            for request, expected in pipeline:
                while (reply := reader.gets()) is False:
                    data = wire.recv(1 << 16)
                    if not data:
                        raise ConnectionError
                    reader.feed(data)
                self.note(request, reply, expected)

    def note(self, request: tuple[Any, ...], reply: Any, expected: Any) -> None:
        """Judge one reply."""
        is_error = isinstance(reply, hiredis.ReplyError) and not isinstance(expected, str)
        self.replies["error" if is_error else "right"] += 1
        if not is_answer(reply, expected):
            self.wrong.append(f"{request} was answered with {reply!r}, not {expected!r}")


def freeze_in_turn(cluster: LocalCluster) -> None:
    """Freeze each node for less than it takes to be down, and one for longer."""
    for node, seconds in [*[(node, 0.5) for node in cluster], (cluster["node2"], 1.5)]:
        node.freeze()
        threading.Event().wait(seconds)
        node.thaw()
        threading.Event().wait(0.7)


def test_the_nth_reply_answers_the_nth_command(make_cluster: MakeCluster) -> None:
    levels = {"read": "DC_QUORUM", "write": "DC_QUORUM"}
    sections = {"consistency": levels, "timeouts": {"request": "400ms", "down_after": "1s"}}
    cluster = make_cluster(sections=sections)
    for at in range(LENGTH + 1):
        assert cluster["node1"].command("SET", f"before:{at}", f"value of {at}") == b"OK"
    ending = threading.Event()
    pipers = [Piper(number, [*cluster], ending) for number in range(4)]
    threads = [threading.Thread(target=piper.run, daemon=True) for piper in pipers]
    for thread in threads:
        thread.start()
    freeze_in_turn(cluster)
    wait_until(
        lambda: any(piper.wrong or piper.replies["right"] > 500 for piper in pipers), "much is answered"
    )
    ending.set()
    for thread in threads:
        thread.join(20)
    assert [wrong for piper in pipers for wrong in piper.wrong] == []
    seen = sum([piper.replies for piper in pipers], Counter[str]())
    assert seen["error"] > 10
    assert seen["hung up"] > 2


def test_a_command_on_all_keys_keeps_its_place_in_a_pipeline(cluster: LocalCluster) -> None:
    with redis.Redis(port=cluster["node2"].port) as client, client.pipeline(transaction=False) as pipeline:
        for number in range(3):
            pipeline.flushall()
            pipeline.incr(f"cold:{number}")
            pipeline.dbsize()
            pipeline.get(f"cold:{number}")
            pipeline.flushdb()
            pipeline.keys("*")
        assert pipeline.execute() == [True, 1, 1, b"1", True, []] * 3
