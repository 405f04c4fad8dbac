"""The kinds of storms, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from trio_dynomite.testing.growing import GrowingStorm
from trio_dynomite.testing.storm import (
    CollectingStorm,
    FlushedStorm,
    LastingStorm,
    PartedStorm,
    ServedStorm,
    Storm,
    SuccessionStorm,
)

_KINDS = (
    Storm,
    PartedStorm,
    SuccessionStorm,
    FlushedStorm,
    LastingStorm,
    CollectingStorm,
    GrowingStorm,
    ServedStorm,
)
STORMS: Mapping[str, type[Storm]] = MappingProxyType({storm.kind: storm for storm in _KINDS})
"""By kind."""
