"""The rows of the commands SORT and SORT_RO: data only.

Flags, arities, key positions and categories are Valkey 9.1's own (its COMMAND INFO).
"""

from trio_dynomite.commands.row import Row

SORT_ROWS: tuple[Row, ...] = ()
