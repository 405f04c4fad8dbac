"""The rows of the commands on lists: data only.

Flags, arities, key positions and categories are Valkey 9.1's own (its COMMAND INFO).
"""

from trio_dynomite.commands import list_moves, list_search, lists
from trio_dynomite.commands.key_rows import NO_KEYS, row
from trio_dynomite.commands.numkeys import keys_after
from trio_dynomite.commands.row import Row
from trio_dynomite.commands.timeouts import seconds

_TWO_KEYS = (1, 2, 1)
_ALL_BUT_TIMEOUT = (1, -2, 1)
_READ = "read list slow"
_WRITE = "write list slow"
_FAST = "write list fast"
_BLOCKING = "write list slow blocking"


def _first_timeout(args: list[bytes]) -> float:
    return seconds(args[1])


def _last_timeout(args: list[bytes]) -> float:
    return seconds(args[-1])


LIST_ROWS: tuple[Row, ...] = (
    row("lpush", -3, "write denyoom fast", _FAST, lists.lpush),
    row("rpush", -3, "write denyoom fast", _FAST, lists.rpush),
    row("lpushx", -3, "write denyoom fast", _FAST, lists.lpushx),
    row("rpushx", -3, "write denyoom fast", _FAST, lists.rpushx),
    row("lpop", -2, "write fast", _FAST, lists.lpop),
    row("rpop", -2, "write fast", _FAST, lists.rpop),
    row("llen", 2, "readonly fast", "read list fast", lists.llen),
    row("lindex", 3, "readonly", _READ, lists.lindex),
    row("lset", 4, "write denyoom", _WRITE, lists.lset),
    row("lrange", 4, "readonly", _READ, lists.lrange),
    row("ltrim", 4, "write", _WRITE, lists.ltrim),
    row("linsert", 5, "write denyoom", _WRITE, list_search.linsert),
    row("lrem", 4, "write", _WRITE, list_search.lrem),
    row("lpos", -3, "readonly", _READ, list_search.lpos),
    row("lmove", 5, "write denyoom", _WRITE, list_moves.lmove, keys=_TWO_KEYS),
    row("rpoplpush", 3, "write denyoom", _WRITE, list_moves.rpoplpush, keys=_TWO_KEYS),
    row("lmpop", -4, "write movablekeys", _WRITE, list_moves.lmpop, keys=NO_KEYS, keys_of=keys_after(1)),
    row(
        "blpop",
        -3,
        "write blocking",
        _BLOCKING,
        list_moves.blpop,
        keys=_ALL_BUT_TIMEOUT,
        blocking=_last_timeout,
    ),
    row(
        "brpop",
        -3,
        "write blocking",
        _BLOCKING,
        list_moves.brpop,
        keys=_ALL_BUT_TIMEOUT,
        blocking=_last_timeout,
    ),
    row(
        "blmove",
        6,
        "write denyoom blocking",
        _BLOCKING,
        list_moves.blmove,
        keys=_TWO_KEYS,
        blocking=_last_timeout,
    ),
    row(
        "brpoplpush",
        4,
        "write denyoom blocking",
        _BLOCKING,
        list_moves.brpoplpush,
        keys=_TWO_KEYS,
        blocking=_last_timeout,
    ),
    row(
        "blmpop",
        -5,
        "write blocking movablekeys",
        _BLOCKING,
        list_moves.blmpop,
        keys=NO_KEYS,
        keys_of=keys_after(2),
        blocking=_first_timeout,
    ),
)
