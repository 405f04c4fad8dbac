"""The rows of the commands SORT and SORT_RO: data only.

Flags, arities, key positions and categories are Valkey 9.1's own (its COMMAND INFO).
"""

from trio_dynomite.commands import sort
from trio_dynomite.commands.key_rows import row
from trio_dynomite.commands.row import Gather, Row
from trio_dynomite.commands.sort_options import sort_keys

SORT_ROWS: tuple[Row, ...] = (
    row(
        "sort",
        -2,
        "write denyoom movablekeys",
        "write set sortedset list slow dangerous",
        sort.sort,
        keys_of=sort_keys,
        gather=Gather.ALL_BUT_LAST,
        leads_to=sort.weight_keys,
    ),
    row(
        "sort_ro",
        -2,
        "readonly movablekeys",
        "read set sortedset list slow dangerous",
        sort.sort_ro,
        gather=Gather.READS,
        leads_to=sort.weight_keys,
    ),
)
