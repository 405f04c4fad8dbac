"""A three-rack cluster against a real Valkey 9: every command to a node drawn by chance, the same bytes back.

At quorum levels a cluster is one database to the eye: what one node took, any other gives. The conversations
are those of `conversations.py`. With both keys in one slot every command is one node's work; with keys in
slots of two primaries those on several keys scatter, or are refused with CROSSSLOT, which a single server
never says and is not asked about. The differences that are known stand in `test_commands_oracle.py`.
"""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conformance.conversations import CONVERSATIONS
from tests.conformance.oracle import Connection, assert_equal
from trio_dynomite.testing.local import LocalCluster, wait_until
from trio_dynomite.topology.partitioner import redis_slot

pytestmark = pytest.mark.integration

TOGETHER = {b"a": b"{same}a", b"b": b"{same}b"}
APART = {b"a": b"a", b"b": b"b"}
SPREAD = {b"MGET", b"MSET", b"DEL", b"UNLINK", b"EXISTS", b"TOUCH"}
"""Commands that take keys of several slots."""
LEVELS = ["DC_QUORUM", "DC_SAFE_QUORUM", "DC_EACH_SAFE_QUORUM"]

few = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=40,
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster({"dc1": [1, 1, 1]}) as cluster:
        yield cluster


@pytest.fixture
def nodes(cluster: LocalCluster, resp: int) -> Iterator[list[Connection]]:
    """A connection to each node."""
    with ExitStack() as stack:
        connections = []
        for node in cluster:
            wire = stack.enter_context(socket.create_connection((node.host, node.port), 10))
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connections.append(Connection(wire))
            connections[-1](b"HELLO", b"%d" % resp)
        yield connections


def set_level(nodes: list[Connection], level: str) -> None:
    for node in nodes:
        assert node(b"DYNO_CONFIG:CONN_CONSISTENCY", level.encode()) == b"+OK\r\n"


def test_the_keys_apart_have_different_primaries() -> None:
    slots = {redis_slot(key) for key in APART.values()}
    assert len({slot * 3 // 16384 for slot in slots}) == 2
    assert len({redis_slot(key) for key in TOGETHER.values()}) == 1


def run_both(nodes: list[Connection], valkey: Connection, request: tuple[bytes, ...], rng: Random) -> None:
    ours = rng.choice(nodes)(*request)
    if ours.startswith(b"-CROSSSLOT"):
        assert request[0].upper() not in SPREAD, request
    else:
        assert_equal(request, ours, valkey(*request))


@pytest.mark.parametrize("keys", [TOGETHER, APART], ids=["one slot", "two primaries"])
@few
@given(conversation=CONVERSATIONS, seed=st.integers(0, 2**32), level=st.sampled_from(LEVELS))
@example([(b"SET", b"a", b"1"), (b"INCR", b"a"), (b"MGET", b"a", b"b", b"a")], 1, LEVELS[0])
@example([(b"OBJECT", b"HELP"), (b"SET", b"a", b""), (b"INCR", b"a")], 1, LEVELS[0])
@example([(b"MSET", b"x", b"-12", b""), (b"MSET", b"a", b"1", b"b"), (b"GET", b"a")], 1, LEVELS[0])
@example([(b"MSET", b"a", b"1", b"b", b"2"), (b"EXISTS", b"a", b"b"), (b"DEL", b"a", b"b")], 2, LEVELS[0])
def test_random_conversations_with_random_nodes_get_the_same_replies(
    nodes: list[Connection],
    valkey: Connection,
    keys: dict[bytes, bytes],
    conversation: list[tuple[bytes, ...]],
    seed: int,
    level: str,
) -> None:
    rng = Random(seed)
    set_level(nodes, level)
    assert rng.choice(nodes)(b"FLUSHALL") == valkey(b"FLUSHALL") == b"+OK\r\n"
    for drawn in conversation:
        if drawn[0] == b"PLANT":
            continue
        run_both(nodes, valkey, tuple(keys.get(word, word) for word in drawn), rng)
        for key in keys.values():
            run_both(nodes, valkey, (b"GET", key), rng)
            run_both(nodes, valkey, (b"PTTL", key), rng)
    # Commands on all keys look at one copy, whatever the level; the copies agree within a moment.
    wait_until(lambda: all(node(b"DBSIZE") == valkey(b"DBSIZE") for node in nodes), "DBSIZE", timeout_s=5)


def is_of_one_slot(drawn: tuple[bytes, ...]) -> bool:
    return drawn[0] != b"PLANT" and (drawn[0] != b"MSETNX" or set(drawn[1::2]) <= set(TOGETHER))


@few
@given(conversation=CONVERSATIONS, chunks=st.lists(st.integers(1, 20), min_size=1), which=st.integers(0, 2))
@example([(b"SET", b"a", b"1"), (b"GET", b"a"), (b"INCR", b"a"), (b"MGET", b"a", b"b")], [4], 0)
@example([(b"SET", b"a", b"1"), (b"GET", b"a"), (b"INCR", b"a"), (b"MGET", b"a", b"b")], [4], 1)
@example([(b"SET", b"a", b"1"), (b"GET", b"a"), (b"INCR", b"a"), (b"MGET", b"a", b"b")], [4], 2)
def test_pipelines_to_one_node_get_the_same_replies(
    nodes: list[Connection],
    valkey: Connection,
    conversation: list[tuple[bytes, ...]],
    chunks: list[int],
    which: int,
) -> None:
    requests = [
        tuple(TOGETHER.get(word, word) for word in drawn) for drawn in conversation if is_of_one_slot(drawn)
    ]
    node = nodes[which]
    set_level(nodes, "DC_QUORUM")
    assert node(b"FLUSHALL") == valkey(b"FLUSHALL")
    for size in chunks * len(requests):
        some, requests = requests[:size], requests[size:]
        for request, ours, theirs in zip(some, node.pipeline(some), valkey.pipeline(some), strict=True):
            assert_equal(request, ours, theirs)
