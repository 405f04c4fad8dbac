"""The rows of the commands on HyperLogLogs, which are strings: data only.

Flags, arities, key positions and categories are Valkey 9.1's own (its COMMAND INFO).
"""

from trio_dynomite.commands.row import Row

HYPERLOGLOG_ROWS: tuple[Row, ...] = ()
