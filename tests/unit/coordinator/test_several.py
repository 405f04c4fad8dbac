"""Commands whose keys live apart, and transactions, on simulated clusters."""

from collections.abc import Callable

import pytest

from trio_dynomite.commands.table import lookup
from trio_dynomite.coordinator.engine import Engine
from trio_dynomite.coordinator.several import submit_transaction, versions
from trio_dynomite.model import Level
from trio_dynomite.protocol.replies import array, bulk
from trio_dynomite.testing.client import Client
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import SimNode, Simulation

ONE, QUORUM = Level.DC_ONE, Level.DC_QUORUM


@pytest.fixture(params=[[1, 1, 1], [2, 2, 2]], ids=["a node per rack", "two nodes per rack"])
def cluster(request: pytest.FixtureRequest) -> Simulation:
    simulation = Simulation(layout(request.param), 1)
    simulation.start()
    return simulation


def apart(cluster: Simulation, count: int) -> list[bytes]:
    """Keys of as many routes as there are, over and over."""
    table = next(iter(cluster.nodes.values())).engine.table
    keys: dict[int, bytes] = {}
    for number in range(1000):
        keys.setdefault(table.of_key(b"k%d" % number).number, b"k%d" % number)
    assert len(keys) > 1
    return list(keys.values())[:count]


@pytest.mark.parametrize("level", [ONE, QUORUM])
def test_set_algebra_over_all_of_the_ring(cluster: Simulation, level: Level) -> None:
    first, second = apart(cluster, 2)
    names = sorted(cluster.nodes)
    cluster.ask(names[0], QUORUM, b"SADD", first, b"a", b"b", b"c")
    cluster.ask(names[0], QUORUM, b"SADD", second, b"b", b"c", b"d")
    cluster.run_for(0.2)
    for name in names:
        assert cluster.ask(name, level, b"SINTERCARD", b"2", first, second) == b":2\r\n"
        assert cluster.ask(name, level, b"SDIFF", first, second) == b"*1\r\n$1\r\na\r\n"
        for target in (b"t1", b"t2", b"t3", b"t4"):
            assert cluster.ask(name, level, b"SUNIONSTORE", target, first, second) == b":4\r\n"
            assert cluster.ask(name, QUORUM, b"SCARD", target) == b":4\r\n"
    assert cluster.ask(names[0], level, b"SDIFF", second, first, first) == b"*1\r\n$1\r\nd\r\n"


def test_gathered_reads_are_repaired_at_a_quorum(cluster: Simulation) -> None:
    first, second = apart(cluster, 2)
    name = sorted(cluster.nodes)[0]
    for number in range(20):
        cluster.ask(name, QUORUM, b"ZADD", first, b"%d" % number, b"m")
        reply = cluster.ask(name, QUORUM, b"ZUNION", b"2", first, second, b"WITHSCORES")
        assert reply == b"*2\r\n$1\r\nm\r\n" + b"$%d\r\n%d\r\n" % (len(str(number)), number)


def test_who_stored_what_was_gathered_elsewhere_finds_it(cluster: Simulation) -> None:
    """A forwarded write is answered once this node's own copy has it, also when it was gathered first."""
    first, second = apart(cluster, 2)
    names = sorted(cluster.nodes)
    cluster.ask(names[0], QUORUM, b"SADD", first, b"a", b"b", b"c")
    cluster.run_for(0.2)
    found = []
    for name in names * 10:
        engine = cluster.nodes[name].engine
        targets = [b"t1", b"t2", b"t3", b"t4", b"t5"]
        for target in [key for key in targets if engine.table.of_key(key).is_replica]:
            for args in ([b"SUNIONSTORE", target, first, second], [b"SDIFFSTORE", target, second, first]):

                def look(reply: bytes, engine: Engine = engine, key: bytes = target) -> None:
                    found.append((reply, engine.execute(lookup([b"SCARD", key]), [b"SCARD", key], 2)))

                cluster.call(name, ONE, args, look)
                cluster.run_for(0.2)
    assert len(found) >= 60
    assert [pair for pair in found if pair[0] != pair[1]] == []


