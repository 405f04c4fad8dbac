"""Consistency levels while nodes die and come back: who answers, and who rather says no.

    python examples/consistency_levels.py

Three racks. A quorum is two of them; DC_ONE is content with one, so that a read right after a write may
still find what was there before. A level belongs to a connection
(DYNO_CONFIG:CONN_CONSISTENCY), to a node (CONFIG SET read-consistency, write-consistency) or to the
configuration (`[consistency]`).
"""

from contextlib import ExitStack

from _shared import attempt, connect

from trio_dynomite.testing.local import LocalCluster, wait_until

LEVELS = ("DC_ONE", "DC_QUORUM", "DC_SAFE_QUORUM", "DC_EACH_SAFE_QUORUM")


def main() -> None:
    """The same commands with three nodes, with two, with one, and with all of them again."""
    with ExitStack() as stack:
        cluster = stack.enter_context(LocalCluster({"dc1": [1, 1, 1]}))
        clients = {level: connect(cluster, stack, "node3", level) for level in LEVELS}

        def try_all(value: str) -> None:
            for level, client in clients.items():
                attempt(level, client, "SET", "key", value)
                attempt(level, client, "GET", "key")

        print("All three nodes run:")
        try_all("with-three")
        for name, left in (("node1", "two"), ("node2", "one")):
            cluster[name].kill()
            wait_until(lambda name=name: is_down(cluster, name), f"{name} is found dead")
            print(f"\n{name} was killed; {left} left:")
            try_all(f"with-{left}")
        print("\nBoth are back. What only one node had, all have now:")
        cluster.start()
        attempt("DC_QUORUM", clients["DC_QUORUM"], "GET", "key")
        for name in cluster.nodes:
            attempt(f"DC_ONE at {name}", connect(cluster, stack, name), "GET", "key")


def is_down(cluster: LocalCluster, name: str) -> bool:
    """Has node3 given up the node?"""
    return "liveness=down" in cluster["node3"].info("dynomite")[f"peer_{name}"]


if __name__ == "__main__":
    main()
