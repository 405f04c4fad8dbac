"""`python -m trio_dynomite.testing SEED [COUNT [KIND]]`: run storms, and tell the story of one that fails."""

import sys

from trio_dynomite.testing.storm import STORMS


def main(arguments: list[str]) -> int:
    """Run `COUNT` storms of a kind from `SEED` on; 1 when a promise was broken."""
    first, count, kind = [*arguments, *["1", "storm"][len(arguments) - 1 :]]
    for seed in range(int(first), int(first) + int(count)):
        storm = STORMS[kind](seed)
        broken = storm.run()
        if broken:
            story = sorted([*storm.happened, *storm.simulation.notes])
            sys.stdout.write("\n".join([*story, f"{kind} {seed}:", *broken, ""]))
            return 1
        sys.stdout.write(f"{kind} {seed}: {storm.workload.requests} requests, all promises kept\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
