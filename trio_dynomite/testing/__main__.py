"""`python -m trio_dynomite.testing SEED [COUNT]`: run storms, and tell the story of the first that fails."""

import sys

from trio_dynomite.testing.storm import Storm


def main(arguments: list[str]) -> int:
    """Run `COUNT` storms from `SEED` on; 1 when a promise was broken."""
    first, count = int(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 1
    for seed in range(first, first + count):
        storm = Storm(seed)
        broken = storm.run()
        if broken:
            story = sorted([*storm.happened, *storm.simulation.notes])
            sys.stdout.write("\n".join([*story, f"storm {seed}:", *broken, ""]))
            return 1
        load = storm.workload
        sys.stdout.write(f"storm {seed}: {load.writes} writes, {load.reads} reads, all promises kept\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
