"""The rows of the commands on strings as arrays of bits: data only.

Flags, arities, key positions and categories are Valkey 9.1's own (its COMMAND INFO).
"""

from trio_dynomite.commands import bitfield, bitop, bits
from trio_dynomite.commands.key_rows import row
from trio_dynomite.commands.row import Gather, Row

BIT_ROWS: tuple[Row, ...] = (
    row("setbit", 4, "write denyoom", "write bitmap slow", bits.setbit),
    row("getbit", 3, "readonly fast", "read bitmap fast", bits.getbit),
    row("bitcount", -2, "readonly", "read bitmap slow", bits.bitcount),
    row("bitpos", -3, "readonly", "read bitmap slow", bits.bitpos),
    row("bitfield", -2, "write denyoom", "write bitmap slow", bitfield.bitfield),
    row("bitfield_ro", -2, "readonly fast", "read bitmap fast", bitfield.bitfield_ro),
    row(
        "bitop",
        -4,
        "write denyoom",
        "write bitmap slow",
        bitop.bitop,
        keys=(2, -1, 1),
        gather=Gather.ALL_BUT_FIRST,
    ),
)
