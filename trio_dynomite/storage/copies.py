"""Copies of collections: the same elements as a new record, all under one stamp."""

from typing import Any

from trio_dynomite.data.cells import Cells, score_of
from trio_dynomite.data.elements import cell
from trio_dynomite.data.merge import pack_body, unpack_body
from trio_dynomite.data.record import COUNTS, DEADLINE, Record, text


def copied(record: Record, stamp: int) -> Record:
    """What the live `record` of a collection holds, as a record that replaces what is older than `stamp`."""
    body, deadline = record[COUNTS], record[DEADLINE]
    new = _copied_cells(body, stamp) if isinstance(body, Cells) else unpack_body(pack_body(body))
    return (stamp, new.kind, stamp if deadline else 0, deadline, new)


def _copied_cells(body: Cells, stamp: int) -> Cells:
    new = Cells(body.kind)
    for element, old in body.items():
        new.put(element, cell(stamp, _value(body, old), old[DEADLINE]))
    new.made = stamp
    return new


def _value(body: Cells, old: Record) -> Any:
    if old[COUNTS] is None:
        return old[1]
    return text(old) if body.kind == "hash" else score_of(old)
