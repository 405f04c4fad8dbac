"""Elements that go from clients to clients that wait for them: what is told of each, and whether it adds up.

Every pushed element is unique. One whose push was acknowledged is given to one client, or is still there. A
pop that ended in an error may have taken one element, and no more; there may be as many gone as that. Whoever
only reads (XREAD) is given all of them, in their order.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import Any

import redis
from attrs import define, field

from tests.integration.cluster import QUORUM, client, key_led_by
from trio_dynomite.testing.local import LocalCluster, LocalNode, wait_until

Client = Any
MOVED = "{queue}:moved"
_WAIT_S = 2
_WORDS: dict[str, Any] = {"decode_responses": True, "protocol": 2, "socket_timeout": 30}


@define
class Queue:
    """A way to hand elements on."""

    name: str
    key: str
    push: Callable[[Client, str, list[str]], object]
    take: Callable[[Client, str], str | None]
    """Wait for an element; None when there was none for a while."""
    left: Callable[[Client, str], list[str]]
    """What nobody has taken."""


def _second(answer: Any) -> str | None:
    return None if answer is None else answer[1]


def _entries(answer: Any) -> list[str]:
    return [fields["v"] for _, fields in answer[0][1]] if answer else []


def _next_of_group(connected: Client, key: str) -> str | None:
    found = _entries(connected.xreadgroup("g", "c", {key: ">"}, count=1, block=_WAIT_S * 1000))
    return found[0] if found else None


QUEUES = [
    Queue(
        "BLPOP",
        "{queue}:list",
        lambda connected, key, values: connected.rpush(key, *values),
        lambda connected, key: _second(connected.blpop([key], timeout=_WAIT_S)),
        lambda connected, key: connected.lrange(key, 0, -1),
    ),
    Queue(
        "BLMOVE",
        "{queue}:moving",
        lambda connected, key, values: connected.rpush(key, *values),
        lambda connected, key: connected.blmove(key, MOVED, timeout=_WAIT_S, src="LEFT", dest="RIGHT"),
        lambda connected, key: connected.lrange(key, 0, -1),
    ),
    Queue(
        "BZPOPMIN",
        "{queue}:sorted set",
        lambda connected, key, values: connected.zadd(key, {value: len(value) for value in values}),
        lambda connected, key: _second(connected.bzpopmin([key], timeout=_WAIT_S)),
        lambda connected, key: connected.zrange(key, 0, -1),
    ),
    Queue(
        "XREADGROUP",
        "{queue}:stream",
        lambda connected, key, values: [connected.xadd(key, {"v": value}) for value in values],
        _next_of_group,
        lambda connected, key: _entries(connected.xreadgroup("g", "c", {key: ">"})),
    ),
]
STREAM = QUEUES[-1]


def of_two(other: str) -> Queue:
    """A list and another one, of another primary, which are waited for together."""
    return Queue(
        "BLPOP of two",
        "{queue}:one of two",
        lambda connected, key, values: connected.rpush(other if len(values) == 2 else key, *values),
        lambda connected, key: _second(connected.blpop([key, other], timeout=_WAIT_S)),
        lambda connected, key: connected.lrange(key, 0, -1) + connected.lrange(other, 0, -1),
    )


@define(eq=False)
class Work:
    """One queue, a client that pushes to it, and clients that wait for one element after the other."""

    queue: Queue
    acknowledged: list[str] = field(factory=list)
    perhaps: list[str] = field(factory=list)
    """Whether these were pushed was not told."""
    taken: list[str] = field(factory=list)
    read: list[list[str]] = field(factory=list)
    """By each client that only reads."""
    unknown: list[str] = field(factory=list)
    """Errors of which each may have taken an element."""
    surprises: list[str] = field(factory=list)
    is_over: threading.Event = field(factory=threading.Event)

    @contextmanager
    def waiting(self, nodes: list[LocalNode]) -> Iterator[None]:
        """Clients wait at `nodes` until the block ends."""
        actions: list[Callable[[Client], None]] = [self._take] * len(nodes)
        if self.queue is STREAM:
            self.read = [[], []]
            nodes, actions = [*nodes, *nodes[:2]], actions + [_reader(self.queue.key, to) for to in self.read]
        threads = [
            threading.Thread(target=self._repeat, args=(node, action), daemon=True)
            for node, action in zip(nodes, actions, strict=True)
        ]
        with _running(threads, self.is_over):
            yield

    @contextmanager
    def pushing(self, node: LocalNode) -> Iterator[None]:
        """A client pushes through `node` until the block ends."""
        is_over, numbers = threading.Event(), count()

        def push() -> None:
            with client(node, QUORUM, **_WORDS) as connected:
                while not is_over.wait(0.002):
                    self.push(connected, next(numbers))

        with _running([threading.Thread(target=push, daemon=True)], is_over):
            yield

    def push(self, connected: Client, number: int) -> None:
        """Push a few elements; what is refused was not pushed."""
        values = [f"{number}-{part}" for part in range(number % 3 + 1)]
        try:
            self.queue.push(connected, self.queue.key, values)
            self.acknowledged += values
        except redis.ResponseError as error:
            if not str(error).startswith(("UNKNOWN", "NOREPLICAS")):
                self.surprises.append(str(error))
            self.perhaps += values

    def wait_more(self, more: int) -> None:
        """Wait until more elements have been acknowledged, and as many more taken."""
        goals = len(self.acknowledged) + more, len(self.taken) + more
        wait_until(
            lambda: len(self.acknowledged) >= goals[0] and len(self.taken) >= goals[1],
            f"{self.queue.name}: {more} more go through",
            timeout_s=30,
        )

    def wait_taken(self) -> None:
        """Wait until all that was acknowledged has been taken, and read by all who only read."""
        wait_until(
            lambda: all(len(told) >= len(self.acknowledged) for told in (self.taken, *self.read)),
            f"{self.queue.name}: all are taken",
            timeout_s=30,
        )

    def _repeat(self, node: LocalNode, action: Callable[[Client], None]) -> None:
        while not self.is_over.is_set():
            try:
                with client(node, QUORUM, **_WORDS) as connected:
                    while not self.is_over.is_set():
                        self._attempt(action, connected)
            except redis.ConnectionError:
                self.is_over.wait(0.05)
            except Exception as error:  # a thread's end must not go unseen
                self.surprises.append(repr(error))
                return

    def _attempt(self, action: Callable[[Client], None], connected: Client) -> None:
        try:
            action(connected)
        except redis.ResponseError as error:
            if str(error).startswith("UNKNOWN"):
                self.unknown.append(str(error))
            elif not str(error).startswith("NOREPLICAS"):
                self.surprises.append(str(error))
        except redis.ConnectionError as error:
            self.unknown.append(str(error))
            raise

    def _take(self, connected: Client) -> None:
        value = self.queue.take(connected, self.queue.key)
        if value is not None:
            self.taken.append(value)

    def assert_accounted(self, connected: Client) -> None:
        """Nothing is lost, given twice, or of nobody's making."""
        assert not self.surprises
        found = Counter(self.taken + self.queue.left(connected, self.queue.key))
        assert [value for value, times in found.items() if times > 1] == [], "given twice"
        assert set(found) <= {*self.acknowledged, *self.perhaps}
        lost = [value for value in self.acknowledged if value not in found]
        assert len(lost) <= len(self.unknown), (self.queue.name, lost, self.unknown)
        for read in self.read:
            assert read == _entries(connected.xread({self.queue.key: "0"}))[: len(read)]
            assert len(read) > 0


