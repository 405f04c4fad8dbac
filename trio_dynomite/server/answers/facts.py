"""What INFO tells of the node itself: the process, its clients, its memory, its place in the cluster.

A section is a function that gives its lines in order. This module looks at the process; few others do.
"""

from __future__ import annotations

import os
import platform
import resource
import sys
from typing import TYPE_CHECKING

from trio_dynomite import __version__
from trio_dynomite.server.answers.answer import REDIS_VERSION, is_cluster
from trio_dynomite.server.modes import SUBSCRIBED

if TYPE_CHECKING:
    from trio_dynomite.server.server import Server

Facts = dict[str, object]


def server_facts(server: Server) -> Facts:
    """# Server."""
    node = server.engine.node
    uptime_s = max(0, server.engine.now_ms - server.started_ms) // 1000
    mode = "cluster" if is_cluster(server) else "standalone"
    return {
        "redis_version": REDIS_VERSION,
        "server_name": "trio-dynomite",
        "trio_dynomite_version": __version__,
        "redis_git_sha1": "00000000",
        "redis_git_dirty": 0,
        "redis_build_id": "0",
        "redis_mode": mode,
        "server_mode": mode,
        "os": f"{platform.system()} {platform.release()} {platform.machine()}",
        "arch_bits": sys.maxsize.bit_length() + 1,
        "multiplexing_api": "epoll",
        "python_version": platform.python_version(),
        "process_id": os.getpid(),
        "process_supervised": "no",
        "run_id": server.run_id,
        "tcp_port": node.client_port,
        "server_time_usec": server.engine.now_ms * 1000,
        "uptime_in_seconds": uptime_s,
        "uptime_in_days": uptime_s // 86400,
        "hz": 20,
        "configured_hz": 20,
        "lru_clock": server.engine.now_ms // 1000 & 0xFFFFFF,
        "executable": sys.executable,
        "config_file": "",
        "availability_zone": node.rack,
    }


def client_facts(server: Server) -> Facts:
    """# Clients."""
    sessions = list(server.sessions.values())
    pause = server.pause
    return {
        "connected_clients": len(sessions),
        "cluster_connections": len(server.engine.roster.acceptors),
        "maxclients": server.settings.limits.clients,
        "blocked_clients": sum([session.is_blocked for session in sessions]),
        "tracking_clients": server.tracking.sessions,
        "pubsub_clients": sum([bool(session.modes & SUBSCRIBED) for session in sessions]),
        "watching_clients": sum([bool(session.watched) for session in sessions]),
        "total_watched_keys": sum([len(session.watched) for session in sessions]),
        "total_blocking_keys": len(server.engine.blocking.room.queues),
        "paused_reason": "client_pause" if pause.is_on else "none",
        "paused_actions": ("all" if pause.is_for_all else "write") if pause.is_on else "none",
        "paused_timeout_milliseconds": max(0, round((pause.until_s - server.engine.mono_s) * 1000))
        if pause.is_on
        else 0,
    }


def memory_facts(server: Server) -> Facts:
    """# Memory. What the system tells, and what `maxmemory` goes by: the sum of what keys take."""
    used, peak, eviction = resident_bytes(), peak_bytes(), server.engine.eviction
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "used_memory": used,
        "used_memory_human": human(used),
        "used_memory_rss": used,
        "used_memory_rss_human": human(used),
        "used_memory_peak": peak,
        "used_memory_peak_human": human(peak),
        "used_memory_peak_perc": f"{100 * used / peak:.2f}%",
        "used_memory_dataset": used,
        "total_system_memory": total,
        "total_system_memory_human": human(total),
        "used_memory_keys": eviction.used,
        "used_memory_keys_human": human(eviction.used),
        "maxmemory": eviction.limit,
        "maxmemory_human": human(eviction.limit),
        "maxmemory_policy": eviction.policy,
        "mem_fragmentation_ratio": "1.00",
        "mem_fragmentation_bytes": 0,
        "mem_not_counted_for_evict": 0,
        "mem_clients_slaves": 0,
        "mem_clients_normal": sum([session.pipe.unsent for session in server.sessions.values()]),
        "mem_aof_buffer": 0,
        "mem_allocator": "pymalloc",
        "active_defrag_running": 0,
        "lazyfree_pending_objects": 0,
        "lazyfreed_objects": 0,
    }


def resident_bytes() -> int:
    """What this process holds in memory; its peak where the system does not tell."""
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def peak_bytes() -> int:
    """The most that this process ever held in memory."""
    return max(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, resident_bytes())


def human(size: float) -> str:
    """Bytes as Redis writes them for people: 1.50M."""
    for unit in "BKMG":
        if size < 1024:
            return f"{size:.2f}{unit}" if unit != "B" else f"{size}B"
        size /= 1024
    return f"{size:.2f}T"


