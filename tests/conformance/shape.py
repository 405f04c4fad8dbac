"""Replies as trees, and put in order where Redis gives none: what two servers said can then be compared."""

from typing import Any

Tree = tuple[bytes, Any]
"""The byte that tells the type, and what it is of: bytes, or a list of trees. A map is a flat list."""

UNORDERED = frozenset([b"HKEYS", b"HVALS", b"SMEMBERS", b"SINTER", b"SUNION", b"SDIFF"])
PAIRED = frozenset([b"HGETALL"])
SCANS = frozenset([b"HSCAN", b"SSCAN", b"ZSCAN"])
BARE = frozenset([b"NOVALUES", b"NOSCORES"])


def trees(raw: bytes) -> list[Tree]:
    """The replies that stand one behind the other in `raw`."""
    found, at = [], 0
    while at < len(raw):
        tree, at = _tree(raw, at)
        found.append(tree)
    return found


def _tree(raw: bytes, at: int) -> tuple[Tree, int]:
    kind, end = raw[at : at + 1], raw.index(b"\r\n", at)
    head, at = raw[at + 1 : end], end + 2
    if kind not in b"$=*~%>" or head == b"-1":
        return (kind, head), at
    size = int(head)
    if kind in b"$=":
        return (kind, raw[at : at + size]), at + size + 2
    children = []
    for _ in range(size * (1 + (kind == b"%"))):
        child, at = _tree(raw, at)
        children.append(child)
    return (kind, children), at


def in_order(request: tuple[bytes, ...], reply: bytes) -> Tree:
    """The one reply to `request`, sorted if it has no order of its own."""
    [tree] = trees(reply)
    kind, children = tree
    if not isinstance(children, list):
        return tree
    name = request[0].upper()
    if name in UNORDERED:
        return kind, sorted(children)
    if name in PAIRED:
        return kind, sorted(pairs(children))
    if name in SCANS:
        cursor, (inner, found) = children
        is_flat = name == b"SSCAN" or BARE & {word.upper() for word in request}
        return kind, [cursor, (inner, sorted(found if is_flat else pairs(found)))]
    return tree


def blank(tree: Tree) -> Tree:
    """The types and lengths alone, without what is in bulk strings."""
    kind, inside = tree
    if isinstance(inside, list):
        return kind, [blank(child) for child in inside]
    return kind, b"" if kind == b"$" and inside != b"-1" else inside


def leaves(tree: Tree) -> list[bytes]:
    """What is in the bulk strings, from left to right; nulls are none."""
    kind, inside = tree
    if isinstance(inside, list):
        return [text for child in inside for text in leaves(child)]
    return [inside] if kind == b"$" and inside != b"-1" else []


def pairs(children: list[Tree]) -> list[Any]:
    return list(zip(children[::2], children[1::2], strict=True))