def test_what_is_stored_knows_of_the_writes_before_it(cluster: Simulation) -> None:
    """At DC_ONE, too: the copy where it is stored may be behind the one of the client's node."""
    first, second = apart(cluster, 2)
    names = sorted(cluster.nodes)
    for number in range(120):
        name = names[number % len(names)]
        cluster.ask(name, ONE, b"SADD", first, b"%d" % number)
        target = b"t%d" % (number % 5)
        assert cluster.ask(name, ONE, b"SUNIONSTORE", target, first, second) == b":%d\r\n" % (number + 1)


def test_sort_finds_weights_of_other_primaries(cluster: Simulation) -> None:
    names = sorted(cluster.nodes)
    weights = {b"%d" % number: b"%d" % (number * 7 % 10) for number in range(10)}
    for element, weight in weights.items():
        cluster.ask(names[0], QUORUM, b"RPUSH", b"list", element)
        cluster.ask(names[0], QUORUM, b"SET", b"w_" + element, weight)
        cluster.ask(names[0], QUORUM, b"HSET", b"h_" + element, b"f", weight)
    cluster.run_for(0.2)
    ordered = sorted(weights, key=lambda element: int(weights[element]))
    answer = array([bulk(word) for element in ordered for word in (element, weights[element])])
    for name in names:
        for level in (ONE, QUORUM):
            request = [b"list", b"BY", b"w_*", b"GET", b"#", b"GET", b"h_*->f"]
            assert cluster.ask(name, level, b"SORT", *request) == answer
            assert cluster.ask(name, level, b"SORT_RO", *request) == answer
            assert cluster.ask(name, level, b"SORT", *request, b"STORE", b"t%d" % level) == b":20\r\n"
            cluster.ask(name, QUORUM, b"SET", b"w_0", b"-1")
            assert cluster.ask(name, QUORUM, b"SORT_RO", b"list", b"BY", b"w_*").startswith(
                b"*10\r\n$1\r\n0\r\n"
            )
            cluster.ask(name, QUORUM, b"SET", b"w_0", b"0")


def test_in_a_transaction_sort_may_not_lead_away(cluster: Simulation) -> None:
    def in_transaction(*args: bytes) -> bytes:
        commands = [(lookup(list(args)), list(args))]
        first = sorted(cluster.nodes)[0]
        return in_turn(
            cluster, first, lambda node, client: submit_transaction(node.engine, commands, [], client)
        )

    denied = b"*1\r\n-ERR %s option of SORT denied in cluster mode when keys formed by the pattern may be in"
    denied += b" different slots.\r\n"
    assert in_transaction(b"SORT", b"list", b"BY", b"w_*") == denied % b"BY"
    assert in_transaction(b"SORT_RO", b"{x}", b"BY", b"nosort", b"GET", b"{y}*") == denied % b"GET"
    assert in_transaction(b"SORT", b"{x}", b"BY", b"w_{x}_*", b"GET", b"#") == b"*1\r\n*0\r\n"


def test_copies_and_comparisons_of_strings_gather(cluster: Simulation) -> None:
    first, second = apart(cluster, 2)
    names = sorted(cluster.nodes)
    cluster.ask(names[0], QUORUM, b"SADD", first, b"a", b"b")
    cluster.ask(names[0], QUORUM, b"SET", b"{%b}text" % first, b"hello")
    cluster.ask(names[0], QUORUM, b"SET", b"{%b}text" % second, b"help")
    for name in names:
        texts = [b"{%b}text" % key for key in (first, second)]
        assert cluster.ask(name, QUORUM, b"LCS", *texts, b"LEN") == b":3\r\n"
        assert cluster.ask(name, QUORUM, b"COPY", first, second, b"REPLACE") == b":1\r\n"
        assert cluster.ask(name, QUORUM, b"COPY", first, second) == b":0\r\n"
        assert cluster.ask(name, QUORUM, b"SCARD", second) == b":2\r\n"
        assert cluster.ask(name, QUORUM, b"SADD", second, b"c") == b":1\r\n"
        assert cluster.ask(name, QUORUM, b"SCARD", first) == b":2\r\n"


