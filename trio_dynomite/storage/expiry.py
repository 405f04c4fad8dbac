"""Expiry: records and fields whose deadline has passed lose their values; what is known of them stays.

No replica tells another: the deadline is part of the record, and no digest changes by it.
"""

from trio_dynomite.data.cells import Cells
from trio_dynomite.data.merge import settle
from trio_dynomite.data.record import ABSENT, COUNTS, DEADLINE, VALUE, Record, shell
from trio_dynomite.storage.store import Store


def expire(store: Store, now_ms: int, limit: int) -> int:
    """Strip expired records of their values, at most `limit` keys a call; how many were looked at."""
    keys = list(store.deadlines.take(now_ms, limit))
    for key in keys:
        expire_key(store, key, now_ms)
    return len(keys)


def expire_key(store: Store, key: bytes, now_ms: int) -> None:
    """Strip one key of what has expired, or plan when to look again."""
    slot = store.slot_of(key)
    record = store.records[slot].get(key, ABSENT)
    if record[VALUE] is None:
        return
    if 0 < record[DEADLINE] <= now_ms:
        store.set(slot, key, shell(record))
        store.on_expired("expired", key)
        return
    if record[DEADLINE]:
        store.deadlines.plan(key, record[DEADLINE])
    if type(record[COUNTS]) is Cells and record[COUNTS].due_ms:
        sweep(store, slot, key, record, now_ms)


def sweep(store: Store, slot: int, key: bytes, record: Record, now_ms: int) -> Record:
    """The record of a hash without the fields whose deadline has passed."""
    if record[COUNTS].sweep(now_ms):
        record = settle(record)
        store.set(slot, key, record)
        store.on_expired("hexpired", key)
        if record[VALUE] is None:
            store.on_expired("del", key)
    elif record[COUNTS].due_ms:
        store.deadlines.plan(key, record[COUNTS].due_ms)
    return record
