"""Soundness: is what a store keeps beside its records what one finds by looking at them?

Digests, counts of the dead, the order of scores, deadlines and the plan of what expires when are all kept by
difference. Here they are made anew and compared.
"""

from collections.abc import Iterator
from typing import Any

import xxhash

from trio_dynomite.data.cells import Cells, score_of
from trio_dynomite.data.record import COUNTS, DEADLINE, DIGEST_MASK, STAMP, VALUE, Record, digest, has_body
from trio_dynomite.data.shelf import MEMORY
from trio_dynomite.storage.remote.store import RemoteStore
from trio_dynomite.testing.server import held_by, is_simulated


def plain(record: Record) -> Any:
    """A record as values that compare: a body's contents, an expired record without what is gone."""
    stamp, value, expiry, deadline, extra = record
    if not has_body(record):
        return (stamp, value, expiry, deadline, None if type(extra) is int else extra)
    if isinstance(extra, Cells):
        return (stamp, value, expiry, deadline, extra.kind, extra.made, sorted(extra.cells.items()))
    return (stamp, value, expiry, deadline, extra.pack())


def unsound(store: Any) -> Iterator[str]:
    """What is wrong with a store, in words. Of one on a real server the slots with records must be open."""
    held = held_by(store) if isinstance(store, RemoteStore) and is_simulated(store) else None
    for slot, records in enumerate(store.records):
        if not records and not store.sums[slot] and not store.dead[slot]:
            continue
        found = list(records.items()) if held is None else held.get(slot, [])
        if len(records) != len(found):
            yield f"the count of keys in slot {slot} has drifted"
        weighed = sum([xxhash.xxh3_64_intdigest(key) * digest(record) for key, record in found])
        if (store.sums[slot] - weighed) & DIGEST_MASK:
            yield f"the digest of slot {slot} has drifted"
        if store.dead[slot] != sum([record[VALUE] is None for _, record in found]):
            yield f"the count of the dead in slot {slot} has drifted"
        for key, record in found:
            for fault in (*_unsound_body(record), *_unplanned(store, slot, key, record)):
                yield f"{fault} at {key!r}: {plain(record)}"


def _unsound_body(record: Record) -> Iterator[str]:
    body = record[COUNTS]
    if has_body(record) and record[VALUE] not in (None, body.kind):
        yield "the type is not the body's"
    if not isinstance(body, Cells):
        return
    again = body.on(MEMORY)
    if (body.sum, body.live, body.due_ms) != (again.sum, again.live, again.due_ms):
        yield "the body's digest, size or first deadline has drifted"
    if (record[VALUE] is not None) != (body.live > 0):
        yield "a value without elements, or elements without a value"
    if any(cell[STAMP] < record[STAMP] for _, cell in body.cells.items()):
        yield "a cell is older than the reset"
    yield from _unsound_orders(body)


def _unsound_orders(body: Cells) -> Iterator[str]:
    living = list(body.items())
    if body.kind == "zset" and list(body.scores()) != sorted([(score_of(c), member) for member, c in living]):
        yield "the order of scores has drifted"
    dated = sorted([(cell[DEADLINE], field) for field, cell in living if cell[DEADLINE]])
    if list(body._deadlines or ()) != dated:
        yield "the order of deadlines has drifted"


def _unplanned(store: Any, slot: int, key: bytes, record: Record) -> Iterator[str]:
    """A record whose time nobody will notice."""
    due_ms = record[COUNTS].due_ms if isinstance(record[COUNTS], Cells) else 0
    first_ms = min(filter(None, (record[DEADLINE], due_ms)), default=0)
    if record[VALUE] is not None and first_ms and not store.deadlines.has(key, slot, first_ms):
        yield "its deadline is not planned"
