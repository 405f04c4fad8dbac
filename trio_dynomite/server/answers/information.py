"""INFO: a node about itself, for people and for tools that know Redis (https://valkey.io/commands/info)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from trio_dynomite.protocol.replies import verbatim
from trio_dynomite.server.answers import fact_counts, facts

if TYPE_CHECKING:
    from trio_dynomite.server.server import Server
    from trio_dynomite.server.session import Session

SECTIONS: Mapping[str, Callable[[Server], facts.Facts]] = {
    "Server": facts.server_facts,
    "Clients": facts.client_facts,
    "Memory": facts.memory_facts,
    "Persistence": facts.persistence_facts,
    "Stats": fact_counts.count_facts,
    "Replication": facts.replication_facts,
    "CPU": facts.cpu_facts,
    "Modules": lambda server: {},
    "Commandstats": fact_counts.command_facts,
    "Errorstats": fact_counts.error_facts,
    "Latencystats": fact_counts.latency_facts,
    "Cluster": facts.cluster_facts,
    "Keyspace": facts.keyspace_facts,
    "Dynomite": facts.dynomite_facts,
}
"""By title, in order."""

_ALL = frozenset(["all", "everything"])
_NOT_BY_DEFAULT = frozenset(["Commandstats", "Latencystats"])


def info(session: Session, args: list[bytes]) -> bytes:
    """INFO [section…]: those sections, in their own order; what is not known gives nothing."""
    asked = {word.decode("utf-8", "replace").lower() for word in args[1:]} or {"default"}
    parts = [
        _section(title, facts(session.server))
        for title, facts in SECTIONS.items()
        if title.lower() in asked or asked & _ALL or ("default" in asked and title not in _NOT_BY_DEFAULT)
    ]
    return verbatim("\r\n".join(parts).encode(), session.resp)


def _section(title: str, facts: facts.Facts) -> str:
    return f"# {title}\r\n" + "".join([f"{name}:{value}\r\n" for name, value in facts.items()])
