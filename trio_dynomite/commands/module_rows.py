"""Commands of modules: rows made of what a storage server tells of them (COMMAND).

The cluster only routes them: the keys are found by the server's own key specifications, and the server that
has those keys runs the command (`coordinator/modules.py`).
"""

from collections.abc import Iterable
from typing import Any

from trio_dynomite.commands.key_places import keys_with_flags
from trio_dynomite.commands.reference import learn_specs
from trio_dynomite.commands.row import Keyspace, Row, Spread
from trio_dynomite.errors import CommandError

MODULE = "module"
"""The flag by which such a row is told."""
_FLAGS = frozenset(["readonly", "write", "denyoom", "admin", "blocking", "fast", "movablekeys", MODULE])
_OWN_FLAGS = frozenset(["noscript", "no_multi"])
"""Its answer comes in a later turn, so nothing may need it in this one."""
_UNKNOWN = "unknown"
_READ_ONLY = ["RO", "access"]
_SEARCH, _SUGGESTIONS = "ft.", "ft.sug"
"""Commands of search name an index, which is no key, but for those of suggestions."""
_NAME, _ARITY, _FLAGS_AT, _FIRST, _LAST, _STEP, _CATEGORIES, _TIPS, _SPECS, _CHILDREN = range(10)


def rows_of(told: Iterable[Any]) -> list[Row]:
    """The rows of all modules' commands in COMMAND's answer, those of subcommands as `parent|child`."""
    rows: list[Row] = []
    for entry in told:
        if MODULE in _words(entry[_FLAGS_AT]):
            rows.append(_row(entry))
            rows += [_row(child) for child in entry[_CHILDREN] or ()]
    return rows


def _row(entry: list[Any]) -> Row:
    name = entry[_NAME].decode("utf-8", "replace").lower()
    flags = _words(entry[_FLAGS_AT]) & _FLAGS
    has_keys = not name.startswith(_SEARCH) or name.startswith(_SUGGESTIONS)
    specs = [_spec(spec, flags) for spec in entry[_SPECS] or ()] if has_keys else []
    if any([_UNKNOWN in (spec["begin_search"]["type"], spec["find_keys"]["type"]) for spec in specs]):
        specs = []
    learn_specs(name, specs)
    is_simple = "movablekeys" not in flags and has_keys
    row = Row(
        name=name,
        arity=entry[_ARITY],
        flags=frozenset((*flags, *_OWN_FLAGS, MODULE)),  # type: ignore[arg-type]  # as in `internal`
        first=entry[_FIRST] if is_simple else 0,
        last=entry[_LAST] if is_simple else 0,
        step=entry[_STEP] or 1,
        spread=Spread.KEY,
        handler=_not_here,
        categories=("write",) if "write" in flags else ("read",),
    )
    if not is_simple and specs:
        row.keys_of = lambda args: [key for key, _ in keys_with_flags(row, args)]
    return row


def knows_its_keys(row: Row) -> bool:
    """Can the keys of such a row's requests be found? Not if only a function of the module knows them."""
    return "movablekeys" not in row.flags or row.keys_of is not None


def _spec(told: list[Any], flags: frozenset[str]) -> dict[str, Any]:
    """A key specification as `reference` keeps them. A command that only reads may not say so of its keys."""
    spec: dict[str, Any] = _named(told)
    if "readonly" in flags and "not_key" not in spec["flags"]:
        spec["flags"] = _READ_ONLY
    return spec


def _named(told: Any) -> Any:
    """The map in a flat list, as RESP2 tells it, with text for words."""
    if isinstance(told, bytes):
        return told.decode("utf-8", "replace")
    if not isinstance(told, list):
        return told
    words = [_named(word) for word in told[::2]]
    values = [
        [_named(word) for word in value] if name == "flags" else _named(value)
        for name, value in zip(words, told[1::2], strict=True)
    ]
    return dict(zip(words, values, strict=True))


def _words(told: Iterable[bytes]) -> frozenset[str]:
    return frozenset([word.decode("utf-8", "replace") for word in told])


def _not_here(ks: Keyspace, args: list[bytes]) -> bytes:
    name = args[0].decode("utf-8", "replace")
    raise CommandError(f"ERR '{name}' is a module's, and the server below this node has no such module")
