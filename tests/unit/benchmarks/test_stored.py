"""Storage on a Redis: what is asked, and what the table says of it."""

from benchmarks.load import LoadResult
from benchmarks.measure import Round, Sample
from benchmarks.stored import COMMANDS, HEADINGS, IN_FLIGHT, Stored, cells, loads


def sample(*cpu_us: float) -> Sample:
    return Sample(result=LoadResult(rps=1000.0, p50_ms=1.0, p95_ms=2.0, p99_ms=3.0), cpu_us=cpu_us)


def test_every_command_is_asked_at_every_depth_under_tagged_keys() -> None:
    found = list(loads("t"))
    assert [(op, work.in_flight) for op, work in found] == [(op, n) for op in COMMANDS for n in IN_FLIGHT]
    assert all(work.words[1].startswith("{t}:") for _, work in found)


def test_the_table_tells_the_node_from_its_server() -> None:
    rounds = (Round(sample(10.0), sample(20.0, 5.0)), Round(sample(10.0), sample(30.0, 7.0)))
    rows = [Stored(storage="redis", racks=1, op="SET", in_flight=1, rounds=rounds)]
    assert cells(rows) == [
        list(HEADINGS),
        ["redis", "1", "SET", "1", "10.0", "25.0", "6.0", "2.50", "0.60", "1000"],
    ]
    alone = Stored(
        storage="memory", racks=1, op="SET", in_flight=1, rounds=(Round(sample(10.0), sample(20.0)),)
    )
    assert cells([alone])[1][6:9] == ["0.0", "2.00", "0.00"]
