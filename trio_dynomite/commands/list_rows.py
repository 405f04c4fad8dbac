"""The rows of the commands on lists: data only.

Flags, arities, key positions and categories are Valkey 9.1's own (its COMMAND INFO).
"""

from trio_dynomite.commands.row import Row

LIST_ROWS: tuple[Row, ...] = ()
