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

from trio_dynomite.data.cells import Cells
from trio_dynomite.data.merge import settle
from trio_dynomite.data.record import COUNTS, DEADLINE, VALUE, Record, newest
from trio_dynomite.data.stamp import milliseconds
from trio_dynomite.storage.store import Store


def has_garbage(store: Store, slot: int) -> bool:
    """Might there be something dead in a slot?"""
    return store.dead[slot] > 0 or slot in store.withered


def raise_cutoff(store: Store, slot: int, cutoff: int) -> int:
    """Every replica has heard of all in `slot` that is as old as `cutoff`: forget what is dead of it.

    How many records and elements that were."""
    if cutoff <= store.cutoffs[slot]:
        return 0
    store.set_cutoff(slot, cutoff)
    store.withered.discard(slot)
    return sum([_collect(store, slot, key, record, cutoff) for key, record in store.scan(slot)])


def _collect(store: Store, slot: int, key: bytes, record: Record, cutoff: int) -> int:
    """Forget what of `record` is dead under `cutoff`; how many records and elements."""
    body, gone = record[COUNTS], 0
    if isinstance(body, Cells) and body.dead:
        before = store.digest_here(slot, key)
        gone = _purge(body, cutoff)
        if gone:
            record = settle(record)
            store.set(slot, key, record, before)
        elif body.dead:
            store.withered.add(slot)
    if record[VALUE] is None and _is_past(record, cutoff) and not (isinstance(body, Cells) and body.dead):
        store.forget(slot, key)
        gone += 1
    return gone


def _purge(body: Cells, cutoff: int) -> int:
    """Forget the elements whose cells are dead under `cutoff`; how many."""
    cells = list(body.cells.items())
    dead = [one for one in cells if one[1][VALUE] is None and _is_past(one[1], cutoff)]
    for element, cell in dead:
        body.forget(element, cell)
    return len(dead)


def _is_past(record: Record, cutoff: int) -> bool:
    """Is all of a record or cell as old as `cutoff`, its deadline too?"""
    return newest(record) <= cutoff and record[DEADLINE] <= milliseconds(cutoff)
