"""The shapes of simulated clusters."""

from collections.abc import Iterable

from trio_dynomite.config.settings import Cluster, NodeSettings, Repair, Settings, Timeouts

_NO_REPAIR = Repair(interval=0)
"""What is found must not be what anti-entropy has mended meanwhile."""


def layout(
    *racks_of_datacenter: Iterable[int],
    partitioner: str = "slots",
    repair: Repair = _NO_REPAIR,
    drift_s: float = 10.0,
) -> Settings:
    """Settings of a cluster: per datacenter the nodes in each of its racks; `layout([1, 1, 1])`.

    Clocks may differ by `drift_s`: a storm is not to stop nodes whose clocks it has set far apart."""
    nodes = [
        NodeSettings(
            name=f"d{dc}r{rack}n{number}",
            datacenter=f"dc{dc}",
            rack=f"rack{rack}",
            client_port=1,
            peer_port=1,
            admin_port=1,
        )
        for dc, racks in enumerate(racks_of_datacenter, 1)
        for rack, count in enumerate(racks, 1)
        for number in range(1, count + 1)
    ]
    timeouts = Timeouts(request=2.0, heartbeat=0.2, down_after=1.0, warm_up=3.0, max_clock_drift=drift_s)
    cluster = Cluster(partitioner=partitioner)
    return Settings(cluster=cluster, timeouts=timeouts, repair=repair, nodes=tuple(nodes))
