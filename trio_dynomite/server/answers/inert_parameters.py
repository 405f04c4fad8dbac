"""Parameters of Redis and Valkey that have no effect here, with their defaults.

Tools and test harnesses set them: they are checked as far as their kind, taken, and remembered.
"""

import re
from collections.abc import Mapping

from trio_dynomite.server.output import parse_size

INERT: Mapping[str, str] = {
    "active-defrag-cycle-max": "25",
    "active-defrag-cycle-min": "1",
    "active-defrag-cycle-us": "500",
    "active-defrag-ignore-bytes": "104857600",
    "active-defrag-max-scan-fields": "1000",
    "active-defrag-threshold-lower": "10",
    "active-defrag-threshold-upper": "100",
    "active-expire-effort": "1",
    "activedefrag": "no",
    "activerehashing": "yes",
    "always-show-logo": "no",
    "aof-load-truncated": "yes",
    "aof-rewrite-cpulist": "",
    "aof-rewrite-incremental-fsync": "yes",
    "aof-timestamp-enabled": "no",
    "aof-use-rdb-preamble": "yes",
    "aof_rewrite_cpulist": "",
    "appendfsync": "everysec",
    "auto-aof-rewrite-min-size": "67108864",
    "auto-aof-rewrite-percentage": "100",
    "bgsave-cpulist": "",
    "bgsave_cpulist": "",
    "bind-source-addr": "",
    "bio-cpulist": "",
    "bio_cpulist": "",
    "busy-reply-threshold": "5000",
    "cluster-migration-barrier": "1",
    "cluster-preferred-endpoint-type": "ip",
    "cluster-replica-no-failover": "no",
    "cluster-replica-validity-factor": "10",
    "cluster-slave-no-failover": "no",
    "cluster-slave-validity-factor": "10",
    "commandlog-large-reply-max-len": "128",
    "commandlog-large-request-max-len": "128",
    "commandlog-reply-larger-than": "1048576",
    "commandlog-request-larger-than": "1048576",
    "crash-log-enabled": "yes",
    "crash-memcheck-enabled": "yes",
    "disable-thp": "yes",
    "dual-channel-replication-enabled": "no",
    "hash-max-listpack-entries": "512",
    "hash-max-listpack-value": "64",
    "hash-max-ziplist-entries": "512",
    "hash-max-ziplist-value": "64",
    "hide-user-data-from-log": "yes",
    "hll-sparse-max-bytes": "3000",
    "hz": "10",
    "jemalloc-bg-thread": "yes",
    "latency-tracking": "yes",
    "lazyfree-lazy-eviction": "yes",
    "lazyfree-lazy-expire": "yes",
    "lazyfree-lazy-server-del": "yes",
    "lazyfree-lazy-user-del": "yes",
    "lazyfree-lazy-user-flush": "yes",
    "list-compress-depth": "0",
    "list-max-listpack-size": "-2",
    "list-max-ziplist-size": "-2",
    "locale-collate": "",
    "log-format": "legacy",
    "log-timestamp-format": "legacy",
    "loglevel": "notice",
    "lua-time-limit": "5000",
    "max-new-connections-per-cycle": "10",
    "max-new-tls-connections-per-cycle": "1",
    "maxmemory-eviction-tenacity": "10",
    "maxmemory-clients": "0",
    "masterauth": "",
    "masteruser": "",
    "min-replicas-max-lag": "10",
    "min-replicas-to-write": "0",
    "min-slaves-max-lag": "10",
    "min-slaves-to-write": "0",
    "mptcp": "no",
    "no-appendfsync-on-rewrite": "no",
    "oom-score-adj": "no",
    "oom-score-adj-values": "0 200 800",
    "prefetch-batch-max-size": "16",
    "primaryauth": "",
    "primaryuser": "",
    "proc-title-template": "{title} {listen-addr} {server-mode}",
    "propagation-error-behavior": "ignore",
    "rdb-del-sync-files": "no",
    "rdb-save-incremental-fsync": "yes",
    "rdb-version-check": "strict",
    "rdbchecksum": "yes",
    "rdbcompression": "yes",
    "repl-backlog-size": "10485760",
    "repl-backlog-ttl": "3600",
    "repl-disable-tcp-nodelay": "no",
    "repl-diskless-load": "disabled",
    "repl-diskless-sync": "yes",
    "repl-diskless-sync-delay": "5",
    "repl-diskless-sync-max-replicas": "0",
    "repl-mptcp": "no",
    "repl-ping-replica-period": "10",
    "repl-ping-slave-period": "10",
    "repl-timeout": "60",
    "replica-announce-ip": "",
    "replica-announce-port": "0",
    "replica-announced": "yes",
    "replica-ignore-disk-write-errors": "no",
    "replica-ignore-maxmemory": "yes",
    "replica-lazy-flush": "yes",
    "replica-priority": "100",
    "replica-read-only": "yes",
    "replica-serve-stale-data": "yes",
    "server-cpulist": "",
    "server_cpulist": "",
    "set-max-intset-entries": "512",
    "set-max-listpack-entries": "128",
    "set-max-listpack-value": "64",
    "set-proc-title": "yes",
    "shutdown-on-sigint": "default",
    "shutdown-on-sigterm": "default",
    "shutdown-timeout": "10",
    "slave-announce-ip": "",
    "slave-announce-port": "0",
    "slave-ignore-maxmemory": "yes",
    "slave-lazy-flush": "yes",
    "slave-priority": "100",
    "slave-read-only": "yes",
    "slave-serve-stale-data": "yes",
    "socket-mark-id": "0",
    "stop-writes-on-bgsave-error": "yes",
    "stream-node-max-bytes": "4096",
    "stream-node-max-entries": "100",
    "syslog-facility": "local0",
    "syslog-ident": "valkey",
    "tcp-backlog": "511",
    "tls-client-key-file-pass": "",
    "tls-key-file": "",
    "tls-key-file-pass": "",
    "zset-max-listpack-entries": "128",
    "zset-max-listpack-value": "64",
    "zset-max-ziplist-entries": "128",
    "zset-max-ziplist-value": "64",
}
"""By name."""


_SIZES = frozenset(
    [
        "active-defrag-ignore-bytes",
        "auto-aof-rewrite-min-size",
        "hash-max-listpack-value",
        "hash-max-ziplist-value",
        "hll-sparse-max-bytes",
        "maxmemory-clients",
        "repl-backlog-size",
        "stream-node-max-bytes",
        "zset-max-listpack-value",
        "zset-max-ziplist-value",
    ]
)
_SHARES = frozenset(["maxmemory-clients"])
"""Those that may be a share of the memory, too."""


def check(name: str, value: bytes) -> bytes:
    """What is kept of a value, if it is of the parameter's kind: yes or no, a number, a size.

    Raises ValueError in Redis's words."""
    default, word = INERT[name], value.decode("utf-8", "replace").lower()
    if name in _SIZES:
        return _size(name, word)
    if default in ("yes", "no") and word not in ("yes", "no"):
        raise ValueError("argument must be 'yes' or 'no'")
    if default.lstrip("-").isdigit() and re.fullmatch(r"-?[0-9]+", word) is None:
        raise ValueError("argument couldn't be parsed into an integer")
    return value


def _size(name: str, word: str) -> bytes:
    if name in _SHARES and re.fullmatch(r"[0-9]+%", word):
        if int(word[:-1]) > 100:
            raise ValueError("percentage argument must be less or equal to 100")
        return word.encode()
    size = parse_size(word)
    if size is None:
        kind = "memory or percent" if name in _SHARES else "memory"
        raise ValueError(f"argument must be a {kind} value")
    return b"%d" % size