def persistence_facts(server: Server) -> Facts:
    """# Persistence: nothing of it as Redis does it."""
    return {
        "loading": 0,
        "async_loading": 0,
        "rdb_changes_since_last_save": 0,
        **_snapshot_facts(server),
        "aof_enabled": 0,
        "aof_rewrite_in_progress": 0,
        "aof_rewrite_scheduled": 0,
        "aof_last_rewrite_time_sec": -1,
        "aof_current_rewrite_time_sec": -1,
        "aof_last_bgrewrite_status": "ok",
        "aof_last_write_status": "ok",
        "module_fork_in_progress": 0,
        "storage_engine": server.settings.storage.engine,
        "storage_failure": server.engine.keyspace.store.failure
        or server.engine.keyspace.store.shortage
        or "",
        "storage_writes_refused": server.engine.disk.refused,
        **server.engine.keyspace.store.figures(),
    }


def _snapshot_facts(server: Server) -> Facts:
    """Of snapshots, by the names that Redis has for its own."""
    snapshots = server.snapshots
    saved_ms = 0 if snapshots is None else snapshots.saved_ms
    is_running = snapshots is not None and snapshots.is_running
    return {
        "rdb_bgsave_in_progress": int(is_running),
        "rdb_last_save_time": (saved_ms or server.started_ms) // 1000,
        "rdb_last_bgsave_status": "ok" if snapshots is None or snapshots.failure is None else "err",
        "rdb_last_bgsave_time_sec": -1 if snapshots is None else int(snapshots.took_s),
        "rdb_current_bgsave_time_sec": int(server.engine.mono_s - snapshots.began_s)
        if snapshots is not None and is_running
        else -1,
        "rdb_saves": 0 if snapshots is None else snapshots.saves,
        "snapshot_pause_ms_max": 0 if snapshots is None else round(snapshots.slice_ms_max, 2),
    }


def replication_facts(server: Server) -> Facts:
    """# Replication: there are no masters, so each node is one."""
    return {
        "role": "master",
        "connected_slaves": 0,
        "master_failover_state": "no-failover",
        "master_replid": server.run_id,
        "master_replid2": "0" * 40,
        "master_repl_offset": 0,
        "second_repl_offset": -1,
        "repl_backlog_active": 0,
        "repl_backlog_size": 0,
        "repl_backlog_first_byte_offset": 0,
        "repl_backlog_histlen": 0,
    }


def cpu_facts(server: Server) -> Facts:
    """# CPU, in seconds."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {
        "used_cpu_sys": f"{own.ru_stime:.6f}",
        "used_cpu_user": f"{own.ru_utime:.6f}",
        "used_cpu_sys_children": f"{children.ru_stime:.6f}",
        "used_cpu_user_children": f"{children.ru_utime:.6f}",
    }


def cluster_facts(server: Server) -> Facts:
    """# Cluster."""
    return {"cluster_enabled": int(is_cluster(server))}


def keyspace_facts(server: Server) -> Facts:
    """# Keyspace: this node's own copy. Expired keys count until they are swept."""
    store = server.engine.keyspace.store
    keys = store.key_count(0, len(store.records) - 1)
    if not keys:
        return {}
    expires = min(keys, len(store.deadlines))
    return {"db0": f"keys={keys},expires={expires},avg_ttl=0"}


def dynomite_facts(server: Server) -> Facts:
    """# Dynomite: what no Redis has."""
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
        "members": len(engine.table.view.nodes),
        "epoch": engine.table.view.epoch,
        "ring": f"{engine.table.view.ring:016x}",
        "is_warm": int(engine.is_warm),
        "ranges_changing": sum([bool(route.formers or route.cold) for route in engine.table.routes]),
        "ranges_led": sum([engine.table.of_position(part.first).leads for part in engine.table.view.ranges]),
    }
    for name, peer in sorted(engine.roster.peers.items()):
        place = f"datacenter={peer.node.datacenter},rack={peer.node.rack}"
        life = f"liveness={peer.liveness.value},state={peer.state.name}"
        agreed_s = engine.repair.agreed_s.get(name)
        agreed = "never" if agreed_s is None else f"{engine.mono_s - agreed_s:.1f}"
        hints = peer.hints
        owed = f"hints={len(hints)},hints_bytes={hints.used},hints_oldest_s={hints.age_s}"
        owed += (
            f",hints_refused={hints.refused},hints_expired={hints.expired},hints_delivered={hints.delivered}"
            f",hints_delivered_s_ago={hints.delivered_s_ago}"
        )
        behind = f"{owed},drift_ms={peer.drift_ms},agreed_s_ago={agreed}"
        facts[f"peer_{name}"] = f"{life},{place},{behind}"
    return facts
