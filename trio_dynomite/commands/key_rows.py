"""The rows of the commands on keys: data only.

Flags, arities, key positions and categories are Valkey 9.1's own (its COMMAND INFO); how a command spreads
over the cluster and which function runs it are ours.
"""

from collections.abc import Callable

from trio_dynomite.commands import counters, dump, expiry, keys, lcs, msetex, strings
from trio_dynomite.commands.numkeys import keys_after
from trio_dynomite.commands.row import Gather, Handler, Keyspace, Row, Spread

ONE_KEY = (1, 1, 1)
NO_KEYS = (0, 0, 0)
AFTER_SUBCOMMAND = (2, 2, 1)


def row(
    name: str,
    arity: int,
    flags: str,
    categories: str,
    handler: Handler | None = None,
    *,
    keys: tuple[int, int, int] = ONE_KEY,
    spread: Spread = Spread.KEY,
    keys_of: Callable[[list[bytes]], list[bytes]] | None = None,
    gather: Gather = Gather.NO,
    leads_to: Callable[[Keyspace, list[bytes]], list[bytes]] | None = None,
    blocking: Callable[[list[bytes]], float] | None = None,
) -> Row:
    """A row, with flags and categories as words, and `keys` the first, the last and the step between."""
    first, last, step = keys
    return Row(
        name=name,
        arity=arity,
        flags=frozenset(flags.split()),  # type: ignore[arg-type]  # mypy knows no generic converter
        first=first,
        last=last,
        step=step,
        spread=spread,
        handler=handler,
        categories=tuple(categories.split()),
        keys_of=keys_of,
        gather=gather,
        leads_to=leads_to,
        blocking=blocking,
    )


STRING_ROWS = (
    row("set", -3, "write denyoom", "write string slow", strings.set_),
    row("get", 2, "readonly fast", "read string fast", strings.get),
    row("getset", 3, "write denyoom fast", "write string fast", strings.getset),
    row("getdel", 2, "write fast", "write string fast", strings.getdel),
    row("getex", -2, "write fast", "write string fast", strings.getex),
    row("setnx", 3, "write denyoom fast", "write string fast", strings.setnx),
    row("setex", 4, "write denyoom", "write string slow", strings.setex),
    row("psetex", 4, "write denyoom", "write string slow", strings.psetex),
    row("mget", -2, "readonly fast", "read string fast", strings.mget, keys=(1, -1, 1), spread=Spread.GATHER),
    row(
        "mset", -3, "write denyoom", "write string slow", strings.mset, keys=(1, -1, 2), spread=Spread.SCATTER
    ),
    row("msetnx", -3, "write denyoom", "write string slow", strings.msetnx, keys=(1, -1, 2)),
    row(
        "msetex",
        -4,
        "write denyoom movablekeys",
        "write string slow",
        msetex.msetex,
        keys=NO_KEYS,
        keys_of=keys_after(1, 2),
    ),
    row("append", 3, "write denyoom fast", "write string fast", strings.append),
    row("strlen", 2, "readonly fast", "read string fast", strings.strlen),
    row("setrange", 4, "write denyoom", "write string slow", strings.setrange),
    row("getrange", 4, "readonly", "read string slow", strings.getrange),
    row("substr", 4, "readonly", "read string slow", strings.getrange),
    row("incr", 2, "write denyoom fast", "write string fast", counters.incr),
    row("decr", 2, "write denyoom fast", "write string fast", counters.decr),
    row("incrby", 3, "write denyoom fast", "write string fast", counters.incrby),
    row("decrby", 3, "write denyoom fast", "write string fast", counters.decrby),
    row("incrbyfloat", 3, "write denyoom fast", "write string fast", counters.incrbyfloat),
    row("lcs", -3, "readonly", "read string slow", lcs.lcs, keys=(1, 2, 1), gather=Gather.READS),
    row("delifeq", 3, "write fast", "write string fast", strings.delifeq),
)

GENERIC_ROWS = (
    row("del", -2, "write", "keyspace write slow", keys.delete, keys=(1, -1, 1), spread=Spread.SUM),
    row("unlink", -2, "write fast", "keyspace write fast", keys.delete, keys=(1, -1, 1), spread=Spread.SUM),
    row("exists", -2, "readonly fast", "keyspace read fast", keys.exists, keys=(1, -1, 1), spread=Spread.SUM),
    row("type", 2, "readonly fast", "keyspace read fast", keys.type_),
    row("touch", -2, "readonly fast", "keyspace read fast", keys.touch, keys=(1, -1, 1), spread=Spread.SUM),
    row("expire", -3, "write fast", "keyspace write fast", expiry.expire),
    row("pexpire", -3, "write fast", "keyspace write fast", expiry.pexpire),
    row("expireat", -3, "write fast", "keyspace write fast", expiry.expireat),
    row("pexpireat", -3, "write fast", "keyspace write fast", expiry.pexpireat),
    row("ttl", 2, "readonly fast", "keyspace read fast", expiry.ttl),
    row("pttl", 2, "readonly fast", "keyspace read fast", expiry.pttl),
    row("expiretime", 2, "readonly fast", "keyspace read fast", expiry.expiretime),
    row("pexpiretime", 2, "readonly fast", "keyspace read fast", expiry.pexpiretime),
    row("persist", 2, "write fast", "keyspace write fast", expiry.persist),
    row("rename", 3, "write", "keyspace write slow", keys.rename, keys=(1, 2, 1)),
    row("renamenx", 3, "write fast", "keyspace write fast", keys.renamenx, keys=(1, 2, 1)),
    row(
        "copy",
        -3,
        "write denyoom",
        "keyspace write slow",
        keys.copy,
        keys=(1, 2, 1),
        gather=Gather.ALL_BUT_LAST,
    ),
    row("object", -2, "", "slow", keys=NO_KEYS, spread=Spread.SESSION),
    row("object|encoding", 3, "readonly", "keyspace read slow", keys.object_encoding, keys=AFTER_SUBCOMMAND),
    row("object|freq", 3, "readonly", "keyspace read slow", keys.object_freq, keys=AFTER_SUBCOMMAND),
    row(
        "object|help",
        2,
        "loading stale",
        "keyspace slow",
        keys.object_help,
        keys=NO_KEYS,
        spread=Spread.SESSION,
    ),
    row("object|idletime", 3, "readonly", "keyspace read slow", keys.object_idletime, keys=AFTER_SUBCOMMAND),
    row("object|refcount", 3, "readonly", "keyspace read slow", keys.object_refcount, keys=AFTER_SUBCOMMAND),
    row("dump", 2, "readonly", "keyspace read slow", dump.dump),
    row("restore", -4, "write denyoom", "keyspace write slow dangerous", dump.restore),
    row("restore-asking", -4, "write denyoom asking", "keyspace write slow dangerous", dump.restore),
)
