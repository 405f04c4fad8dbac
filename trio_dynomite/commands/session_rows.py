"""The rows of the commands that the server and the coordinator answer themselves: data only.

Flags, arities and categories are Valkey 9.1's own (its COMMAND INFO), but for Dynomite's command.
"""

from trio_dynomite.commands.key_rows import NO_KEYS, row
from trio_dynomite.commands.row import Row, Spread


def _row(name: str, arity: int, flags: str, categories: str, spread: Spread = Spread.SESSION) -> Row:
    return row(name, arity, flags, categories, keys=NO_KEYS, spread=spread)


KEYSPACE_ROWS = (
    _row("keys", 2, "readonly", "keyspace read slow dangerous", Spread.KEYSPACE),
    _row("scan", -2, "readonly", "keyspace read slow", Spread.KEYSPACE),
    _row("dbsize", 1, "readonly fast", "keyspace read fast", Spread.KEYSPACE),
    _row("randomkey", 1, "readonly", "keyspace read slow", Spread.KEYSPACE),
    _row("flushall", -1, "write", "keyspace write slow dangerous", Spread.KEYSPACE),
    _row("flushdb", -1, "write", "keyspace write slow dangerous", Spread.KEYSPACE),
)

SESSION_ROWS = (
    _row("ping", -1, "fast", "fast connection"),
    _row("echo", 2, "loading stale fast", "fast connection"),
    _row("hello", -1, "noscript loading stale fast no_auth allow_busy", "fast connection"),
    _row("auth", -2, "noscript loading stale fast no_auth allow_busy", "fast connection"),
    _row("select", 2, "loading stale fast allow_busy", "fast connection"),
    _row("client", -2, "", "slow"),
    _row("client|caching", 3, "noscript loading stale allow_busy", "slow connection"),
    _row("client|capa", -3, "noscript loading stale allow_busy", "slow connection"),
    _row("client|getname", 2, "noscript loading stale allow_busy", "slow connection"),
    _row("client|getredir", 2, "noscript loading stale allow_busy", "slow connection"),
    _row("client|help", 2, "loading stale", "slow connection"),
    _row("client|id", 2, "noscript loading stale allow_busy", "slow connection"),
    _row("client|import-source", 3, "noscript loading stale", "slow connection"),
    _row("client|info", 2, "noscript loading stale", "slow connection"),
    _row("client|kill", -3, "admin noscript loading stale", "admin slow dangerous connection"),
    _row("client|list", -2, "admin noscript loading stale", "admin slow dangerous connection"),
    _row("client|no-evict", 3, "admin noscript loading stale allow_busy", "admin slow dangerous connection"),
    _row("client|no-touch", 3, "noscript loading stale allow_busy", "slow connection"),
    _row("client|pause", -3, "admin noscript loading stale", "admin slow dangerous connection"),
    _row("client|reply", 3, "noscript loading stale no_multi allow_busy", "slow connection"),
    _row("client|setinfo", 4, "noscript loading stale allow_busy", "slow connection"),
    _row("client|setname", 3, "noscript loading stale allow_busy", "slow connection"),
    _row("client|tracking", -3, "noscript loading stale", "slow connection"),
    _row("client|trackinginfo", 2, "noscript loading stale", "slow connection"),
    _row("client|unblock", -3, "admin noscript loading stale", "admin slow dangerous connection"),
    _row("client|unpause", 2, "admin noscript loading stale", "admin slow dangerous connection"),
    _row("command", -1, "loading stale", "slow connection"),
    _row("command|count", 2, "loading stale", "slow connection"),
    _row("command|docs", -2, "loading stale", "slow connection"),
    _row("command|getkeys", -3, "loading stale", "slow connection"),
    _row("command|getkeysandflags", -3, "loading stale", "slow connection"),
    _row("command|help", 2, "loading stale", "slow connection"),
    _row("command|info", -2, "loading stale", "slow connection"),
    _row("command|list", -2, "loading stale", "slow connection"),
    _row("info", -1, "loading stale", "slow dangerous"),
    _row("config", -2, "", "slow"),
    _row("config|get", -3, "admin noscript loading stale", "admin slow dangerous"),
    _row("config|help", 2, "loading stale", "slow"),
    _row("config|resetstat", 2, "admin noscript loading stale", "admin slow dangerous"),
    _row("config|rewrite", 2, "admin noscript loading stale", "admin slow dangerous"),
    _row("config|set", -4, "admin noscript loading stale", "admin slow dangerous"),
    _row("quit", -1, "noscript loading stale fast no_auth allow_busy", "fast connection"),
    _row("reset", 1, "noscript loading stale fast no_auth allow_busy", "fast connection"),
    _row("readonly", 1, "loading stale fast", "fast connection"),
    _row("readwrite", 1, "loading stale fast", "fast connection"),
    _row("asking", 1, "fast", "fast connection"),
    _row("cluster", -2, "", "slow"),
    _row("cluster|count-failure-reports", 3, "admin stale", "admin slow dangerous"),
    _row("cluster|countkeysinslot", 3, "stale", "slow"),
    _row("cluster|forget", 3, "admin stale no_async_loading", "admin slow dangerous"),
    _row("cluster|getkeysinslot", 4, "stale", "slow"),
    _row("cluster|help", 2, "loading stale", "slow"),
    _row("cluster|info", 2, "loading stale", "slow"),
    _row("cluster|keyslot", 3, "stale", "slow"),
    _row("cluster|links", 2, "stale", "slow"),
    _row("cluster|meet", -4, "admin stale no_async_loading", "admin slow dangerous"),
    _row("cluster|myid", 2, "loading stale", "slow"),
    _row("cluster|myshardid", 2, "loading stale", "slow"),
    _row("cluster|nodes", 2, "loading stale", "slow"),
    _row("cluster|repair", -3, "admin stale", "admin slow dangerous"),
    _row("cluster|shards", 2, "loading stale", "slow"),
    _row("cluster|slots", 2, "loading stale", "slow"),
    _row("time", 1, "loading stale fast", "fast"),
    _row("wait", 3, "blocking", "slow blocking connection"),
    _row("lolwut", -1, "readonly fast", "read fast"),
    _row("role", 1, "noscript loading stale fast", "admin fast dangerous"),
    _row("dyno_config:conn_consistency", 2, "noscript loading stale fast", "fast connection"),
)
