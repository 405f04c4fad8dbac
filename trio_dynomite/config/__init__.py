"""Configuration: `cluster.toml`, the environment and the command line become frozen `Settings`."""

from trio_dynomite.config.load import load
from trio_dynomite.config.rocksdb import RocksDB
from trio_dynomite.config.servers import Memcached, Redis
from trio_dynomite.config.settings import (
    Access,
    Cluster,
    Consistency,
    Gossip,
    Limits,
    NodeSettings,
    Repair,
    Settings,
    Storage,
    Timeouts,
    UserSettings,
)

__all__ = [
    "Access",
    "Cluster",
    "Consistency",
    "Gossip",
    "Limits",
    "Memcached",
    "NodeSettings",
    "Redis",
    "Repair",
    "RocksDB",
    "Settings",
    "Storage",
    "Timeouts",
    "UserSettings",
    "load",
]
