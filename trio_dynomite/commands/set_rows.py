"""The rows of the commands on sets: data only.

Flags, arities, key positions and categories are Valkey 9.1's own (its COMMAND INFO).
"""

from trio_dynomite.commands import set_algebra, sets
from trio_dynomite.commands.key_rows import NO_KEYS, row
from trio_dynomite.commands.numkeys import keys_after
from trio_dynomite.commands.row import Gather, Row

ALL_KEYS = (1, -1, 1)

SET_ROWS: tuple[Row, ...] = (
    row("sadd", -3, "write denyoom fast", "write set fast", sets.sadd),
    row("srem", -3, "write fast", "write set fast", sets.srem),
    row("smembers", 2, "readonly", "read set slow", sets.smembers),
    row("sismember", 3, "readonly fast", "read set fast", sets.sismember),
    row("smismember", -3, "readonly fast", "read set fast", sets.smismember),
    row("scard", 2, "readonly fast", "read set fast", sets.scard),
    row("smove", 4, "write fast", "write set fast", sets.smove, keys=(1, 2, 1)),
    row("spop", -2, "write fast", "write set fast", sets.spop),
    row("srandmember", -2, "readonly", "read set slow", sets.srandmember),
    row("sscan", -3, "readonly", "read set slow", sets.sscan),
    row("sinter", -2, "readonly", "read set slow", set_algebra.sinter, keys=ALL_KEYS, gather=Gather.READS),
    row("sunion", -2, "readonly", "read set slow", set_algebra.sunion, keys=ALL_KEYS, gather=Gather.READS),
    row("sdiff", -2, "readonly", "read set slow", set_algebra.sdiff, keys=ALL_KEYS, gather=Gather.READS),
    row(
        "sinterstore",
        -3,
        "write denyoom",
        "write set slow",
        set_algebra.sinterstore,
        keys=ALL_KEYS,
        gather=Gather.ALL_BUT_FIRST,
    ),
    row(
        "sunionstore",
        -3,
        "write denyoom",
        "write set slow",
        set_algebra.sunionstore,
        keys=ALL_KEYS,
        gather=Gather.ALL_BUT_FIRST,
    ),
    row(
        "sdiffstore",
        -3,
        "write denyoom",
        "write set slow",
        set_algebra.sdiffstore,
        keys=ALL_KEYS,
        gather=Gather.ALL_BUT_FIRST,
    ),
    row(
        "sintercard",
        -3,
        "readonly movablekeys",
        "read set slow",
        set_algebra.sintercard,
        keys=NO_KEYS,
        keys_of=keys_after(1),
        gather=Gather.READS,
    ),
)
