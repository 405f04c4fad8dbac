"""What each consistency level waits for: the numbers of `docs/consistency.md`, in one place. Pure."""

from collections.abc import Mapping

from trio_dynomite.model import Level


def quorum(racks: int) -> int:
    """More than half of a datacenter's racks (Dynomite A1)."""
    return racks // 2 + 1


def needed(level: Level, racks: Mapping[str, int], local: str) -> dict[str, int]:
    """Datacenter → how many of its replicas must have the write, or agree on the read.

    `racks` tells each datacenter's number of racks, `local` the coordinator's datacenter. The replica
    that serves the request counts as one of its own datacenter's.
    """
    if level == Level.DC_ONE:
        return {local: 1}
    if level == Level.DC_EACH_SAFE_QUORUM:
        return {datacenter: quorum(count) for datacenter, count in racks.items()}
    return {local: quorum(racks.get(local, 0))}


def shortfall(level: Level, racks: Mapping[str, int], local: str, alive: Mapping[str, int]) -> str | None:
    """Why `level` cannot be reached with so many replicas alive; None when it can."""
    for datacenter, count in needed(level, racks, local).items():
        up = alive.get(datacenter, 0)
        if up < count:
            return f"{level.name} needs {count} replicas in {datacenter}, {up} alive"
    return None
