"""The commands that take the short way: one key, and work that does not grow with what the key holds.

They are found by one look-up and are counted and timed a pipeline at a time (`tallies`), since none of them
can be slow by itself. All others are looked at one by one.
"""

from collections.abc import Mapping

from trio_dynomite.commands.row import Row
from trio_dynomite.commands.table import TABLE

_QUICK_TOO = frozenset(["set", "setex", "psetex", "append", "getrange", "substr", "setrange"])
"""Redis does not flag these as fast, because their values may be long; so may GET's."""


def _is_quick(row: Row) -> bool:
    return row.is_plain and ("fast" in row.flags or row.name in _QUICK_TOO)


QUICK: Mapping[bytes, Row] = {name: row for name, row in TABLE.items() if _is_quick(row)}
"""By name, in lower and in upper case. A plain dict, for it is on the hot path."""
