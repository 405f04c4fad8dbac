"""`python -m tests.chaos --seconds 300 --seed 7`: torment six real nodes, and tell what came of it."""

import argparse
import sys
import tempfile
from pathlib import Path

import trio

from tests.chaos import lab
from tests.chaos.report import report
from tests.chaos.run import Run


def main() -> int:
    """1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300, help="how long the faults go on")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lanes", type=int, default=2, help="how many faults at once")
    parser.add_argument(
        "--disks", action="store_true", help="all nodes keep their data on disk, not two of six"
    )
    parser.add_argument(
        "--keep", type=Path, help="a directory for the configuration and the logs of the nodes"
    )
    parser.add_argument(
        "--relay", action="store_true", help="no network namespaces, also where there could be some"
    )
    parser.add_argument("--quiet", action="store_true", help="the tables only")
    options = parser.parse_args()
    has_relay = options.relay
    if not has_relay and not lab.is_inside() and (why := lab.why_not()) is not None:
        print(f"{why}; the nodes reach each other through a relay, and no disk is filled", file=sys.stderr)
        has_relay = True
    if not has_relay:
        lab.enter("tests.chaos", sys.argv[1:])
    with tempfile.TemporaryDirectory() as made:
        directory = options.keep or Path(made)
        directory.mkdir(exist_ok=True)
        run = Run(
            directory,
            options.seconds,
            options.seed,
            lambda line: None if options.quiet else print(line, flush=True),
            options.lanes,
            options.disks,
            has_relay,
        )
        trio.run(run.run)
        (directory / "happened.txt").write_text("\n".join(run.happened))
    print(report(run))
    return 1 if run.broken else 0


if __name__ == "__main__":
    sys.exit(main())
