"""Configuration: `cluster.toml`, the environment and the command line become frozen `Settings`."""

from trio_dynomite.config.load import load
from trio_dynomite.config.settings import (
    Cluster,
    Consistency,
    Limits,
    NodeSettings,
    Settings,
    Storage,
    Timeouts,
)

__all__ = ["Cluster", "Consistency", "Limits", "NodeSettings", "Settings", "Storage", "Timeouts", "load"]
