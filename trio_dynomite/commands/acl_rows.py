"""The rows of the commands of access control: data only.

Flags, arities, key positions and categories are Valkey 9.1's own (its COMMAND INFO).
"""

from trio_dynomite.commands.row import Row

ACL_ROWS: tuple[Row, ...] = ()
