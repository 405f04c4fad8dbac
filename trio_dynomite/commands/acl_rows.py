"""The rows of the commands of access control: data only. The server answers them.

Flags, arities, key positions and categories are Valkey 9.1's own (its COMMAND INFO).
"""

from trio_dynomite.commands.key_rows import NO_KEYS, row
from trio_dynomite.commands.row import Row, Spread


def _row(name: str, arity: int, flags: str, categories: str) -> Row:
    return row(name, arity, flags, categories, keys=NO_KEYS, spread=Spread.SESSION)


_ADMIN = ("admin noscript loading stale", "admin slow dangerous")
_ANYBODY = ("noscript loading stale", "slow")

ACL_ROWS: tuple[Row, ...] = (
    _row("acl", -2, "", "slow"),
    _row("acl|cat", -2, *_ANYBODY),
    _row("acl|deluser", -3, *_ADMIN),
    _row("acl|dryrun", -4, *_ADMIN),
    _row("acl|genpass", -2, *_ANYBODY),
    _row("acl|getuser", 3, *_ADMIN),
    _row("acl|help", 2, "loading stale", "slow"),
    _row("acl|list", 2, *_ADMIN),
    _row("acl|load", 2, *_ADMIN),
    _row("acl|log", -2, *_ADMIN),
    _row("acl|save", 2, *_ADMIN),
    _row("acl|setuser", -3, *_ADMIN),
    _row("acl|users", 2, *_ADMIN),
    _row("acl|whoami", 2, *_ANYBODY),
)
