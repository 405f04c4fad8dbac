"""A three-rack cluster as the subject of comparisons: every request to a node drawn by chance.

The same request goes to the cluster and to Valkey, with its keys put where a conversation wants them: in one
slot, or apart, in slots of several primaries. What writes keys of several primaries is refused there with
CROSSSLOT, which a single server never says, and is not asked about. After a conversation every node's own
copy must be what Valkey has.
"""

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from random import Random

from attrs import define
from hypothesis import HealthCheck, settings

from tests.conformance.compare import Request, assert_same, settled
from tests.conformance.draws import assert_same_draw, draws
from tests.conformance.families import KEYS_OF_ALL
from tests.conformance.oracle import Connection
from trio_dynomite.commands.row import Gather, Row, Spread
from trio_dynomite.commands.table import find
from trio_dynomite.errors import CommandError
from trio_dynomite.testing.local import LocalCluster, wait_until
from trio_dynomite.topology.partitioner import redis_slot

TAG = b"{same}"
LEVELS = ["DC_QUORUM", "DC_SAFE_QUORUM", "DC_EACH_SAFE_QUORUM"]
FIELDS = (b"FIELDS", b"6", b"f", b"g", b"h", b"7", b"", b"\x00\r\n")
READINGS: dict[bytes, list[Request]] = {
    b"+string": [(b"GET",)],
    b"+list": [(b"LRANGE", b"0", b"-1")],
    b"+set": [(b"SMEMBERS",)],
    b"+zset": [(b"ZRANGE", b"0", b"-1", b"WITHSCORES")],
    b"+hash": [(b"HGETALL",), (b"HPEXPIRETIME", *FIELDS)],
    b"+stream": [(b"XINFO", b"STREAM", b"FULL", b"COUNT", b"0"), (b"XINFO", b"GROUPS")],
    b"+none": [],
}
"""What shows all that a key of each type holds; the key follows the name, or XINFO's subcommand."""
_SPLIT = frozenset(["blpop", "brpop", "bzpopmin", "bzpopmax"])
"""They wait for the keys of each primary there."""
TOGETHER = {key: TAG + key for key in KEYS_OF_ALL}
APART = {key: key for key in KEYS_OF_ALL} | {b"m": b"n"}


@define
class ClusterSubject:
    """The nodes of a cluster: of each a connection that asks at a quorum, and one that asks its own copy."""

    nodes: list[Connection]
    copies: list[Connection]
    rng: Random

    def __call__(self, *args: bytes) -> bytes:
        """The raw reply of some node."""
        return self.rng.choice(self.nodes)(*args)

    def begin(self, valkey: Connection, level: str, seed: int) -> None:
        """No keys on either side; chance begins anew."""
        self.rng.seed(seed)
        for node in self.nodes:
            assert node(b"DYNO_CONFIG:CONN_CONSISTENCY", level.encode()) == b"+OK\r\n"
        assert self(b"FLUSHALL") == valkey(b"FLUSHALL") == b"+OK\r\n"


@contextmanager
def connected(
    cluster: LocalCluster, resp: int, kind: type[Connection] = Connection
) -> Iterator[ClusterSubject]:
    """Connections to the nodes of a cluster."""
    with ExitStack() as stack:
        nodes, copies = [
            [kind(stack.enter_context(_wire(node.host, node.port))) for node in cluster] for _ in range(2)
        ]
        for connection in nodes + copies:
            connection(b"HELLO", b"%d" % resp)
        yield ClusterSubject(nodes, copies, Random(1))


def _wire(host: str, port: int) -> socket.socket:
    wire = socket.create_connection((host, port), 10)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return wire


def placed(request: Request, keys: dict[bytes, bytes]) -> Request:
    """The request with its words changed as `keys` says; patterns of SORT's weights follow the keys."""
    tag = next(iter(keys.values()))[:-1] if keys else b""
    return tuple(keys.get(word, tag + word if word.startswith((b"w_", b"h_")) else word) for word in request)


def settings_for(examples: int, steps: int = 50) -> settings:
    """The same few examples each time; with ORACLE_EXAMPLES others, as many as that."""
    asked = os.environ.get("ORACLE_EXAMPLES")
    return settings(
        derandomize=asked is None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        max_examples=int(asked or examples),
        stateful_step_count=steps,
    )


def primaries(keys: Sequence[bytes]) -> int:
    """How many nodes lead some of these keys: the ring is in three parts, and each rack leads one."""
    return len({redis_slot(key) * 3 // 16384 for key in keys})


def is_cross_slot(request: Request) -> bool:
    """Is it refused where its keys have several primaries, because it writes some, or waits for them?"""
    row, args = find(list(request)), list(request)
    if row is None or not row.takes(len(request)) or row.spread is not Spread.KEY:
        return False
    if row.name in _SPLIT or (row.gather is not Gather.NO and not _waits(row, args)):
        return False
    return primaries(row.keys(args)) > 1


def _waits(row: Row, args: list[bytes]) -> bool:
    try:
        return row.blocking is not None and row.blocking(args) >= 0
    except CommandError:
        return False


def run_both(subject: ClusterSubject, valkey: Connection, request: Request) -> None:
    """Give both the request, and compare the replies."""
    if request[0] == b"PLANT":
        for words in planted(request[1]):
            run_both(subject, valkey, words)
    elif draws(request):
        assert_same_draw(subject, valkey, request)
    else:
        ours = subject(*request)
        if ours.startswith(b"-CROSSSLOT"):
            assert is_cross_slot(request), request
        else:
            assert_same(request, ours, valkey(*request))


def planted(key: bytes) -> list[Request]:
    """What makes a key a list, for commands on other types to stumble upon."""
    return [(b"DEL", key), (b"RPUSH", key, b"item")]


def assert_same_copies(subject: ClusterSubject, valkey: Connection, keys: list[bytes]) -> None:
    """Every node's own copy of some keys is soon the same, and what Valkey has."""
    wait_until(lambda: _agree(subject, keys), f"all copies of {keys} agree", timeout_s=5)
    for key in keys:
        for request in (*readings(subject.copies[0], key), (b"PEXPIRETIME", key)):
            assert_same(request, subject.copies[0](*request), valkey(*request))


def _agree(subject: ClusterSubject, keys: list[bytes]) -> bool:
    states = [[state(copy, key) for key in keys] for copy in subject.copies]
    return all(one == states[0] for one in states)


def state(copy: Callable[..., bytes], key: bytes) -> list[object]:
    """All that a server holds at a key."""
    requests = [*readings(copy, key), (b"PEXPIRETIME", key)]
    return [settled(request, copy(*request)) for request in requests]


def readings(copy: Callable[..., bytes], key: bytes) -> list[Request]:
    """The requests that show all of a key, by its type."""
    kind = copy(b"TYPE", key)
    found: list[Request] = [(b"TYPE", key)]
    for name, *rest in READINGS[kind[:-2]]:
        found.append((name, rest[0], key, *rest[1:]) if name == b"XINFO" else (name, key, *rest))
    return found
