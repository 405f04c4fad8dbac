"""What a node tells memcached's clients of itself and of the cluster: stats, version, config get cluster.

Numbers are this node's own: items that it has a copy of, and what it served.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from trio_dynomite.peers.peer import Liveness
from trio_dynomite.protocol.memcached_words import ERROR
from trio_dynomite.storage.contract import SLOTS

if TYPE_CHECKING:
    from trio_dynomite.server.memcached.service import Memcached

VERSION = b"1.6.18"
"""Of memcached, whose protocol this is."""
VERSION_LINE = b"VERSION %b\r\n" % VERSION
_END = b"END\r\n"
_DETAIL = b"CLIENT_ERROR usage: stats detail on|off|dump\r\n"
_TOUCHING = (b"touch", b"gat", b"gats")
_META = (b"mg", b"ms", b"md", b"ma", b"mn", b"me")
_STORING = (b"set", b"add", b"replace", b"append", b"prepend", b"cas")


def stats(service: Memcached, words: list[bytes]) -> bytes:
    """stats, and what there is of its kinds. Slabs and an LRU, which most are about, there are not."""
    match words:
        case []:
            return _told(_general(service))
        case [b"settings", *_]:
            return _told(_settings(service))
        case [b"reset", *_]:
            service.reset()
            return b"RESET\r\n"
        case [b"detail", *rest]:
            return _detail(rest)
        case [b"items" | b"slabs" | b"sizes" | b"conns" | b"cachedump", *_]:
            return _END
    return ERROR


def _told(facts: dict[str, object]) -> bytes:
    return b"".join([f"STAT {name} {value}\r\n".encode() for name, value in facts.items()]) + _END


def _detail(words: list[bytes]) -> bytes:
    match words[:1]:
        case [b"on" | b"off"]:
            return b"OK\r\n"
        case [b"dump"]:
            return _END
    return _DETAIL


def _general(service: Memcached) -> dict[str, object]:
    server, counts, keyspace = service.server, service.counts, service.server.engine.keyspace
    hits, misses = keyspace.item_hits - service.hits_before, keyspace.item_misses - service.misses_before
    now_ms, usage = server.engine.now_ms, keyspace.store.usage

    def count(*verbs: bytes) -> int:
        return sum([counts.get(verb, 0) for verb in verbs])

    return {
        "pid": os.getpid(),
        "uptime": (now_ms - server.started_ms) // 1000,
        "time": now_ms // 1000,
        "version": VERSION.decode(),
        "pointer_size": 64,
        "max_connections": server.settings.limits.clients,
        "curr_connections": len(service.sessions),
        "total_connections": service.connections,
        "rejected_connections": service.rejected,
        "cmd_get": hits + misses,
        "cmd_set": count(*_STORING),
        "cmd_flush": count(b"flush_all"),
        "cmd_touch": count(*_TOUCHING),
        "cmd_meta": count(*_META),
        "get_hits": hits,
        "get_misses": misses,
        "bytes": 0 if usage is None else usage.used,
        "limit_maxbytes": server.settings.limits.max_memory,
        "curr_items": keyspace.store.key_count(0, SLOTS - 1),
        "threads": 1,
    }


def _settings(service: Memcached) -> dict[str, object]:
    server = service.server
    return {
        "maxbytes": server.settings.limits.max_memory,
        "maxconns": server.settings.limits.clients,
        "tcpport": server.engine.node.memcached_port,
        "udpport": 0,
        "evictions": "off" if server.settings.limits.max_memory_policy == "noeviction" else "on",
        "cas_enabled": "yes",
        "item_size_max": service.item_max,
        "auth_enabled_ascii": "no" if server.users.is_open else "yes",
        "flush_enabled": "yes",
        "dump_enabled": "no",
        "binding_protocol": "ascii",
    }


def cluster(service: Memcached) -> bytes:
    """The nodes that live and speak memcached's protocol, as ElastiCache tells them: host|address|port each,
    and before them a number that grows when they change."""
    roster = service.server.engine.roster
    living = [peer.node for peer in roster.peers.values() if peer.liveness is not Liveness.DOWN]
    nodes = sorted([service.server.engine.node, *living], key=lambda node: node.name)
    told = " ".join(f"{node.host}|{node.host}|{node.memcached_port}" for node in nodes if node.memcached_port)
    body = f"{service.version_of(told)}\n{told}\n".encode()
    return b"CONFIG cluster 0 %d\r\n%b\r\n%b" % (len(body), body, _END)
