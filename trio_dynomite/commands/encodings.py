"""How Valkey would keep a value in its memory: what OBJECT ENCODING says of it, at the default configuration.

Nothing here is kept in such forms; clients look at them to learn whether a value is small. They are worked
out from what a key holds now, as if it had been written just so, one element after the other. Valkey chooses
while a value grows and, but for lists, does not go back from the large form when it shrinks: of what was once
larger, and of a string that was changed in its middle, it may say another thing. At most a few thousand
elements are looked at (https://valkey.io/commands/object-encoding/).
"""

from collections.abc import Iterable

from trio_dynomite.commands.numeric import parse_int64
from trio_dynomite.commands.record import Hash, List, Set, SortedSet
from trio_dynomite.commands.row import Keyspace

_ELEMENT_MAX = 64
"""Bytes of an element in a listpack, other than those of lists: `hash-max-listpack-value` and its kind."""
_HASH_MAX = 512
_SET_MAX = 128
_SORTED_SET_MAX = 128
_INTEGERS_MAX = 512
_LIST_BYTES_MAX = 8192
_LISTPACK_FRAME = 7
"""Bytes of a listpack without elements."""
_EMBEDDED_MAX = 113
"""Bytes of a key and a short string that fit into two cache lines with what is told of them."""
_SHORT_KEY_MAX = 31
_LONG_KEY_HEAD = 2
"""So many bytes more does the head of a longer key take."""


def encoding(ks: Keyspace, key: bytes) -> bytes | None:
    """The name of the form, or None when `key` is absent."""
    match ks.kind(key):
        case "string":
            return _of_string(key, ks.get(key) or b"")
        case "hash":
            return _of_hash(ks.hash_at(key))
        case "set":
            return _of_set(ks.set_at(key))
        case "zset":
            return _of_sorted_set(ks.sorted_set_at(key))
        case "list":
            return _of_list(ks.list_at(key))
        case kind:
            return None if kind is None else kind.encode() if kind == "stream" else b"raw"


def _of_string(key: bytes, value: bytes) -> bytes:
    if parse_int64(value) is not None:
        return b"int"
    head = 0 if len(key) <= _SHORT_KEY_MAX else _LONG_KEY_HEAD
    return b"embstr" if head + len(key) + len(value) <= _EMBEDDED_MAX else b"raw"


def _of_hash(pairs: Hash) -> bytes:
    if len(pairs) > _HASH_MAX:
        return b"hashtable"
    for name, value in pairs.items():
        if len(name) > _ELEMENT_MAX or len(value) > _ELEMENT_MAX or pairs.deadline(name):
            return b"hashtable"
    return b"listpack"


def _of_set(members: Set) -> bytes:
    size = len(members)
    if size <= _INTEGERS_MAX and all(parse_int64(member) is not None for member in members):
        return b"intset"
    return b"listpack" if size <= _SET_MAX and _are_short(members) else b"hashtable"


def _of_sorted_set(members: SortedSet) -> bytes:
    if len(members) <= _SORTED_SET_MAX and _are_short(member for member, _ in members.items()):
        return b"listpack"
    return b"skiplist"


def _are_short(elements: Iterable[bytes]) -> bool:
    return all(len(element) <= _ELEMENT_MAX for element in elements)


def _of_list(elements: List) -> bytes:
    size = _LISTPACK_FRAME
    for element in elements:
        # Valkey adds up the bare length of what is new and the packed length of what is there.
        if size + len(element) > _LIST_BYTES_MAX:
            return b"quicklist"
        size += _packed(element)
    return b"listpack"


def _packed(element: bytes) -> int:
    """Bytes of an element in a listpack, its own length in front and again behind (`lpEncodeGetType`)."""
    number = parse_int64(element)
    size = _packed_text(len(element)) if number is None else _packed_integer(number)
    return size + (1 if size < 1 << 7 else 2 if size < 1 << 14 else 3)


def _packed_text(size: int) -> int:
    return size + (1 if size < 1 << 6 else 2 if size < 1 << 12 else 5)


def _packed_integer(number: int) -> int:
    if 0 <= number < 1 << 7:
        return 1
    bits = (number if number >= 0 else ~number).bit_length() + 1
    return next(size for width, size in ((13, 2), (16, 3), (24, 4), (32, 5), (64, 9)) if bits <= width)
