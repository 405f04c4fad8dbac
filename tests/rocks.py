"""What must be true of a RocksDB store whenever it was opened: all that is kept beside the records agrees."""

from collections.abc import Iterator

from tests.engines import litter
from trio_dynomite.data.record import newest
from trio_dynomite.storage.rocksdb.calendar import due
from trio_dynomite.storage.rocksdb.figures import counters
from trio_dynomite.storage.rocksdb.store import RocksStore
from trio_dynomite.testing.soundness import unsound

COUNTERS = ("rocksdb.number.keys.read", "rocksdb.number.db.next", "rocksdb.number.db.seek")


def faults(store: RocksStore) -> list[str]:
    """What is wrong, in words."""
    left = [f"{key!r} belongs to no record" for key in litter(store)]
    return [*unsound(store), *_slots(store), *_calendar(store), *left]


def _slots(store: RocksStore) -> Iterator[str]:
    for slot, records in enumerate(store.records):
        found = list(records.items()) if len(records) or store.sums[slot] else []
        if len(records) != len(found):
            yield f"slot {slot} has {len(found)} records, and says {len(records)}"
        if records.volatile != sum([due(record) > 0 for _, record in found]):
            yield f"slot {slot} says that {records.volatile} records are in the calendar"
        if records.newest < max([newest(record) for _, record in found], default=0):
            yield f"slot {slot} has a newer record than it says"


def _calendar(store: RocksStore) -> Iterator[str]:
    dated = {key for slot in store.records if len(slot) for key, record in slot.items() if due(record)}
    if len(store.deadlines) != len(dated):
        yield f"{len(dated)} records have deadlines, and the calendar says {len(store.deadlines)}"
    if missing := dated - store.deadlines.all_keys():
        yield f"{missing} are not in the calendar"


def counted(store: RocksStore, names: tuple[str, ...] = COUNTERS) -> int:
    """The sum of some of the database's counters since it was opened."""
    found = counters(store.disk)
    return sum([found[name] for name in names])
