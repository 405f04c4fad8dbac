"""Real clusters under test: clients that never repeat by themselves, writers that remember what was said."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import redis
from attrs import define, field
from redis.backoff import NoBackoff
from redis.retry import Retry

from trio_dynomite.testing.local import LocalCluster, LocalNode, wait_until

ONE, QUORUM, SAFE, EACH = "DC_ONE", "DC_QUORUM", "DC_SAFE_QUORUM", "DC_EACH_SAFE_QUORUM"


@contextmanager
def client(node: LocalNode, level: str | None = None, **options: Any) -> Iterator[Any]:
    """One redis-py connection to `node`, at `level`; nothing is ever sent twice."""
    connected = redis.Redis(
        node.host,
        node.port,
        single_connection_client=True,
        retry=Retry(NoBackoff(), 0),
        **{"socket_timeout": 10, **options},
    )
    try:
        if level is not None:
            set_level(connected, level)
        yield connected
    finally:
        connected.close()


def set_level(connected: Any, level: str) -> None:
    """Choose the consistency level of a client's only connection."""
    assert connected.execute_command("DYNO_CONFIG:CONN_CONSISTENCY", level) in (b"OK", "OK", True)


def wait_missed(cluster: LocalCluster, *away: LocalNode) -> None:
    """Wait until all others have given up whoever is away.

    One of them is not enough: it may send a request to another, which still sends it to whoever is away."""
    for node in cluster:
        for peer in away if node.is_running and node not in away else ():
            wait_until(lambda at=(node, peer): has_given_up(*at), f"{node.name} misses {peer.name}")  # type: ignore[misc]


def has_given_up(node: LocalNode, peer: LocalNode) -> bool:
    """Does `node` hold `peer` for dead, so that others take its place?"""
    return "liveness=down" in node.info("dynomite")[f"peer_{peer.name}"].split(",")


def set_all(node: LocalNode, values: Mapping[str, bytes | int], timeout_s: float = 15.0) -> None:
    """Set every key, again where nobody knows whether it was done: on a busy machine that happens."""
    left, until_s, said = dict(values), time.monotonic() + timeout_s, set[str]()
    with client(node) as connected:
        while left:
            assert time.monotonic() < until_s, f"{len(left)} keys are not set: {said}"
            pipeline = connected.pipeline(transaction=False)
            for key, value in left.items():
                pipeline.set(key, value)
            replies = dict(zip(left, pipeline.execute(raise_on_error=False), strict=True))
            said = {str(reply) for reply in replies.values() if reply is not True}
            left = {key: value for key, value in left.items() if replies[key] is not True}


def primary_of(cluster: LocalCluster, key: str, asked: LocalNode | None = None) -> LocalNode:
    """The node that leads the slot of `key`, by what `asked` (or else the first running node) tells."""
    asked = asked or next(node for node in cluster if node.is_running)
    slot = asked.command("CLUSTER", "KEYSLOT", key)
    (port,) = [at[2][1] for at in asked.command("CLUSTER", "SLOTS") if at[0] <= slot <= at[1]]
    return next(node for node in cluster if node.port == port)


def key_led_by(
    cluster: LocalCluster, node: LocalNode, word: str = "key", asked: LocalNode | None = None
) -> str:
    """A key whose primary is `node`."""
    keys = (f"{word}:{number}" for number in range(10_000))
    return next(key for key in keys if primary_of(cluster, key, asked) is node)


def wait_read(client: Any, key: str, value: bytes | None, timeout_s: float = 15.0) -> None:
    """Wait until a GET gives `value`."""
    wait_until(lambda: client.get(key) == value, f"{key} is {value!r}", timeout_s=timeout_s)


