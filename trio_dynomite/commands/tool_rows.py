"""The rows of the commands for operators and their tools: data only.

Flags, arities, key positions and categories are Valkey 9.1's own (its COMMAND INFO).
"""

from trio_dynomite.commands.row import Row

TOOL_ROWS: tuple[Row, ...] = ()
