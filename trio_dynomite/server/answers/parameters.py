"""The parameters of a running node, under Redis's names where Redis has them.

Most are fixed while a node runs, and are told as they are. A few can be set: the consistency levels, the
request timeout, and names that other Redis tools set and that have no effect here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from trio_dynomite.access.passwords import hash_of
from trio_dynomite.model import Level
from trio_dynomite.server.answers.answer import is_cluster, number_within
from trio_dynomite.server.answers.inert_parameters import INERT, check
from trio_dynomite.server.answers.memory_parameters import MEMORY_SETTERS, memory_parameters
from trio_dynomite.server.answers.storage_parameters import storage_parameters
from trio_dynomite.server.events import format_classes, parse_classes
from trio_dynomite.server.output import format_limits, parse_limits, parse_size
from trio_dynomite.server.permission import default_password, set_default_password

if TYPE_CHECKING:
    from trio_dynomite.server.server import Server

Act = Callable[[], None]

CONSTANTS: Mapping[str, str] = {
    "acl-pubsub-default": "resetchannels",
    "aclfile": "",
    "acllog-max-len": "128",
    "appendonly": "no",
    "databases": "1",
    "protected-mode": "no",
    "save": "",
    "tcp-keepalive": "7200",
    "timeout": "0",
    "appenddirname": "appendonlydir",
    "appendfilename": "appendonly.aof",
    "daemonize": "no",
    "dbfilename": "",
    "dir": "",
    "enable-debug-command": "yes",
    "enable-module-command": "no",
    "io-threads": "1",
    "logfile": "",
    "replicaof": "",
    "slaveof": "",
    "supervised": "no",
    "syslog-enabled": "no",
}
"""Names of Redis's for what is always so here. The keepalive is Linux's own, in seconds."""

_CLIENT_INPUT_LEAST = 1 << 20


def _level(value: bytes) -> Level:
    word = value.decode("utf-8", "replace").upper()
    if word not in Level.__members__:
        raise ValueError(f"argument(s) must be one of the following: {', '.join(Level.__members__)}")
    return Level[word]


def _set_read_level(server: Server, value: bytes) -> Act:
    level = _level(value)
    return lambda: server.set_levels(level, server.write_level)


def _set_write_level(server: Server, value: bytes) -> Act:
    level = _level(value)
    return lambda: server.set_levels(server.read_level, level)


def _set_request_timeout(server: Server, value: bytes) -> Act:
    timeout_ms = number_within(value, 1, 3_600_000)
    return lambda: setattr(server.engine, "request_timeout_s", timeout_ms / 1000)


def _set_notifications(server: Server, value: bytes) -> Act:
    letters = parse_classes(value)
    return lambda: server.notifications.want_everywhere(letters)


def _set_output_limit(server: Server, value: bytes) -> Act:
    limits = parse_limits(value, server.pushes_limits)
    return lambda: setattr(server, "pushes_limits", limits)


def _set_client_input(server: Server, value: bytes) -> Act:
    size = parse_size(value.decode("utf-8", "replace"))
    if size is None or size < _CLIENT_INPUT_LEAST:
        raise ValueError(f"argument must be a memory value of at least {_CLIENT_INPUT_LEAST}")
    return lambda: setattr(server.limits, "unfinished", size)


def _set_tracking_max(server: Server, value: bytes) -> Act:
    keys_max = number_within(value, 0)
    return lambda: server.tracking.limit(keys_max)


def _set_slow_threshold(server: Server, value: bytes) -> Act:
    usec = number_within(value, -1)
    return lambda: server.set_slow(threshold_usec=usec)


def _set_slow_entries(server: Server, value: bytes) -> Act:
    entries = number_within(value, 0)
    return lambda: server.set_slow(max_entries=entries)


def _set_latency_threshold(server: Server, value: bytes) -> Act:
    milliseconds = number_within(value, 0)
    return lambda: server.set_slow(threshold_ms=milliseconds)


def _set_latency_tracking(server: Server, value: bytes) -> Act:
    check("latency-tracking", value)

    def act() -> None:
        server.tells_latency = value.lower() == b"yes"
        if not server.tells_latency:
            server.tallies.forget_spans()
        server.config["latency-tracking"] = value.lower()

    return act


def _set_percentiles(server: Server, value: bytes) -> Act:
    try:
        shares = [float(word) for word in value.split()]
    except ValueError:
        raise ValueError("Invalid latency-tracking-info-percentiles") from None
    if any(not 0 <= share <= 100 for share in shares):
        raise ValueError("latency-tracking-info-percentiles should contain values between 0.0 and 100.0")
    return lambda: setattr(server, "percentiles", tuple(shares))


def _set_password(server: Server, value: bytes) -> Act:
    kept = hash_of(value) if value else None
    return lambda: set_default_password(server, kept)


_SETTERS: Mapping[str, Callable[[Server, bytes], Act]] = {
    "client-output-buffer-limit": _set_output_limit,
    "commandlog-execution-slower-than": _set_slow_threshold,
    "commandlog-slow-execution-max-len": _set_slow_entries,
    "latency-monitor-threshold": _set_latency_threshold,
    "latency-tracking": _set_latency_tracking,
    "latency-tracking-info-percentiles": _set_percentiles,
    "notify-keyspace-events": _set_notifications,
    "read-consistency": _set_read_level,
    "client-query-buffer-limit": _set_client_input,
    "slowlog-log-slower-than": _set_slow_threshold,
    "slowlog-max-len": _set_slow_entries,
    "tracking-table-max-keys": _set_tracking_max,
    "write-consistency": _set_write_level,
    "request-timeout": _set_request_timeout,
    "requirepass": _set_password,
    **MEMORY_SETTERS,
}
"""Check a value now, and give what sets it."""


def _live(server: Server) -> dict[str, str]:
    """What this node's settings and state say. Sizes in bytes, times in milliseconds."""
    engine, limits, timeouts = server.engine, server.settings.limits, server.settings.timeouts
    node = engine.node
    return {
        "availability-zone": node.rack,
        "bind": server.settings.node(node.name).host,
        "client-output-buffer-limit": format_limits(server.pushes_limits),
        "client-query-buffer-limit": str(server.limits.unfinished),
        "cluster-enabled": "yes" if is_cluster(server) else "no",
        "cluster-node-timeout": str(round(timeouts.down_after * 1000)),
        "cluster-port": str(node.peer_port),
        "cluster-require-full-coverage": "no",
        "commandlog-execution-slower-than": str(server.slowlog.threshold_usec),
        "commandlog-slow-execution-max-len": str(server.slowlog.max_entries),
        "datacenter": node.datacenter,
        "hash-tag": server.settings.cluster.hash_tag,
        "latency-monitor-threshold": str(server.latency.threshold_ms),
        "latency-tracking-info-percentiles": " ".join([f"{share:g}" for share in server.percentiles]),
        "maxclients": str(limits.clients),
        "notify-keyspace-events": format_classes(server.notifications.letters).decode(),
        "partitioner": server.settings.cluster.partitioner,
        "port": str(node.client_port),
        "proto-max-bulk-len": str(limits.bulk),
        "read-consistency": server.read_level.name,
        "request-timeout": str(round(engine.request_timeout_s * 1000)),
        "requirepass": default_password(server).decode(),
        "requests-in-flight": str(engine.in_flight_max),
        "slowlog-log-slower-than": str(server.slowlog.threshold_usec),
        "slowlog-max-len": str(server.slowlog.max_entries),
        "tracking-table-max-keys": str(server.tracking.max_keys),
        "write-consistency": server.write_level.name,
        **memory_parameters(server),
        **storage_parameters(server),
    }


def parameters(server: Server) -> dict[str, bytes]:
    """Every parameter that CONFIG GET tells, in order of name."""
    told = {name: value.encode() for name, value in {**CONSTANTS, **INERT, **_live(server)}.items()}
    return dict(sorted((told | server.config).items()))


def prepare(server: Server, name: str, value: bytes) -> Act:
    """What sets a parameter. One that cannot change may still be set to what it is.

    Raises KeyError when there is none of that name, ValueError when the value does not fit.
    """
    now = parameters(server)[name]
    if name in _SETTERS:
        return _SETTERS[name](server, value)
    if name in INERT and name not in storage_parameters(server):
        kept = check(name, value)
        return lambda: server.config.update({name: kept})
    if value.lower() != now.lower():
        raise ValueError("can't set immutable config")
    return lambda: None
