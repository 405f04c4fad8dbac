"""A machine that gives random commands of all types to a cluster and to Valkey, as two clients, side by side.

Each client's next command goes to a node drawn by chance; a transaction stays on the node where it began.
Nothing is known of what commands do: both must reply the same, and in the end every node must hold what
Valkey holds. WATCH must notice every change, through whatever node it is made. ORACLE_EXAMPLES says how many
runs.
"""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import hiredis
import pytest
from attrs import define, field
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from tests.conformance.cluster_subject import (
    APART,
    LEVELS,
    TAG,
    TOGETHER,
    ClusterSubject,
    assert_same_copies,
    connected,
    placed,
    planted,
    run_both,
    settings_for,
)
from tests.conformance.compare import Request, assert_same, assert_same_exec
from tests.conformance.draws import draws
from tests.conformance.families import FAMILIES, Family
from tests.conformance.oracle import Connection
from tests.conformance.sort_requests import SORTABLE, SORTS
from trio_dynomite.commands.table import find
from trio_dynomite.testing.local import LocalCluster

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),
]

LEFT_OUT = {b"DUMP", b"PFCOUNT", b"PFDEBUG"}
"""DUMP tells a stream's times, PFCOUNT writes in Valkey what shows in the string (`compare.py`)."""
KINDS = [family for family in FAMILIES if family.name != "sorts"]
SORTING = [SORTABLE[0], SORTS[0], SORTS[5]]
"""By numbers alone: C's locale takes texts with a zero byte for equal, and weights may become so."""
PHASES = [Phase.explicit, Phase.reuse, Phase.generate]
"""Without shrinking, which would take longer on real processes than a test may last."""
KEYS = [b"a", b"b", b"l", b"m"]


def some_of(kinds: list[Family]) -> st.SearchStrategy[list[st.SearchStrategy[Request]]]:
    """Some requests of some types: so they meet each other's results (swarm testing)."""
    made = [drawn for kind in kinds for drawn in kind.begins]
    others = [drawn for kind in kinds for drawn in kind.requests] + SORTING
    return st.lists(st.sampled_from(others), min_size=2, max_size=10).map(lambda chosen: made + chosen)


SWARMS = st.lists(st.sampled_from(KINDS), min_size=1, max_size=3).flatmap(some_of)
TRANSACTION = [b"WATCH", b"WATCH", b"MULTI", b"MULTI", b"EXEC", b"EXEC", b"DISCARD", b"UNWATCH"]
WHO = st.integers(0, 1)
WATCHED = st.lists(st.sampled_from([TOGETHER[key] for key in KEYS]), min_size=1, max_size=2)


@define
class OneByOne(Connection):
    """A connection that may be in a transaction, where what marks the end of other replies is queued, too."""

    def pipeline(self, requests: list[Request]) -> list[bytes]:
        """The raw replies to requests, each of which is sent once the one before was answered."""
        return [self._ask(request) for request in requests]

    def _ask(self, request: Request) -> bytes:
        self.wire.sendall(hiredis.pack_command(request))  # type: ignore[arg-type]
        reader, said = hiredis.Reader(), b""
        while reader.gets() is False:
            chunk = self.wire.recv(1 << 20)
            assert chunk, "the server closed the connection"
            said += chunk
            reader.feed(chunk)
        return said


@define
class Pair:
    """One client of the cluster, with a connection to each node, and one of Valkey that does the same."""

    ours: ClusterSubject
    theirs: Connection
    at: Connection | None = None
    """Where its transaction is, or will be: WATCH and MULTI are about one connection."""
    queued: list[Request] | None = None
    """Since MULTI."""

    def both(self, *request: bytes) -> None:
        """Give a command about the transaction to both."""
        assert self.at is not None
        assert_same(request, self.at(*request), self.theirs(*request))


