"""The rows of the commands for those who run servers and test them: data only.

Flags, arities, key positions and categories are Valkey 9.1's own (its COMMAND INFO).
"""

from trio_dynomite.commands import memory
from trio_dynomite.commands.key_rows import AFTER_SUBCOMMAND, NO_KEYS, ONE_KEY, row
from trio_dynomite.commands.row import Row, Spread

_DANGEROUS = "admin slow dangerous"


def _row(
    name: str,
    arity: int,
    flags: str = "admin noscript loading stale",
    categories: str = _DANGEROUS,
    keys: tuple[int, int, int] = NO_KEYS,
) -> Row:
    return row(name, arity, flags, categories, keys=keys, spread=Spread.SESSION)


def _help(name: str) -> Row:
    return _row(name, 2, "loading stale", "slow")


def _container(name: str) -> Row:
    return _row(name, -2, "", "slow")


TOOL_ROWS: tuple[Row, ...] = (
    _container("slowlog"),
    _row("slowlog|get", -2, "admin loading stale"),
    _help("slowlog|help"),
    _row("slowlog|len", 2, "admin loading stale"),
    _row("slowlog|reset", 2, "admin loading stale"),
    _container("commandlog"),
    _row("commandlog|get", 4, "admin loading stale"),
    _help("commandlog|help"),
    _row("commandlog|len", 3, "admin loading stale"),
    _row("commandlog|reset", 3, "admin loading stale"),
    _container("latency"),
    _row("latency|doctor", 2),
    _row("latency|graph", 3),
    _help("latency|help"),
    _row("latency|histogram", -2),
    _row("latency|history", 3),
    _row("latency|latest", 2),
    _row("latency|reset", -2),
    _container("memory"),
    _row("memory|doctor", 2, "", "slow"),
    _help("memory|help"),
    _row("memory|malloc-stats", 2, "loading", "slow"),
    _row("memory|purge", 2, "loading", "slow"),
    _row("memory|stats", 2, "", "slow"),
    row("memory|usage", -3, "readonly", "read slow", memory.memory_usage, keys=AFTER_SUBCOMMAND),
    _container("module"),
    _help("module|help"),
    _row("module|list", 2, "admin noscript"),
    _row("module|load", -3, "admin noscript no_async_loading"),
    _row("module|loadex", -3, "admin noscript no_async_loading"),
    _row("module|unload", 3, "admin noscript no_async_loading"),
    _row("monitor", 1),
    _row("debug", -2),
    _row("save", 1, "admin noscript no_async_loading no_multi"),
    _row("bgsave", -1, "admin noscript no_async_loading"),
    _row("bgrewriteaof", 1, "admin noscript no_async_loading"),
    _row("lastsave", 1, "loading stale fast", "admin fast dangerous"),
    _row("shutdown", -1, "admin noscript loading stale no_multi allow_busy"),
    _row("replicaof", 3, "admin noscript stale no_async_loading"),
    _row("slaveof", 3, "admin noscript stale no_async_loading"),
    _row("failover", -1, "admin noscript stale"),
    _row("replconf", -1, "admin noscript loading stale allow_busy"),
    _row("psync", -3, "admin noscript no_async_loading no_multi"),
    _row("sync", 1, "admin noscript no_async_loading no_multi"),
    _row("waitaof", 4, "blocking", "slow blocking connection"),
    _row("swapdb", 3, "write fast", "keyspace write fast dangerous"),
    _row("move", 3, "write fast", "keyspace write fast", ONE_KEY),
    _row("migrate", -6, "write movablekeys", "keyspace write slow dangerous", (3, 3, 1)),
)
