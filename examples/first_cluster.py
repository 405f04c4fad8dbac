"""A first cluster: three racks on this machine, and plain redis-py on any node.

    python examples/first_cluster.py

Every rack holds a full copy, any node takes any command, and a node that dies is not missed.
"""

from contextlib import ExitStack

from _shared import connect

from trio_dynomite.testing.local import LocalCluster

QUORUM = {"consistency": {"read": "DC_QUORUM", "write": "DC_QUORUM"}}


def main() -> None:
    """Write on one node, read on the others, kill one, go on."""
    with ExitStack() as stack:
        cluster = stack.enter_context(LocalCluster({"dc1": [1, 1, 1]}, QUORUM))
        print(
            f"Three nodes run, from this cluster.toml:\n\n{(cluster.directory / 'cluster.toml').read_text()}"
        )
        one, two, three = (connect(cluster, stack, name) for name in cluster.nodes)

        one.set("greeting", "hello")
        two.incr("visits")
        for name, client in zip(cluster.nodes, (one, two, three), strict=True):
            print(f"{name} says: greeting={client.get('greeting')} visits={client.get('visits')}")

        cluster["node1"].kill()
        print("\nnode1 was killed (kill -9).")
        print(f"node2 goes on: greeting={two.get('greeting')} visits={two.get('visits')}")
        print(f"node3 goes on: greeting={three.get('greeting')} visits={three.get('visits')}")

        cluster["node1"].start()
        cluster["node1"].wait_ready()
        back = connect(cluster, stack, "node1", "DC_ONE")
        print("\nnode1 started again, with nothing, and learned everything from the others before it served:")
        print(f"node1 says: greeting={back.get('greeting')} visits={back.get('visits')}")


if __name__ == "__main__":
    main()
