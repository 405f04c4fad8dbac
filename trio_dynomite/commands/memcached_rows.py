"""The rows of memcached's commands: what the session of a memcached client gives the coordinator.

Their names begin with a zero byte: no client of Redis finds them, and nodes pass them on to each other like
any other command. What each takes stands at its function.
"""

from collections.abc import Mapping
from types import MappingProxyType

from trio_dynomite.commands import memcached_items as items
from trio_dynomite.commands import memcached_meta as meta
from trio_dynomite.commands.row import Handler, Row

_READ = "readonly"
_WRITE = "write"
_GROW = "write denyoom"


def _row(name: str, flags: str, handler: Handler) -> Row:
    return Row(
        name="\0" + name,
        arity=-2,
        flags=frozenset(flags.split()),  # type: ignore[arg-type]  # mypy knows no generic converter
        first=1,
        last=1,
        handler=handler,
    )


GET = _row("get", _READ, items.get)
GETS = _row("gets", _READ, items.gets)
GAT = _row("gat", _WRITE, items.gat)
GATS = _row("gats", _WRITE, items.gats)
SET = _row("set", _GROW, items.set_)
TOUCH = _row("touch", _WRITE, items.touch)
DELETE = _row("delete", _WRITE, items.delete_)
INCR = _row("incr", _GROW, items.counting(up=True))
DECR = _row("decr", _GROW, items.counting(up=False))
MG = _row("mg", _READ, meta.mg)
MG_WRITING = _row("mg!", _GROW, meta.mg_writing)
MS = _row("ms", _GROW, meta.ms)
MD = _row("md", _WRITE, meta.md)
MA = _row("ma", _GROW, meta.ma)
ME = _row("me", _READ, meta.me)

STORING: Mapping[bytes, Row] = MappingProxyType(
    {
        b"add": _row("add", _GROW, items.storing(b"E")),
        b"replace": _row("replace", _GROW, items.storing(b"R")),
        b"append": _row("append", _GROW, items.storing(b"A")),
        b"prepend": _row("prepend", _GROW, items.storing(b"P")),
        b"cas": _row("cas", _GROW, items.storing(b"C")),
    }
)
"""By the command's name; `set` has its own, shorter form."""

MEMCACHED_ROWS = (
    *(GET, GETS, GAT, GATS, SET, TOUCH, DELETE, INCR, DECR, MG, MG_WRITING, MS, MD, MA, ME),
    *STORING.values(),
)

NAMES: Mapping[str, bytes] = {row.name: row.name.encode() for row in MEMCACHED_ROWS}
"""The names as requests have them. A plain dict, for it is on the hot path."""


def shown_as(name: str) -> str:
    """The name of a row in what is told of commands: of memcached's as INFO commandstats has them."""
    return f"memcached|{name[1:].rstrip('!')}" if name in NAMES else name
