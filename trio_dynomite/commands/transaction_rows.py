"""The rows of the commands of transactions: data only.

Flags, arities, key positions and categories are Valkey 9.1's own (its COMMAND INFO).
"""

from trio_dynomite.commands.key_rows import NO_KEYS, row
from trio_dynomite.commands.row import Row, Spread

_IN_WATCH = (1, -1, 1)


def _row(name: str, arity: int, flags: str, categories: str, keys: tuple[int, int, int] = NO_KEYS) -> Row:
    return row(name, arity, flags, categories, keys=keys, spread=Spread.SESSION)


TRANSACTION_ROWS: tuple[Row, ...] = (
    _row("multi", 1, "noscript loading stale fast no_multi allow_busy", "fast transaction"),
    _row("exec", 1, "noscript loading stale skip_commandlog", "slow transaction"),
    _row("discard", 1, "noscript loading stale fast allow_busy", "fast transaction"),
    _row("watch", -2, "noscript loading stale fast no_multi allow_busy", "fast transaction", _IN_WATCH),
    _row("unwatch", 1, "noscript loading stale fast allow_busy", "fast transaction"),
)
