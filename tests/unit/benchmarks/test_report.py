"""Medians, verdicts and tables."""

import json

import pytest
from attrs import evolve

from benchmarks import report, tables
from benchmarks.elements import Element
from benchmarks.heap import Heap
from benchmarks.load import LoadResult
from benchmarks.measure import Round, Row, Sample
from benchmarks.scenarios import Keys, Scenario, Share, every
from benchmarks.tables import NONE

RESULT = LoadResult(rps=1000.4, p50_ms=0.5, p95_ms=0.75, p99_ms=1.25)


def scenario(name: str) -> Scenario:
    (found,) = (each for each in every() if each.name == name)
    return found


def sample(*cpu_us: float) -> Sample:
    return Sample(result=RESULT, cpu_us=cpu_us)


def one_node(*pairs: tuple[float, float]) -> Row:
    rounds = tuple(Round(sample(redis), sample(ours)) for redis, ours in pairs)
    return Row(scenario("1-node/token-aware/SET/32/1"), rounds)


def quorum(*cpu_us: float) -> Row:
    return Row(scenario("3-racks-quorum/token-aware/SET/32/1"), (Round(sample(10.0), sample(*cpu_us)),))


def results(row: Row, heap: Heap | None = None) -> report.Results:
    return report.Results(
        machine="M", versions="V", date="D", plan="P", rows=[row], heaps=[heap] if heap else []
    )


def heap(pause_ms: float | None) -> Heap:
    return Heap(keys=10, redis_bytes=100.0, our_bytes=350.0, load_pause_ms=None, mixed_pause_ms=pause_ms)


def test_the_ratio_is_the_median_of_the_rounds_and_not_of_their_parts() -> None:
    row = one_node((10.0, 12.0), (20.0, 28.0), (5.0, 50.0))
    assert row.ratio(Share.SERVING) == pytest.approx(1.4)


def test_one_spoiled_round_does_not_decide() -> None:
    assert one_node((10.0, 12.0), (10.0, 90.0), (10.0, 13.0)).met
    assert not one_node((10.0, 16.0), (10.0, 16.0), (10.0, 13.0)).met


def test_shares_are_the_first_node_the_worst_other_node_and_all() -> None:
    row = quorum(20.0, 3.0, 4.0)
    assert row.ratio(Share.SERVING) == pytest.approx(2.0)
    assert row.ratio(Share.REPLICA) == pytest.approx(0.4)
    assert row.ratio(Share.ALL) == pytest.approx(2.7)


def test_every_limit_of_a_row_must_be_met() -> None:
    assert quorum(20.0, 3.0, 4.0).met
    assert not quorum(20.0, 3.0, 6.0).met
    assert not quorum(24.0, 3.0, 4.0).met


def test_a_row_without_a_target_is_neither_met_nor_missed() -> None:
    free = next(each for each in every() if each.keys is Keys.ANY)
    row = Row(free, (Round(sample(1.0), sample(99.0, 1.0, 1.0)),))
    assert row.met is None
    assert report.cells(row)[-2:] == ["-", "-"]


def test_cells_show_each_process_and_each_ratio() -> None:
    shown = dict(zip(report.HEADINGS, report.cells(quorum(20.0, 3.0, 6.0)), strict=True))
    assert shown["our µs/op"] == "20.0 + 3.0 + 6.0"
    assert shown["ratio"] == "2.00, replica 0.60, all 2.90"
    assert shown["target"] == "serving node ≤ 2.3, each replica ≤ 0.5"
    assert shown["our p50/p99 ms"] == "0.50/1.25"
    assert shown["redis op/s"] == "1000"
    assert shown["met"] == "NO"


def test_all_nodes_together_have_one_ratio() -> None:
    work = scenario("3-racks-quorum/token-aware-all-nodes/SET/32/1")
    assert report.ratios(Row(work, (Round(sample(10.0), sample(20.0, 20.0, 10.0)),))) == "all 5.00"


def test_memory_and_pauses_are_judged_and_unknown_pauses_are_not() -> None:
    verdicts = [row[-1] for row in report.heap_cells(heap(19.0))[1:]]
    assert verdicts == ["yes", "-", "yes"]
    assert report.heap_cells(heap(20.0))[3][-1] == "NO"
    unknown = report.heap_cells(heap(None))[3]
    assert (unknown[2], unknown[-1]) == ("n/a", "-")


def test_what_is_not_judged_has_no_targets() -> None:
    free = evolve(heap(99.0), judged=False, what="hash")
    assert all(row[-2:] == [NONE, NONE] for row in report.heap_cells(free)[1:])
    assert report.heap_cells(free)[1][0] == "bytes per hash (10 of them)"


def test_an_element_has_its_bytes_and_their_ratio() -> None:
    found = Element(element="list element", held="one list", redis_bytes=35.2, our_bytes=89.4)
    assert report.element_cells([found])[1] == ["list element", "one list", "35", "89", "2.54"]


def test_columns_in_which_nothing_is_said_are_left_out() -> None:
    assert tables.used_columns([["a", "b", "c"], ["1", NONE, NONE], ["2", NONE, "3"]]) == [
        ["a", "c"],
        ["1", NONE],
        ["2", "3"],
    ]


def test_each_part_has_a_table_of_its_own() -> None:
    push = Row(scenario("1-node/token-aware/LPUSH/32/1"), (Round(sample(10.0), sample(20.0)),))
    found = results(one_node((10.0, 12.0)))
    found.rows.append(push)
    page = report.markdown(found)
    strings, commands = page.index("## SET and GET"), page.index("## Every other kind of command")
    assert strings < page.index("| SET |") < commands < page.index("| LPUSH |")
    assert push.met is None
    assert "target" not in page[commands:]


def test_markdown_rows_have_as_many_cells_as_the_headings_and_bars_are_escaped() -> None:
    lines = tables.markdown_table([["a", "b"], ["1|2", "3"]]).splitlines()
    assert lines == ["| a | b |", "| --- | --- |", "| 1\\|2 | 3 |"]


def test_the_page_names_the_machine_and_has_a_table_of_each_kind() -> None:
    found = results(quorum(20.0, 3.0, 4.0), heap(1.0))
    found.elements.append(Element(element="e", held="h", redis_bytes=1.0, our_bytes=2.0))
    page = report.markdown(found)
    assert "- M\n- V\n- D\n- P\n" in page
    assert page.count("\n| --- |") == 3
    assert page.endswith("|\n")


def test_what_failed_is_named_with_the_first_line_of_its_reason() -> None:
    found = results(quorum(20.0, 3.0, 4.0))
    assert "Not measured" not in report.markdown(found)
    found.failures.append("memory: node1 does not serve\nTraceback")
    assert "Not measured:\n\n- memory: node1 does not serve\n" in report.markdown(found)
    assert "Traceback" not in report.terminal(found)


def test_columns_line_up_on_the_terminal() -> None:
    assert tables.aligned([["op", "ratio"], ["SET", "1.00"], ["GETEX", "2"]]) == (
        "op     ratio\nSET    1.00\nGETEX  2"
    )


def test_json_keeps_every_round() -> None:
    found = json.loads(report.as_json(results(one_node((10.0, 12.0), (10.0, 13.0)), heap(None))))
    (row,) = found["rows"]
    assert row["name"] == "1-node/token-aware/SET/32/1"
    assert [each["ours"]["cpu_us"] for each in row["rounds"]] == [[12.0], [13.0]]
    assert row["ratio"]["serving node"] == pytest.approx(1.25)
    assert row["met"] is True
    assert found["memory"][0]["mixed_pause_ms"] is None