def test_guests_leave_no_trace(cluster: Simulation) -> None:
    first, second = apart(cluster, 2)
    names = sorted(cluster.nodes)
    cluster.ask(names[0], QUORUM, b"SADD", first, b"a")
    cluster.run_for(0.2)
    sums = {name: list(node.engine.keyspace.store.sums) for name, node in cluster.nodes.items()}
    sizes = {name: sum(map(len, n.engine.keyspace.store.records)) for name, n in cluster.nodes.items()}
    for name in names:
        assert cluster.ask(name, ONE, b"SUNION", first, second) == b"*1\r\n$1\r\na\r\n"
    assert {name: list(node.engine.keyspace.store.sums) for name, node in cluster.nodes.items()} == sums
    assert {
        name: sum(map(len, n.engine.keyspace.store.records)) for name, n in cluster.nodes.items()
    } == sizes


def test_what_writes_several_keys_is_refused_when_they_live_apart(cluster: Simulation) -> None:
    first, second = apart(cluster, 2)
    name = sorted(cluster.nodes)[0]
    cluster.ask(name, QUORUM, b"SADD", first, b"a")
    for request in ([b"SMOVE", first, second, b"a"], [b"RENAME", first, second], [b"LMOVE", first, second]):
        args = [*request, b"LEFT", b"LEFT"] if request[0] == b"LMOVE" else request
        assert cluster.ask(name, QUORUM, *args).startswith(b"-CROSSSLOT")
    assert cluster.ask(name, QUORUM, b"SCARD", first) == b":1\r\n"


def in_turn(cluster: Simulation, name: str, act: Callable[[SimNode, Client], bytes | None]) -> bytes:
    answers: list[bytes] = []
    node, client = cluster.nodes[name], Client(QUORUM, QUORUM, answers.append)

    def turn() -> None:
        reply = act(node, client)
        if reply is not None:
            client.done(reply)

    node.turn(turn)
    cluster.run_for(0.3)
    assert len(answers) == 1
    return answers[0]


def test_a_transaction_runs_at_once_or_not_at_all(cluster: Simulation) -> None:
    first = apart(cluster, 1)[0]
    for name in sorted(cluster.nodes):
        cluster.ask(name, QUORUM, b"DEL", first)
        before = version_of(cluster, name, first)
        requests = [[b"INCR", first], [b"LPUSH", first, b"x"], [b"INCR", first]]
        commands = [(lookup(args), args) for args in requests]

        def run(seen: int, name: str = name, commands: list = commands) -> bytes:  # type: ignore[type-arg]
            return in_turn(
                cluster,
                name,
                lambda node, client: submit_transaction(node.engine, commands, [(first, seen)], client),
            )

        assert run(before).startswith(b"*3\r\n:1\r\n-WRONGTYPE")
        assert run(before) == b"*-1\r\n"
        assert cluster.ask(name, QUORUM, b"GET", first) == b"$1\r\n2\r\n"


def version_of(cluster: Simulation, name: str, key: bytes) -> int:
    reply = in_turn(cluster, name, lambda node, client: versions(node.engine, [key], client))
    return int(reply.removeprefix(b"*1\r\n:"))


def test_a_key_that_came_and_went_has_changed(cluster: Simulation) -> None:
    """A record without a value, one without elements, and one that was never there."""
    key, other = apart(cluster, 1)[0], sorted(cluster.nodes)[0]
    for name in sorted(cluster.nodes):
        assert version_of(cluster, name, b"never") == 0
        before = version_of(cluster, name, key)
        assert before == version_of(cluster, other, key)
        for come, go in ((b"LPUSH", b"LPOP"), (b"SADD", b"SPOP"), (b"SET", b"GETDEL")):
            cluster.ask(name, QUORUM, come, key, b"x")
            cluster.ask(other, QUORUM, go, key)
            after = version_of(cluster, name, key)
            assert after != before
            before = after


def test_a_transaction_over_keys_that_live_apart_is_refused(cluster: Simulation) -> None:
    first, second = apart(cluster, 2)
    commands = [(lookup([b"INCR", key]), [b"INCR", key]) for key in (first, second)]
    reply = in_turn(
        cluster,
        sorted(cluster.nodes)[0],
        lambda node, client: submit_transaction(node.engine, commands, [], client),
    )
    assert reply.startswith(b"-CROSSSLOT")
