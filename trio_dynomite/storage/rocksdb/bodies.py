"""Bodies on disk: what a record's header tells of its body, and the body that it tells of.

A header has what a body keeps by difference (digest, counts, the first deadline, the ends of a list, the
counters of a stream) and the number of its shelf; the cells, elements and entries stand under keys of their
own. An opaque value is in the header itself. What changed of the groups of a stream is written with its
header (`groups.py`).
"""

from typing import Any

from trio_dynomite.data.cells import Cells
from trio_dynomite.data.opaque import OPAQUE, OpaqueBody
from trio_dynomite.data.sequence import LIST, ListBody
from trio_dynomite.data.stream import StreamBody
from trio_dynomite.storage.rocksdb.codec import signed, signed_in
from trio_dynomite.storage.rocksdb.disk import Disk
from trio_dynomite.storage.rocksdb.shelf import DiskShelf

_STREAM = "stream"


def header(body: Any) -> list[Any]:
    """What to write of a body on a `DiskShelf`; the groups of a stream are written here."""
    shelf: DiskShelf = body.shelf
    if body.kind == LIST:
        return [LIST, shelf.number, body.items.head, body.items.tail]
    if body.kind == _STREAM:
        shelf.groups.write(body.groups, body.group_changes)
        counters = [signed(body.last_id), signed(body.max_deleted_id), body.added]
        return [_STREAM, shelf.number, len(body.entries), *counters, body.entries.front]
    if isinstance(body, OpaqueBody):
        return [OPAQUE, shelf.number, body.kind, body.payload]
    sums = [signed(body.made), body.live, body.due_ms, signed(body.sum)]
    sizes = [len(body.cells), len(body._scores or ()), len(body._deadlines or ())]
    told = [body.kind, shelf.number, *sums, *sizes]
    fronts = [order.front if order is not None else b"" for order in (body._scores, body._deadlines)]
    return [*told, *fronts] if any(fronts) else told


def body_of(disk: Disk, slot: int, owner: bytes, told: list[Any]) -> Any:
    """The body that `told`, made by `header`, tells of."""
    kind, number, *rest = told
    if kind == LIST:
        return ListBody(DiskShelf(disk, slot, number, owner, {"head": rest[0], "tail": rest[1]}))
    if kind == _STREAM:
        fronts = {"entries": rest[4]} if len(rest) > 4 else {}
        return _stream(DiskShelf(disk, slot, number, owner, {"entries": rest[0]}, fronts), rest[1:4])
    if kind == OPAQUE:
        return OpaqueBody(rest[0], rest[1], DiskShelf(disk, slot, number, owner, {}))
    made, live, due_ms, sum_, cells, scores, deadlines = rest[:7]
    sizes = {"cells": cells, "scores": scores, "deadlines": deadlines}
    shelf = DiskShelf(
        disk, slot, number, owner, sizes, dict(zip(("scores", "deadlines"), rest[7:], strict=False))
    )
    dates = shelf.order("deadlines", ()) if deadlines else None
    return Cells(kind, shelf, signed_in(made), live, due_ms, signed_in(sum_), cells - live, deadlines=dates)


def _stream(shelf: DiskShelf, counters: list[Any]) -> StreamBody:
    last_id, max_deleted_id, added = counters
    ids = (signed_in(last_id), signed_in(max_deleted_id))
    return StreamBody(shelf.entries(), *ids, added, shelf.groups.load(), shelf=shelf)


def drop(body: Any) -> None:
    """Delete all keys of a body on a `DiskShelf`."""
    if body.kind == LIST:
        body.items.drop()
    elif body.kind == _STREAM:
        body.entries.drop()
        body.shelf.groups.drop(body.groups)
    elif not isinstance(body, OpaqueBody):
        for container in filter(None, (body.cells, body._scores, body._deadlines)):
            container.drop()
