"""The rows of the commands of publish and subscribe: data only.

Flags, arities, key positions and categories are Valkey 9.1's own (its COMMAND INFO).
"""

from trio_dynomite.commands.key_rows import NO_KEYS, ONE_KEY, row
from trio_dynomite.commands.row import Row, Spread

_ALL_ARE_KEYS = (1, -1, 1)


def _row(name: str, arity: int, flags: str, categories: str, keys: tuple[int, int, int] = NO_KEYS) -> Row:
    return row(name, arity, flags, categories, keys=keys, spread=Spread.SESSION)


PUBSUB_ROWS: tuple[Row, ...] = (
    _row("subscribe", -2, "pubsub noscript loading stale", "pubsub slow"),
    _row("unsubscribe", -1, "pubsub noscript loading stale", "pubsub slow"),
    _row("psubscribe", -2, "pubsub noscript loading stale", "pubsub slow"),
    _row("punsubscribe", -1, "pubsub noscript loading stale", "pubsub slow"),
    _row("ssubscribe", -2, "pubsub noscript loading stale", "pubsub slow", _ALL_ARE_KEYS),
    _row("sunsubscribe", -1, "pubsub noscript loading stale", "pubsub slow", _ALL_ARE_KEYS),
    _row("publish", 3, "pubsub loading stale fast", "pubsub fast"),
    _row("spublish", 3, "pubsub loading stale fast", "pubsub fast", ONE_KEY),
    _row("pubsub", -2, "", "slow"),
    _row("pubsub|channels", -2, "pubsub loading stale", "pubsub slow"),
    _row("pubsub|help", 2, "loading stale", "slow"),
    _row("pubsub|numpat", 2, "pubsub loading stale", "pubsub slow"),
    _row("pubsub|numsub", -2, "pubsub loading stale", "pubsub slow"),
    _row("pubsub|shardchannels", -2, "pubsub loading stale", "pubsub slow"),
    _row("pubsub|shardnumsub", -2, "pubsub loading stale", "pubsub slow"),
)
