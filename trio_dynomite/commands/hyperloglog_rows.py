"""The rows of the commands on HyperLogLogs, which are strings: data only.

Flags, arities, key positions and categories are Valkey 9.1's own (its COMMAND INFO).
"""

from trio_dynomite.commands import hyperloglog_commands as commands
from trio_dynomite.commands.key_rows import AFTER_SUBCOMMAND, NO_KEYS, row
from trio_dynomite.commands.row import Gather, Row, Spread

_ALL_KEYS = (1, -1, 1)

HYPERLOGLOG_ROWS: tuple[Row, ...] = (
    row("pfadd", -2, "write denyoom fast", "write hyperloglog fast", commands.pfadd),
    row(
        "pfcount",
        -2,
        "readonly",
        "read hyperloglog slow",
        commands.pfcount,
        keys=_ALL_KEYS,
        gather=Gather.READS,
    ),
    row(
        "pfmerge",
        -2,
        "write denyoom",
        "write hyperloglog slow",
        commands.pfmerge,
        keys=_ALL_KEYS,
        gather=Gather.ALL_BUT_FIRST,
    ),
    row(
        "pfdebug",
        3,
        "write denyoom admin",
        "write hyperloglog admin slow dangerous",
        commands.pfdebug,
        keys=AFTER_SUBCOMMAND,
    ),
    row(
        "pfselftest",
        1,
        "admin",
        "hyperloglog admin slow dangerous",
        commands.pfselftest,
        keys=NO_KEYS,
        spread=Spread.SESSION,
    ),
)
