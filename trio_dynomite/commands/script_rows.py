"""The rows of the commands that run Lua: data only.

Flags, arities, key positions and categories are Valkey 9.1's own (its COMMAND INFO).
"""

from trio_dynomite.commands.row import Row

SCRIPT_ROWS: tuple[Row, ...] = ()
