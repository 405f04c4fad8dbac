"""The rows of the commands on sorted sets: data only.

Flags, arities, key positions and categories are Valkey 9.1's own (its COMMAND INFO).
"""

from trio_dynomite.commands import sorted_set_algebra, sorted_set_pops, sorted_set_slices, sorted_sets
from trio_dynomite.commands.key_rows import NO_KEYS, row
from trio_dynomite.commands.numkeys import keys_after
from trio_dynomite.commands.row import Gather, Handler, Row
from trio_dynomite.commands.timeouts import seconds

_TWO_KEYS = (1, 2, 1)
_ALL_BUT_TIMEOUT = (1, -2, 1)
_READ = "read sortedset slow"
_FAST_READ = "read sortedset fast"
_WRITE = "write sortedset slow"
_FAST_WRITE = "write sortedset fast"
_SOURCES = keys_after(2)


def _target_and_sources(args: list[bytes]) -> list[bytes]:
    sources = _SOURCES(args)
    return [args[1], *sources] if sources else []


def _first_timeout(args: list[bytes]) -> float:
    return seconds(args[1])


def _last_timeout(args: list[bytes]) -> float:
    return seconds(args[-1])


def _reader(name: str, arity: int, handler: Handler) -> Row:
    """The row of a command that reads as many keys as it says first."""
    flags = "readonly movablekeys"
    return row(name, arity, flags, _READ, handler, keys=NO_KEYS, keys_of=keys_after(1), gather=Gather.READS)


def _storer(name: str, handler: Handler) -> Row:
    """The row of a command that stores what it makes of as many keys as it says."""
    flags = "write denyoom movablekeys"
    return row(name, -4, flags, _WRITE, handler, keys_of=_target_and_sources, gather=Gather.ALL_BUT_FIRST)


def _waiter(name: str, handler: Handler) -> Row:
    """The row of a command that waits for one of its keys, with the timeout last."""
    flags, categories = "write blocking fast", "write sortedset fast blocking"
    return row(name, -3, flags, categories, handler, keys=_ALL_BUT_TIMEOUT, blocking=_last_timeout)


SORTED_SET_ROWS: tuple[Row, ...] = (
    row("zadd", -4, "write denyoom fast", _FAST_WRITE, sorted_sets.zadd),
    row("zincrby", 4, "write denyoom fast", _FAST_WRITE, sorted_sets.zincrby),
    row("zrem", -3, "write fast", _FAST_WRITE, sorted_sets.zrem),
    row("zscore", 3, "readonly fast", _FAST_READ, sorted_sets.zscore),
    row("zmscore", -3, "readonly fast", _FAST_READ, sorted_sets.zmscore),
    row("zcard", 2, "readonly fast", _FAST_READ, sorted_sets.zcard),
    row("zrank", -3, "readonly fast", _FAST_READ, sorted_sets.zrank),
    row("zrevrank", -3, "readonly fast", _FAST_READ, sorted_sets.zrevrank),
    row("zrandmember", -2, "readonly", _READ, sorted_sets.zrandmember),
    row("zscan", -3, "readonly", _READ, sorted_sets.zscan),
    row("zcount", 4, "readonly fast", _FAST_READ, sorted_set_slices.zcount),
    row("zlexcount", 4, "readonly fast", _FAST_READ, sorted_set_slices.zlexcount),
    row("zrange", -4, "readonly", _READ, sorted_set_slices.zrange),
    row("zrevrange", -4, "readonly", _READ, sorted_set_slices.zrevrange),
    row("zrangebyscore", -4, "readonly", _READ, sorted_set_slices.zrangebyscore),
    row("zrevrangebyscore", -4, "readonly", _READ, sorted_set_slices.zrevrangebyscore),
    row("zrangebylex", -4, "readonly", _READ, sorted_set_slices.zrangebylex),
    row("zrevrangebylex", -4, "readonly", _READ, sorted_set_slices.zrevrangebylex),
    row(
        "zrangestore",
        -5,
        "write denyoom",
        _WRITE,
        sorted_set_slices.zrangestore,
        keys=_TWO_KEYS,
        gather=Gather.ALL_BUT_FIRST,
    ),
    row("zremrangebyrank", 4, "write", _WRITE, sorted_set_slices.zremrangebyrank),
    row("zremrangebyscore", 4, "write", _WRITE, sorted_set_slices.zremrangebyscore),
    row("zremrangebylex", 4, "write", _WRITE, sorted_set_slices.zremrangebylex),
    row("zpopmin", -2, "write fast", _FAST_WRITE, sorted_set_pops.zpopmin),
    row("zpopmax", -2, "write fast", _FAST_WRITE, sorted_set_pops.zpopmax),
    row(
        "zmpop",
        -4,
        "write movablekeys",
        _WRITE,
        sorted_set_pops.zmpop,
        keys=NO_KEYS,
        keys_of=keys_after(1),
    ),
    _waiter("bzpopmin", sorted_set_pops.bzpopmin),
    _waiter("bzpopmax", sorted_set_pops.bzpopmax),
    row(
        "bzmpop",
        -5,
        "write blocking movablekeys",
        "write sortedset slow blocking",
        sorted_set_pops.bzmpop,
        keys=NO_KEYS,
        keys_of=keys_after(2),
        blocking=_first_timeout,
    ),
    _reader("zunion", -3, sorted_set_algebra.zunion),
    _reader("zinter", -3, sorted_set_algebra.zinter),
    _reader("zdiff", -3, sorted_set_algebra.zdiff),
    _reader("zintercard", -3, sorted_set_algebra.zintercard),
    _storer("zunionstore", sorted_set_algebra.zunionstore),
    _storer("zinterstore", sorted_set_algebra.zinterstore),
    _storer("zdiffstore", sorted_set_algebra.zdiffstore),
)
