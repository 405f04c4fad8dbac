"""The tables of a run: faults, writes, and what was broken."""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.registers import Registers
from tests.chaos.run import Run
from tests.chaos.wire import Outcome

_WORDS = ("LOST", "STALE", "DOUBLED", "RESURRECTED", "DIVERGED")


def report(run: Run) -> str:
    """All of it, as text."""
    return "\n".join([*_faults(run), "", *_writes(run), "", *_verdict(run)])


def _faults(run: Run) -> Iterator[str]:
    yield f"{'fault':32} {'times':>6} {'seconds':>8}"
    for name in run.faults.all():
        yield f"{name:32} {run.faults.counts[name]:6} {run.faults.seconds[name]:8}"
    skipped = ", ".join(f"{name} {count}" for name, count in run.faults.left_out.items())
    yield f"left out, its condition was not met: {skipped or 'none'}"


def _writes(run: Run) -> Iterator[str]:
    yield f"{'load':12} {'acknowledged':>13} {'unknown':>8} {'refused':>8}"
    for name, counts in sorted(run.outcomes.items()):
        yield f"{name:12} {counts[Outcome.ACKED]:13} {counts[Outcome.UNKNOWN]:8} {counts[Outcome.REFUSED]:8}"
    yield "why not: " + ", ".join(f"{why} {count}" for why, count in run.reasons.most_common())


def _verdict(run: Run) -> Iterator[str]:
    reads = sum(load.reads for load in run.loads if isinstance(load, Registers))
    yield f"reads held against acknowledged writes: {reads}"
    yield f"all six copies equal {run.converged_s:.1f} s after the last fault"
    yield f"tombstones collected by those who run now: {run.collected}"
    for word in _WORDS:
        yield f"{word.lower():12} {sum(word in text for text in run.broken)}"
    yield from run.broken[:50]
    yield f"seed {run.seed}: " + (f"{len(run.broken)} promises broken" if run.broken else "all promises kept")
