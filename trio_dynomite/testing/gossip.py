"""`python -m trio_dynomite.testing.gossip [quick | figures | large] [FILE.svg]`: gossip in figures, a plot.

Everything is simulated, in virtual time and from seeds, so every machine gives the same figures. `quick`
takes seconds, `figures` minutes, `large` (a thousand nodes) longer; these two are in `docs/gossip.md`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from trio_dynomite.testing.gossip_figures import Deaths, Pauses, deaths, heals, joins, pauses, percentile
from trio_dynomite.testing.gossip_plot import plot

LOSSES = (0.0, 0.01, 0.05, 0.2)
RUNS = {"quick": {3: 10, 10: 5}, "figures": {3: 40, 10: 20, 100: 4}, "large": {1000: 1}}
"""Runs of each size of cluster."""
PAUSES_S = (1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
MIDDLING = 100
"""Clusters that are larger are spared what takes long."""


def main(arguments: list[str]) -> int:
    """Measure, write the tables to standard output, and the plot to a file when one is named."""
    kind = arguments[0] if arguments else "quick"
    runs = RUNS.get(kind)
    if runs is None:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    found: list[Deaths] = []
    _write("A death", _deaths_table(runs, found))
    _write("Pauses", _pauses_table(runs))
    _write("Joins, and the end of a partition", _changes_table(runs))
    if arguments[1:]:
        Path(arguments[1]).write_text(plot(found), encoding="utf-8")
    return 0


def _write(title: str, lines: Iterable[Sequence[str]]) -> None:
    sys.stdout.write(f"{title}\n\n")
    for line in lines:
        sys.stdout.write("| " + " | ".join(line) + " |\n")
        sys.stdout.flush()
    sys.stdout.write("\n")


def _deaths_table(runs: dict[int, int], found: list[Deaths]) -> Iterator[list[str]]:
    yield ["Nodes", "Loss", "Runs", "First knows, s", "All know, s", "Wrongly dead", "Bytes/s"]
    yield ["---"] * 7
    for nodes, count in runs.items():
        for loss in LOSSES:
            row = deaths(nodes, loss, range(count), 8.0 if nodes <= MIDDLING else 5.0)
            found.append(row)
            yield _deaths_row(row)


def _deaths_row(row: Deaths) -> list[str]:
    return [
        str(row.nodes),
        f"{row.loss:.0%}",
        str(row.runs),
        _pair(row.first_s),
        _pair(row.last_s),
        f"{row.wrong} in {row.node_seconds / 3600:.1f} h" if row.wrong else "0",
        f"{percentile(row.bytes_a_second, 0.5):.0f}",
    ]


def _pauses_table(runs: dict[int, int]) -> Iterator[list[str]]:
    yield [
        "Nodes",
        "Paused",
        "For, s",
        "Loss",
        "Runs with a paused one dead",
        "Others dead",
        "Agreed after, s",
    ]
    yield ["---"] * 7
    for nodes, paused in [(nodes, 1) for nodes in runs if nodes <= MIDDLING] + [(100, 10)] * (100 in runs):
        for pause_s in PAUSES_S if nodes < MIDDLING else (1.5, 5.0):
            for loss in (0.0, 0.05):
                row = pauses(nodes, loss, paused, pause_s, range(max(2, runs[nodes] // 2)))
                yield _pauses_row(row)


def _pauses_row(row: Pauses) -> list[str]:
    return [
        str(row.nodes),
        str(row.paused),
        f"{row.pause_s:g}",
        f"{row.loss:.0%}",
        f"{row.held_dead} of {row.runs}",
        str(row.wrong),
        _pair(row.agreed_s),
    ]


def _changes_table(runs: dict[int, int]) -> Iterator[list[str]]:
    yield ["Nodes", "Loss", "A newcomer is known, s", "Two halves agree again, s"]
    yield ["---"] * 4
    for nodes in runs:
        for loss in (0.0, 0.05):
            seeds = range(max(1, runs[nodes] // 2))
            halves = heals(nodes, loss, seeds) if nodes <= MIDDLING else []
            yield [
                str(nodes),
                f"{loss:.0%}",
                _pair(joins(nodes, loss, seeds)),
                _pair(halves) if halves else "",
            ]


def _pair(values: Sequence[float]) -> str:
    """The middle and the 99th percentile."""
    return f"{percentile(values, 0.5):.1f}, {percentile(values, 0.99):.1f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
