"""COMMAND DOCS: what the commands are for, for people and for tools that complete command lines."""

from collections.abc import Iterable
from typing import Any

from trio_dynomite.commands.reference import docs
from trio_dynomite.commands.row import Row
from trio_dynomite.protocol.replies import array, bulk, integer, mapping, set_of, simple

_SETS = frozenset(["flags", "history", "doc_flags"])
_SIMPLE = frozenset(["flags", "doc_flags"])


def command_docs(rows: Iterable[Row], resp: int) -> bytes:
    """The COMMAND DOCS reply for `rows`: a map from name to documentation."""
    pairs = [(bulk(row.name.encode()), encode_tree(docs(row.name), resp)) for row in rows]
    return mapping(pairs, resp)


def encode_tree(tree: Any, resp: int, key: str = "") -> bytes:
    """Encode a tree of maps, lists, texts and numbers. `key` is the name under which the tree stands:
    under some names Valkey sends sets and simple strings instead of arrays and bulk strings."""
    match tree:
        case dict():
            pairs = [(bulk(name.encode()), encode_tree(value, resp, name)) for name, value in tree.items()]
            return mapping(pairs, resp)
        case list():
            inside = key if key in _SIMPLE else ""
            items = [encode_tree(item, resp, inside) for item in tree]
            return set_of(items, resp) if key in _SETS else array(items)
        case int():
            return integer(tree)
    return simple(tree) if key in _SIMPLE else bulk(tree.encode())
