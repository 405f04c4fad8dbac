"""The parameters of eviction (`coordinator/eviction.py`): maxmemory, its policy, and how that is carried out.

They are this node's, like all that CONFIG SET changes. Source: `config.c` of Valkey.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from trio_dynomite.config.kinds import POLICIES
from trio_dynomite.server.answers.answer import number_within
from trio_dynomite.server.output import parse_size

if TYPE_CHECKING:
    from trio_dynomite.server.server import Server

Act = Callable[[], None]
Read = Callable[["Server", bytes], int | str]

_INT_MAX = 2**31 - 1


def _limit(server: Server, value: bytes) -> int:
    size = parse_size(value.decode("latin-1"))
    if size is None:
        raise ValueError("argument must be a memory value")
    if size and not server.engine.keyspace.store.capabilities.is_in_memory:
        raise ValueError("this storage engine keeps data elsewhere, where maxmemory has no meaning")
    return size


def _policy(server: Server, value: bytes) -> str:
    word = value.decode("latin-1").lower()
    if word not in POLICIES:
        raise ValueError(f"argument(s) must be one of the following: {', '.join(POLICIES)}")
    return word


def _number(least: int, most: int) -> Callable[[Server, bytes], int]:
    return lambda server, value: number_within(value, least, most)


_ATTRIBUTES: Mapping[str, tuple[str, Read]] = {
    "lfu-decay-time": ("decay_minutes", _number(0, _INT_MAX)),
    "lfu-log-factor": ("log_factor", _number(0, _INT_MAX)),
    "maxmemory": ("limit", _limit),
    "maxmemory-policy": ("policy", _policy),
    "maxmemory-samples": ("samples", _number(1, 64)),
}
"""By name: the attribute of `Eviction`, and what reads a value for it. Raises ValueError in Redis's words."""


def memory_parameters(server: Server) -> dict[str, str]:
    """What they are now."""
    return {name: str(getattr(server.engine.eviction, where)) for name, (where, _) in _ATTRIBUTES.items()}


def _setter(where: str, read: Read) -> Callable[[Server, bytes], Act]:
    def prepare(server: Server, value: bytes) -> Act:
        new = read(server, value)
        return lambda: server.engine.eviction.configure(**{where: new})

    return prepare


MEMORY_SETTERS = {name: _setter(where, read) for name, (where, read) in _ATTRIBUTES.items()}
"""By name: check a value now, and give what sets it."""