def is_of_one_slot(request: Request) -> bool:
    """Can it be a part of a transaction, whose keys must all be in one slot? SORT's patterns lead away."""
    row = find(list(request))
    if request[0].upper().startswith(b"SORT") and {word.upper() for word in request} & {b"BY", b"GET"}:
        return False
    return row is None or all(key.startswith(TAG) for key in row.keys(list(request)))


@define(eq=False)
class Stage:
    """What the machines of one test play on."""

    pairs: list[Pair] = field(factory=list)


class Mix(RuleBasedStateMachine):
    """Two clients, each of both."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.pairs = stage.pairs

    @initialize(level=st.sampled_from(LEVELS), seed=st.integers(0, 2**32), swarm=SWARMS)
    def begin(self, level: str, seed: int, swarm: list[st.SearchStrategy[Request]]) -> None:
        self.requests = st.one_of(swarm).filter(lambda drawn: drawn[0].upper() not in LEFT_OUT)
        for pair in self.pairs:
            pair.ours.begin(pair.theirs, level, seed)

    @rule(who=WHO, data=st.data(), keys=st.sampled_from([TOGETHER, TOGETHER, APART]))
    def ask(self, who: int, data: st.DataObject, keys: dict[bytes, bytes]) -> None:
        pair = self.pairs[who]
        for drawn in data.draw(st.lists(self.requests, min_size=1, max_size=6)):
            if pair.queued is None:
                run_both(pair.ours, pair.theirs, placed(drawn, keys))
            elif not draws(drawn):
                request = placed(drawn, TOGETHER)
                for one in planted(request[1]) if request[0] == b"PLANT" else [request]:
                    self.queue(pair, one)

    def queue(self, pair: Pair, request: Request) -> None:
        assert pair.at is not None
        assert pair.queued is not None
        if is_of_one_slot(request):
            ours, theirs = pair.at(*request), pair.theirs(*request)
            assert ours == theirs, request
            if ours == b"+QUEUED\r\n":
                pair.queued.append(request)

    @rule(who=WHO, name=st.sampled_from(TRANSACTION), keys=WATCHED, seed=st.integers(0, 2))
    def go_on(self, who: int, name: bytes, keys: list[bytes], seed: int) -> None:
        pair = self.pairs[who]
        pair.at = pair.at or pair.ours.nodes[seed]
        if name == b"EXEC":
            assert_same_exec(pair.queued or [], pair.at(b"EXEC"), pair.theirs(b"EXEC"))
        else:
            pair.both(name, *(keys if name == b"WATCH" else []))
        if name == b"MULTI":
            pair.queued = pair.queued or []
        elif name in (b"EXEC", b"DISCARD") and pair.queued is not None:
            pair.at = pair.queued = None
        elif name == b"UNWATCH" and pair.queued is not None:
            pair.queued.append((name,))

    def teardown(self) -> None:
        for pair in self.pairs:
            if pair.queued is not None:
                pair.both(b"DISCARD")
            for node in [*pair.ours.nodes, pair.theirs]:
                node(b"UNWATCH")
            pair.at = pair.queued = None
        first = self.pairs[0]
        keys = [where[key] for key in KEYS for where in (TOGETHER, APART)]
        assert_same_copies(first.ours, first.theirs, keys)


@contextmanager
def connected_to(path: str, resp: int) -> Iterator[Connection]:
    """One more connection to Valkey."""
    with socket.socket(socket.AF_UNIX) as wire:
        wire.connect(path)
        connection = OneByOne(wire)
        connection(b"HELLO", b"%d" % resp)
        yield connection


def test_two_clients_of_both_are_told_the_same(
    whole_cluster: LocalCluster, valkey: Connection, server_path: str, resp: int
) -> None:
    stage = Stage()
    with ExitStack() as stack:
        for _ in range(2):
            ours = stack.enter_context(connected(whole_cluster, resp, OneByOne))
            theirs = stack.enter_context(connected_to(server_path, resp))
            stage.pairs.append(Pair(ours, theirs))
        run_state_machine_as_test(
            lambda: Mix(stage), settings=settings(settings_for(12, steps=40), phases=PHASES)
        )
