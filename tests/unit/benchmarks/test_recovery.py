"""What is measured of recovery: the parts that need no cluster, and how they are told."""

from benchmarks.recovery import DIFFERING, Finding, _joining_s, cells, repair
from benchmarks.report import Results, as_json, markdown

LOG = """\
2026-11-24T12:00:00.000Z node3 info  node.state state=STANDBY
2026-11-24T12:00:01.250Z node3 info  node.state state=JOINING
2026-11-24T12:00:01.300Z node3 info  peer.up peer=node1 reason=connected hints=0
2026-11-24T12:00:03.750Z node3 info  node.state state=NORMAL
"""
FOUND = [
    Finding(what="free", value=12345.6, unit="keys a second"),
    Finding(what="good", value=4.999, unit="percent", limit=5),
    Finding(what="bad", value=5.01, unit="percent", limit=5),
]


def test_a_warm_up_lasts_from_joining_to_normal() -> None:
    assert _joining_s(LOG) == 2.5


def test_findings_are_told_with_their_targets() -> None:
    assert cells(FOUND)[1:] == [
        ["free", "12,346", "keys a second", "-", "-"],
        ["good", "5.00", "percent", "≤ 5", "yes"],
        ["bad", "5.01", "percent", "≤ 5", "NO"],
    ]
    results = Results(machine="M", versions="V", date="D", plan="P", recovery=FOUND)
    assert "| bad | 5.01 | percent | ≤ 5 | NO |" in markdown(results)
    assert '"what": "free"' in as_json(results)


def test_differing_keys_are_repaired_and_little_else_is_sent() -> None:
    took_s, cpu_s, kilobytes = [found.value for found in repair(2 * DIFFERING)]
    assert 1 < took_s < 5
    assert cpu_s > 0
    assert 0.05 * DIFFERING < kilobytes < 0.5 * DIFFERING
