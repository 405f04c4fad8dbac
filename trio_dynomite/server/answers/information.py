"""INFO: a node about itself, for people and for tools that know Redis (https://valkey.io/commands/info).

A section is a function that gives its lines in order. INFO may look at the process; nothing else does.
"""

from __future__ import annotations

import os
import platform
import resource
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from trio_dynomite import __version__
from trio_dynomite.protocol.replies import verbatim
from trio_dynomite.server.answers.answer import REDIS_VERSION, is_cluster

if TYPE_CHECKING:
    from trio_dynomite.server.server import Server
    from trio_dynomite.server.session import Session

Facts = dict[str, object]

_EVERYTHING = frozenset(["all", "default", "everything"])


def info(session: Session, args: list[bytes]) -> bytes:
    """INFO [section…]: those sections, in their own order; what is not known gives nothing."""
    asked = {word.decode("utf-8", "replace").lower() for word in args[1:]}
    whole = not asked or bool(asked & _EVERYTHING)
    parts = [
        _section(title, facts(session.server))
        for title, facts in SECTIONS.items()
        if whole or title.lower() in asked
    ]
    return verbatim("\r\n".join(parts).encode(), session.resp)


def _section(title: str, facts: Facts) -> str:
    return f"# {title}\r\n" + "".join([f"{name}:{value}\r\n" for name, value in facts.items()])


def _server(server: Server) -> Facts:
    node = server.engine.node
    uptime_s = max(0, server.engine.now_ms - server.started_ms) // 1000
    return {
        "redis_version": REDIS_VERSION,
        "server_name": "trio-dynomite",
        "trio_dynomite_version": __version__,
        "redis_mode": "cluster" if is_cluster(server) else "standalone",
        "os": f"{platform.system()} {platform.release()} {platform.machine()}",
        "arch_bits": sys.maxsize.bit_length() + 1,
        "python_version": platform.python_version(),
        "process_id": os.getpid(),
        "run_id": server.run_id,
        "tcp_port": node.client_port,
        "server_time_usec": server.engine.now_ms * 1000,
        "uptime_in_seconds": uptime_s,
        "uptime_in_days": uptime_s // 86400,
        "executable": sys.executable,
        "config_file": "",
        "availability_zone": node.rack,
    }


def _clients(server: Server) -> Facts:
    return {
        "connected_clients": len(server.sessions),
        "cluster_connections": len(server.engine.roster.acceptors),
        "maxclients": server.settings.limits.clients,
        "blocked_clients": 0,
        "tracking_clients": 0,
    }


def _memory(server: Server) -> Facts:
    used, peak = _resident_bytes(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "used_memory": used,
        "used_memory_human": _human(used),
        "used_memory_rss": used,
        "used_memory_rss_human": _human(used),
        "used_memory_peak": max(used, peak),
        "used_memory_peak_human": _human(max(used, peak)),
        "total_system_memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "maxmemory": 0,
        "maxmemory_policy": "noeviction",
        "mem_clients_normal": sum([session.pipe.unsent for session in server.sessions.values()]),
    }


def _resident_bytes() -> int:
    """What this process holds in memory; its peak where the system does not tell."""
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _human(size: float) -> str:
    for unit in "BKMG":
        if size < 1024:
            return f"{size:.2f}{unit}" if unit != "B" else f"{size}B"
        size /= 1024
    return f"{size:.2f}T"


def _persistence(server: Server) -> Facts:
    return {
        "loading": 0,
        "rdb_changes_since_last_save": 0,
        "rdb_bgsave_in_progress": 0,
        "aof_enabled": 0,
        "aof_rewrite_in_progress": 0,
    }


def _stats(server: Server) -> Facts:
    engine = server.engine
    hints = [peer.hints for peer in engine.roster.peers.values()]
    own: Facts = {
        "total_connections_received": server.connections,
        "total_commands_processed": server.commands,
        "rejected_connections": server.rejected,
        "protocol_errors": server.protocol_errors,
        "requests_in_flight": engine.in_flight,
        "requests_parked": len(engine.parking),
        "requests_forwarded": engine.forwarded,
        "requests_refused": engine.refused,
        "internal_errors": engine.internal_errors,
        "read_repairs": engine.read_repairs,
        "gaps_filled": engine.gaps_filled,
        "hints": sum(map(len, hints)),
        "hints_delivered": sum([queue.delivered for queue in hints]),
        "hints_refused": sum([queue.refused for queue in hints]),
    }
    more = {name: value() if callable(value) else value for name, value in server.statistics.items()}
    return {**own, **more}


def _replication(server: Server) -> Facts:
    return {
        "role": "master",
        "connected_slaves": 0,
        "master_failover_state": "no-failover",
        "master_replid": server.run_id,
        "master_replid2": "0" * 40,
        "master_repl_offset": 0,
        "second_repl_offset": -1,
        "repl_backlog_active": 0,
    }


def _cpu(server: Server) -> Facts:
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {
        "used_cpu_sys": f"{own.ru_stime:.6f}",
        "used_cpu_user": f"{own.ru_utime:.6f}",
        "used_cpu_sys_children": f"{children.ru_stime:.6f}",
        "used_cpu_user_children": f"{children.ru_utime:.6f}",
    }


def _cluster(server: Server) -> Facts:
    return {"cluster_enabled": int(is_cluster(server))}


def _keyspace(server: Server) -> Facts:
    """This node's own copy. Expired keys count until they are swept; `expires` may count one twice."""
    store = server.engine.keyspace.store
    keys = store.key_count(0, len(store.records) - 1)
    if not keys:
        return {}
    expires = min(keys, sum(map(len, store.due.values())))
    return {"db0": f"keys={keys},expires={expires},avg_ttl=0"}


def _dynomite(server: Server) -> Facts:
    engine = server.engine
    facts: Facts = {
        "cluster_name": server.settings.cluster.name,
        "partitioner": engine.table.view.partitioner.fingerprint,
        "node": engine.node.name,
        "datacenter": engine.node.datacenter,
        "rack": engine.node.rack,
        "state": engine.state.name,
        "read_consistency": server.read_level.name,
        "write_consistency": server.write_level.name,
        "ranges_led": sum([engine.table.of_position(part.first).leads for part in engine.table.view.ranges]),
    }
    for name, peer in sorted(engine.roster.peers.items()):
        place = f"datacenter={peer.node.datacenter},rack={peer.node.rack}"
        life = f"liveness={peer.liveness.value},state={peer.state.name}"
        facts[f"peer_{name}"] = f"{life},{place},hints={len(peer.hints)},drift_ms={peer.drift_ms}"
    return facts


SECTIONS: Mapping[str, Callable[[Server], Facts]] = {
    "Server": _server,
    "Clients": _clients,
    "Memory": _memory,
    "Persistence": _persistence,
    "Stats": _stats,
    "Replication": _replication,
    "CPU": _cpu,
    "Cluster": _cluster,
    "Keyspace": _keyspace,
    "Dynomite": _dynomite,
}
"""By title, in order."""
