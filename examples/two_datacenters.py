"""Two datacenters: both take writes, one is cut off, and when it is back they agree again.

    python examples/two_datacenters.py

DC_QUORUM asks the local datacenter only; the other gets the write a moment later. Counters of both sides
add up, because every node counts for itself and the sum is what is read.
"""

from contextlib import ExitStack

from _shared import attempt, connect

from trio_dynomite.testing.local import LocalCluster, wait_until


def main() -> None:
    """Write on both sides, lose one, write on, get it back."""
    with ExitStack() as stack:
        cluster = stack.enter_context(LocalCluster({"west": [1, 1], "east": [1, 1]}))
        west = connect(cluster, stack, "node1", "DC_QUORUM")
        east = connect(cluster, stack, "node3", "DC_QUORUM")

        print("Both datacenters count visits, and the west writes a name:")
        west.incrby("visits", 10)
        east.incrby("visits", 5)
        west.set("name", "Ada")
        wait_until(
            lambda: west.get("visits") == east.get("visits") == "15" and east.get("name"), "they agree"
        )
        attempt("west", west, "GET", "visits")
        attempt("east", east, "GET", "visits")
        attempt("east", east, "GET", "name")

        print("\nThe east is lost (kill -9 of all its nodes). The west goes on:")
        for name in ("node3", "node4"):
            cluster[name].kill()
        wait_until(
            lambda: not cluster["node1"].sees("node3") and not cluster["node1"].sees("node4"), "noticed"
        )
        attempt("west, local quorum", west, "INCRBY", "visits", "100")
        attempt("west, local quorum", west, "SET", "name", "Grace")
        each = connect(cluster, stack, "node1", "DC_EACH_SAFE_QUORUM")
        attempt("west, a quorum in each datacenter", each, "SET", "name", "Joan")

        print("\nThe east starts again, empty, and learns what it missed:")
        cluster.start()
        east = connect(cluster, stack, "node3", "DC_QUORUM")
        attempt("east", east, "GET", "visits")
        attempt("east", east, "GET", "name")
        attempt("west, a quorum in each datacenter", each, "SET", "name", "Joan")
        attempt("east", east, "GET", "name")


if __name__ == "__main__":
    main()
