"""The words everybody shares: consistency levels, node states, a node's identity.

Values only; nothing here decides anything.
"""

import enum
from collections.abc import Mapping

import xxhash
from attrs import field, frozen

_ID_MAX = 0xFFFF_FF00


class Level(enum.IntEnum):
    """How many replicas must have a write, or agree on a read, before the client is answered.

    The names are Dynomite's (rows K1 to K4); what each waits for is `docs/consistency.md`.
    """

    DC_ONE = 0
    DC_QUORUM = 1
    DC_SAFE_QUORUM = 2
    DC_EACH_SAFE_QUORUM = 3


class NodeState(enum.IntEnum):
    """Where a node stands in its life. Names and numbers are Dynomite's (`dyn_core.h`)."""

    INIT = 0
    STANDBY = 1
    """It stops, in order."""
    WRITES_ONLY = 2
    """It takes writes and leads nothing: it began empty and copies from others, or its clock is wrong."""
    RESUMING = 3
    """It began with the records of an earlier life, and copies what has changed since."""
    NORMAL = 4
    JOINING = 7
    """It has started, and has found nobody yet to copy from."""
    DOWN = 8
    RESET = 11
    UNKNOWN = 12

    @property
    def is_warming(self) -> bool:
        """Does it lack what others know, and serve no reads?"""
        return self in (NodeState.JOINING, NodeState.WRITES_ONLY, NodeState.RESUMING)


@frozen(kw_only=True)
class Capabilities:
    """What a storage engine can do. Whoever depends on it asks here, and nobody asks which engine it is."""

    is_in_memory: bool = False
    """Its records take a node's own memory: a limit of memory has a meaning, and so have snapshots."""
    is_remote: bool = False
    """Its records are elsewhere: they are fetched before a command runs, and written after the turn."""
    can_list: bool = True
    """It tells which keys it has: replicas are compared and warmed up, and SCAN finds them."""
    has_types: bool = True
    """It keeps more than strings."""
    outlives_node: bool = False
    """Its records are there when a node starts again, whatever the settings."""


ENGINES: Mapping[str, Capabilities] = {
    "memory": Capabilities(is_in_memory=True),
    "rocksdb": Capabilities(outlives_node=True),
    "redis": Capabilities(is_remote=True),
    "memcached": Capabilities(is_remote=True, can_list=False, has_types=False),
}
"""The engines by the names that they have in settings."""


def node_id(name: str) -> int:
    """The number of at most 32 bits under which node `name` stamps its writes; the same everywhere.

    Never 0, which marks a cutoff (`data/stamp.py`), nor so high that the next few numbers have more bits."""
    return int(min(max(xxhash.xxh32_intdigest(name.encode()), 1), _ID_MAX))


@frozen(kw_only=True)
class Endpoint:
    """Where a server listens: a host and port, or the path of a Unix socket."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@frozen(kw_only=True)
class Node:
    """One member of the cluster, as everybody knows it."""

    name: str
    datacenter: str
    rack: str
    tokens: tuple[int, ...]
    host: str
    client_port: int
    peer_port: int
    admin_port: int
    memcached_port: int = 0
    """Where it speaks memcached's protocol; 0: nowhere."""
    id: int = field()

    @id.default
    def _id(self) -> int:
        return node_id(self.name)

    @property
    def cluster_id(self) -> str:
        """The 40 hexadecimal digits that Redis Cluster clients know a node by."""
        return xxhash.xxh128_hexdigest(self.name.encode()) + f"{self.id:08x}"