def _reader(key: str, read: list[str]) -> Callable[[Client], None]:
    """What reads on in a stream."""
    last = "0"

    def action(connected: Client) -> None:
        nonlocal last
        for _, entries in connected.xread({key: last}, block=_WAIT_S * 1000) or ():
            for number, fields in entries:
                read.append(fields["v"])
                last = number

    return action


@contextmanager
def _running(threads: list[threading.Thread], is_over: threading.Event) -> Iterator[None]:
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        deadline = time.monotonic() + 40
        for thread in threads:
            thread.join(max(0, deadline - time.monotonic()))
            assert not thread.is_alive(), "a client hangs"


def prepare(cluster: LocalCluster, node: LocalNode) -> list[Work]:
    """Work for every queue; the stream has its group, and one key has `node` for its primary."""
    with client(node, QUORUM) as connected:
        connected.xgroup_create(STREAM.key, "g", id="0", mkstream=True)
    return [Work(queue) for queue in [*QUEUES, of_two(key_led_by(cluster, node, "other"))]]


@contextmanager
def all_waiting(works: list[Work], nodes: list[LocalNode]) -> Iterator[None]:
    """Clients wait at `nodes` for every kind of work until the block ends."""
    with ExitStack() as stack:
        for work in works:
            stack.enter_context(work.waiting(nodes))
        try:
            yield
        finally:
            for work in works:
                work.is_over.set()


def assert_accounted(works: list[Work], node: LocalNode) -> None:
    """All that was pushed is accounted for, and what was moved is where it was moved to."""
    with client(node, QUORUM, **_WORDS) as connected:
        for work in works:
            work.assert_accounted(connected)
        moved = connected.lrange(MOVED, 0, -1)
    assert len(moved) == len(set(moved))
    assert set(works[1].taken) <= set(moved)
