"""The rows of the commands that run Lua: data only.

Flags, arities, key positions and categories are Valkey 9.1's own (its COMMAND INFO). EVAL, EVALSHA and FCALL
are no writes by their flags, but what they run may write: so they are routed and answered as writes are.
"""

from trio_dynomite.commands import scripts
from trio_dynomite.commands.key_rows import NO_KEYS, row
from trio_dynomite.commands.numkeys import keys_after
from trio_dynomite.commands.row import Handler, Row, Spread

_RUNS = "noscript stale skip_monitor no_mandatory_keys movablekeys"
_SLOW = "slow scripting"
_WRITE = "write slow scripting"


def _runs(name: str, handler: Handler, *, readonly: bool = False) -> Row:
    flags = f"readonly {_RUNS}" if readonly else _RUNS
    made = row(name, -3, flags, _SLOW, handler, keys=NO_KEYS, keys_of=keys_after(2))
    made.write = not readonly
    return made


def _about(name: str, arity: int, flags: str, categories: str = _SLOW) -> Row:
    return row(name, arity, flags, categories, keys=NO_KEYS, spread=Spread.SESSION)


SCRIPT_ROWS: tuple[Row, ...] = (
    _runs("eval", scripts.eval_),
    _runs("eval_ro", scripts.eval_ro, readonly=True),
    _runs("evalsha", scripts.evalsha),
    _runs("evalsha_ro", scripts.evalsha_ro, readonly=True),
    _runs("fcall", scripts.fcall),
    _runs("fcall_ro", scripts.fcall_ro, readonly=True),
    _about("script", -2, "", "slow"),
    _about("script|debug", -3, "noscript"),
    _about("script|exists", -3, "noscript stale"),
    _about("script|flush", -2, "noscript stale"),
    _about("script|help", 2, "loading stale"),
    _about("script|kill", 2, "noscript allow_busy"),
    _about("script|load", 3, "noscript stale"),
    _about("script|show", 3, "noscript stale"),
    _about("function", -2, "", "slow"),
    _about("function|delete", 3, "write noscript", _WRITE),
    _about("function|dump", 2, "noscript"),
    _about("function|flush", -2, "write noscript", _WRITE),
    _about("function|help", 2, "loading stale"),
    _about("function|kill", 2, "noscript allow_busy"),
    _about("function|list", -2, "noscript"),
    _about("function|load", -3, "write denyoom noscript", _WRITE),
    _about("function|restore", -3, "write denyoom noscript", _WRITE),
    _about("function|stats", 2, "noscript allow_busy"),
)
