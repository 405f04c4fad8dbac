"""Collection: what is dead, and known to be dead by every replica, is forgotten.

A tombstone is kept so that an older write that comes late finds it. Once every replica has heard of all that
was stamped up to some moment (`repair/collection.py` finds out), nothing older can come any more: the moment
is a **cutoff** of the slot, and what is dead and as old goes. What is unknown under a cutoff was absent at it
(`Store.get`), so what a straggler tells of it is recognised; only who has
the same cutoff, or a higher one, is believed.

Replicas raise a slot's cutoff one after the other, and meanwhile one may count on a key's tombstone and
another on the cutoff: both are "from nothing", and joined (`data/record.py`).

Source: Riak reaps tombstones when all primaries have answered with them; ScyllaDB's `tombstone_gc = repair`.
"""

from collections.abc import Iterable

from attrs import evolve, frozen

from trio_dynomite.data.cells import Cells
from trio_dynomite.data.merge import settle
from trio_dynomite.data.record import ABSENT, COUNTS, DEADLINE, VALUE, Record, newest
from trio_dynomite.data.stamp import milliseconds
from trio_dynomite.storage.store import Store

_LARGE = 1000
"""Elements above which a collection is not looked at in one go."""


def has_garbage(store: Store, slot: int) -> bool:
    """Might there be something dead in a slot?"""
    return store.dead[slot] > 0 or slot in store.withered


@frozen
class Page:
    """What is left to purge of a large collection, which goes bit by bit."""

    slot: int
    key: bytes
    cutoff: int
    cursor: int = 0


def raise_cutoff(store: Store, slot: int, cutoff: int) -> tuple[int, list[Page]]:
    """Every replica has heard of all in `slot` that is as old as `cutoff`: forget what is dead of it.

    How many records and elements that were; large collections are left to `purge`."""
    if cutoff <= store.cutoffs[slot]:
        return 0, []
    is_clean = not has_garbage(store, slot)
    store.set_cutoff(slot, cutoff)
    if is_clean:
        return 0, []
    store.withered.discard(slot)
    gone, pages = 0, []
    for key, record in store.scan(slot):
        body = record[COUNTS]
        if isinstance(body, Cells) and body.dead and body.live + body.dead > _LARGE:
            pages.append(Page(slot, key, cutoff))
        else:
            gone += _collect(store, slot, key, record, cutoff)
    return gone, pages


def purge(store: Store, page: Page, limit: int) -> tuple[int, Page | None]:
    """Look at about `limit` elements of a large collection; how many were forgotten, and what is left."""
    record = store.records[page.slot].get(page.key, ABSENT)
    body = record[COUNTS]
    if not isinstance(body, Cells):
        return 0, None
    before = store.digest_here(page.slot, page.key)
    cursor, cells = body.cells.page(page.cursor, limit)
    gone = _purge(body, cells, page.cutoff)
    if gone:
        store.set(page.slot, page.key, settle(record), before)
    if not cursor:
        return gone, None
    return gone, evolve(page, cursor=cursor)


def drop_until(store: Store, slot: int, cutoff: int) -> int:
    """Forget all in `slot` that is as old as `cutoff`, dead or alive; how many records that touched.

    For a node whose data is from before a collection in which it had no part: who has had a part in it tells
    what is left of that."""
    touched = 0
    for key, record in store.scan(slot):
        body, before = record[COUNTS], store.digest_here(slot, key)
        if newest(record) <= cutoff:
            store.forget(slot, key)
        elif isinstance(body, Cells):
            old = [(element, cell) for element, cell in body.cells.items() if newest(cell) <= cutoff]
            for element, cell in old:
                body.forget(element, cell)
            store.set(slot, key, settle(record), before)
        else:
            continue
        touched += 1
    return touched


def _collect(store: Store, slot: int, key: bytes, record: Record, cutoff: int) -> int:
    """Forget what of `record` is dead under `cutoff`; how many records and elements."""
    body, gone = record[COUNTS], 0
    if isinstance(body, Cells) and body.dead:
        before = store.digest_here(slot, key)
        gone = _purge(body, body.cells.items(), cutoff)
        if gone:
            record = settle(record)
            store.set(slot, key, record, before)
        elif body.dead:
            store.withered.add(slot)
    if record[VALUE] is None and _is_past(record, cutoff) and not (isinstance(body, Cells) and body.dead):
        store.forget(slot, key)
        gone += 1
    return gone


def _purge(body: Cells, cells: Iterable[tuple[bytes, Record]], cutoff: int) -> int:
    """Forget those of some elements whose cells are dead under `cutoff`; how many."""
    dead = [one for one in cells if one[1][VALUE] is None and _is_past(one[1], cutoff)]
    for element, cell in dead:
        body.forget(element, cell)
    return len(dead)


def _is_past(record: Record, cutoff: int) -> bool:
    """Is all of a record or cell as old as `cutoff`, its deadline too?"""
    return newest(record) <= cutoff and record[DEADLINE] <= milliseconds(cutoff)