@define(eq=False)
class Writers:
    """Threads that write through some nodes at one level, with unique keys and counters, until stopped.

    A write that was acknowledged is in `acknowledged` or counted in `counted`; one whose outcome nobody
    told is counted in `uncertain`, one that was refused in `refused`.
    """

    nodes: list[LocalNode]
    level: str = QUORUM
    counters: int = 5
    acknowledged: dict[str, bytes] = field(factory=dict)
    counted: dict[str, int] = field(factory=dict)
    uncertain: dict[str, int] = field(factory=dict)
    reasons: list[str] = field(factory=list)
    """Of the uncertain ones."""
    refused: list[str] = field(factory=list)
    surprises: list[str] = field(factory=list)
    _ending: threading.Event = field(factory=threading.Event)
    _lock: threading.Lock = field(factory=threading.Lock)
    _threads: list[threading.Thread] = field(factory=list)

    def __enter__(self) -> "Writers":
        for number, node in enumerate(self.nodes):
            thread = threading.Thread(target=self._write, args=(number, node), daemon=True)
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive(), "a writer hangs"

    def done(self) -> int:
        """Acknowledged writes so far."""
        with self._lock:
            return len(self.acknowledged) + sum(self.counted.values())

    def wait_more(self, count: int = 300, timeout_s: float = 20.0) -> None:
        """Wait until `count` more writes were acknowledged."""
        goal = self.done() + count
        wait_until(lambda: self.done() >= goal, f"{count} more writes: {self}", timeout_s=timeout_s)

    def _write(self, number: int, node: LocalNode) -> None:
        at = 0
        while not self._ending.is_set():
            try:
                with client(node, self.level) as connected:
                    while not self._ending.is_set():
                        at += 1
                        self._write_once(connected, number, at)
            except redis.ConnectionError:
                self._ending.wait(0.05)
            except Exception as error:  # a thread's end must not go unseen
                self.surprises.append(repr(error))
                return

    def _write_once(self, connected: Any, number: int, at: int) -> None:
        key, value = f"w{number}:{at}", f"{number}-{at}".encode()
        counter = f"c{at % self.counters}"
        if self._attempt(key, lambda: connected.set(key, value)):
            with self._lock:
                self.acknowledged[key] = value
        if self._attempt(counter, lambda: connected.incr(counter)):
            with self._lock:
                self.counted[counter] = self.counted.get(counter, 0) + 1

    def _attempt(self, key: str, write: Any) -> bool:
        try:
            write()
            return True
        except redis.ResponseError as error:
            word = str(error).split()[0]
            if word == "NOREPLICAS":
                self.refused.append(str(error))
            elif word == "UNKNOWN":
                self._note_uncertain(key, error)
            else:
                self.surprises.append(str(error))
            return False
        except (redis.ConnectionError, redis.TimeoutError) as error:
            self._note_uncertain(key, error)
            raise

    def _note_uncertain(self, key: str, error: Exception) -> None:
        with self._lock:
            self.reasons.append(f"{key}: {error}")
            self.uncertain[key] = self.uncertain.get(key, 0) + 1


def assert_kept(writers: Writers, node: LocalNode, level: str) -> None:
    """Every acknowledged write can be read from `node`, and every counter is exact."""
    assert not writers.surprises
    with client(node, level) as connected:
        keys = list(writers.acknowledged)
        found = [value for some in batches(keys, 500) for value in connected.mget(some)]
        lost = [key for key, value in zip(keys, found, strict=True) if value != writers.acknowledged[key]]
        assert not lost, f"{len(lost)} of {len(keys)} acknowledged writes are not at {node.name}: {lost[:5]}"
        for name, count in writers.counted.items():
            value = int(connected.get(name))
            most = count + writers.uncertain.get(name, 0)
            assert count <= value <= most, f"{name} at {node.name}: {count} <= {value} <= {most}"


def batches(items: list[str], size: int) -> Iterator[list[str]]:
    """`items` in parts of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def wait_converged(cluster: LocalCluster, writers: Writers, timeout_s: float = 20.0) -> None:
    """Wait until every node alone (DC_ONE reads its own copy) has every acknowledged write."""
    for node in cluster:

        def complete(node: LocalNode = node) -> bool:
            try:
                assert_kept(writers, node, ONE)
            except (AssertionError, TypeError):
                return False
            return True

        try:
            wait_until(complete, f"{node.name} has everything", timeout_s=timeout_s)
        except TimeoutError:
            assert_kept(writers, node, ONE)
            raise
