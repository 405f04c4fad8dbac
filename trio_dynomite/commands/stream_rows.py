"""The rows of the commands on streams: data only.

Flags, arities, key positions and categories are Valkey 9.1's own (its COMMAND INFO). XDELEX and XACKDEL are
Redis 8.2's.
"""

from trio_dynomite.commands import (
    stream_deletes,
    stream_groups,
    stream_info,
    stream_pending,
    stream_reads,
    streams,
)
from trio_dynomite.commands.key_rows import AFTER_SUBCOMMAND, NO_KEYS, row
from trio_dynomite.commands.row import Gather, Row, Spread
from trio_dynomite.commands.stream_read_options import blocking, keys_of

_GROUP_WRITE = "write stream slow"
_INFO = "read stream slow"

STREAM_ROWS: tuple[Row, ...] = (
    row("xadd", -5, "write denyoom fast", "write stream fast", streams.xadd),
    row("xlen", 2, "readonly fast", "read stream fast", streams.xlen),
    row("xrange", -4, "readonly", "read stream slow", streams.xrange_),
    row("xrevrange", -4, "readonly", "read stream slow", streams.xrevrange),
    row("xdel", -3, "write fast", "write stream fast", streams.xdel),
    row("xdelex", -5, "write fast", "write stream fast", stream_deletes.xdelex),
    row("xtrim", -4, "write", "write stream slow", streams.xtrim),
    row("xsetid", -3, "write denyoom fast", "write stream fast", streams.xsetid),
    row(
        "xread",
        -4,
        "readonly blocking movablekeys",
        "read stream slow blocking",
        stream_reads.xread,
        keys=NO_KEYS,
        keys_of=keys_of,
        gather=Gather.READS,
        blocking=blocking,
    ),
    row(
        "xreadgroup",
        -7,
        "write blocking movablekeys",
        "write stream slow blocking",
        stream_reads.xreadgroup,
        keys=NO_KEYS,
        keys_of=keys_of,
        blocking=blocking,
    ),
    row("xack", -4, "write fast", "write stream fast", stream_groups.xack),
    row("xackdel", -6, "write fast", "write stream fast", stream_deletes.xackdel),
    row("xpending", -3, "readonly", "read stream slow", stream_pending.xpending),
    row("xclaim", -6, "write fast", "write stream fast", stream_pending.xclaim),
    row("xautoclaim", -6, "write fast", "write stream fast", stream_pending.xautoclaim),
    row("xgroup", -2, "", "slow", keys=NO_KEYS, spread=Spread.SESSION),
    row(
        "xgroup|create", -5, "write denyoom", _GROUP_WRITE, stream_groups.xgroup_create, keys=AFTER_SUBCOMMAND
    ),
    row(
        "xgroup|createconsumer",
        5,
        "write denyoom",
        _GROUP_WRITE,
        stream_groups.xgroup_createconsumer,
        keys=AFTER_SUBCOMMAND,
    ),
    row(
        "xgroup|delconsumer",
        5,
        "write",
        _GROUP_WRITE,
        stream_groups.xgroup_delconsumer,
        keys=AFTER_SUBCOMMAND,
    ),
    row("xgroup|destroy", 4, "write", _GROUP_WRITE, stream_groups.xgroup_destroy, keys=AFTER_SUBCOMMAND),
    row(
        "xgroup|help",
        2,
        "loading stale",
        "stream slow",
        stream_groups.xgroup_help,
        keys=NO_KEYS,
        spread=Spread.SESSION,
    ),
    row("xgroup|setid", -5, "write", _GROUP_WRITE, stream_groups.xgroup_setid, keys=AFTER_SUBCOMMAND),
    row("xinfo", -2, "", "slow", keys=NO_KEYS, spread=Spread.SESSION),
    row("xinfo|consumers", 4, "readonly", _INFO, stream_info.xinfo_consumers, keys=AFTER_SUBCOMMAND),
    row("xinfo|groups", 3, "readonly", _INFO, stream_info.xinfo_groups, keys=AFTER_SUBCOMMAND),
    row(
        "xinfo|help",
        2,
        "loading stale",
        "stream slow",
        stream_info.xinfo_help,
        keys=NO_KEYS,
        spread=Spread.SESSION,
    ),
    row("xinfo|stream", -3, "readonly", _INFO, stream_info.xinfo_stream, keys=AFTER_SUBCOMMAND),
)
