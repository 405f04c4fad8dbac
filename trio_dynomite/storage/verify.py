"""Verification: digests are kept by difference at every write, for years; are they those of the records?

Worked out from scratch, a slot at a time, and mended where they are not: a replica with a wrong digest would
be compared, key by key, for ever. It would be a mistake of ours, or of the memory.
"""

from trio_dynomite.data.cells import Cells
from trio_dynomite.data.record import COUNTS, DIGEST_MASK, Record
from trio_dynomite.storage.store import Store

_ELEMENTS_MAX = 1000


def verify(store: Store, slot: int) -> bool:
    """Is what was kept of a slot by difference what its records tell? If not, it is now.

    Of a collection with many elements its own sum is taken for granted."""
    records = store.records[slot]
    wrong = [(key, record) for key, record in records.items() if not _is_sound(record)]
    for key, record in wrong:
        records[key] = record  # with the sum that is right now
    counted = total, dead = store.counted(slot)
    is_right = (total - store.sums[slot]) & DIGEST_MASK == 0 and dead == store.dead[slot]
    if not is_right:
        store.amend(slot, counted)
    return is_right and not wrong


def _is_sound(record: Record) -> bool:
    """Is the sum of a small collection that of its elements? If not, it is now."""
    body = record[COUNTS]
    return type(body) is not Cells or len(body.cells) > _ELEMENTS_MAX or body.verify()
