"""What a key costs in memory, about: MEMORY USAGE, and what `maxmemory` counts.

Python's own sizes of what a record is made of, with the share of the dictionaries around it. Of a large
collection a few elements are looked at and stand for all.
"""

from collections.abc import Iterable
from itertools import islice
from sys import getsizeof
from typing import Any

from trio_dynomite.data.cells import ORDERED_FROM, SORTED_SET, Cells
from trio_dynomite.data.opaque import OpaqueBody
from trio_dynomite.data.record import COUNTS, VALUE, Record, has_body
from trio_dynomite.data.sequence import ListBody
from trio_dynomite.data.slim import slim

_RECORD = 80 + 40
"""The tuple and its stamp."""
_ENTRY = 104
"""An entry of a dictionary that is two thirds full, with its part of the index."""
_BODY = 500
_POINTER = 8
_BYTES = 33
"""What an object of bytes takes beside them."""
_STRING = 2 * _BYTES + _ENTRY + _RECORD
_PLACE = 40
"""An entry of a body's dictionary, which is small."""
_SLIM = 46
"""A cell that is kept as bytes, beside its value."""
_RANKED = 104
"""A place in the order of scores."""
_ELEMENT = _BYTES + _PLACE + _SLIM
_LOOKED_AT = 5
"""Elements of a collection that `weight` looks at: it is called at every write."""


def size_of(key: bytes, record: Record, samples: int) -> int:
    """Bytes that a live record takes, with its key and its place; `samples` 0 looks at all elements."""
    size = getsizeof(key) + _ENTRY + _RECORD
    body = record[COUNTS]
    if not has_body(record):
        return size + getsizeof(record[VALUE])
    if isinstance(body, Cells):
        cells = [getsizeof(element) + _cell_size(cell) for element, cell in _some(body.items(), samples)]
        return size + _BODY + _scaled(cells, body.live, _PLACE + _ranked(body))
    if isinstance(body, ListBody):
        return size + _BODY + _scaled(list(map(getsizeof, _some(body.items, samples))), len(body), _POINTER)
    if isinstance(body, OpaqueBody):
        return size + _BODY + len(body)
    fields = [sum(map(getsizeof, entry)) for entry in _some(body.entries.values(), samples)]
    return size + _BODY + _scaled(fields, len(body), _ENTRY + _RECORD)


def _some(values: Iterable[Any], samples: int) -> Iterable[Any]:
    return islice(values, samples) if samples else values


def _scaled(sizes: list[int], count: int, each: int) -> int:
    return (sum(sizes) * count // len(sizes) if sizes else 0) + each * count


def _cell_size(cell: Record) -> int:
    if type(slim(cell)) is bytes:
        return _SLIM + _length(cell[VALUE])
    return _RECORD + (getsizeof(cell[VALUE]) if cell[VALUE] else 0)


def _ranked(body: Cells) -> int:
    """What a member's place in the order of scores takes, if there is one."""
    return _RANKED if body.kind == SORTED_SET and body.live > ORDERED_FROM else 0


def weight(key: bytes, record: Record) -> int:
    """About `size_of` a record with a value, at the cost of a few additions, however large it is."""
    body = record[COUNTS]
    if body is None or type(body) is tuple:
        return _STRING + len(key) + len(record[VALUE])
    size = _STRING + _BODY + len(key)
    if isinstance(body, Cells):
        cells = [len(name) + _length(cell[VALUE]) for name, cell in islice(body.cells.items(), _LOOKED_AT)]
        return size + _scaled(cells, body.live, _ELEMENT + _ranked(body))
    if isinstance(body, ListBody):
        return size + _scaled(list(map(len, _some(body.items, _LOOKED_AT))), len(body), _BYTES + _POINTER)
    if isinstance(body, OpaqueBody):
        return size + len(body)
    entries = [sum(map(len, fields)) + 2 * _BYTES for fields in _some(body.entries.values(), _LOOKED_AT)]
    return size + _scaled(entries, len(body), _ENTRY + _RECORD)


def weight_of_any(key: bytes, record: Record) -> int:
    """`weight` of any record; of one without a value little but its key is left."""
    return weight(key, record) if has_body(record) else _STRING + len(key) + _length(record[VALUE] or b"")


def _length(value: object) -> int:
    return len(value) if type(value) is bytes else 8
