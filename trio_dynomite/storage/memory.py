"""The embedded memory engine: a dictionary of records per slot.

The garbage collector never walks the records (they are tuples of atoms) and, after `freeze`, not the
slots' dictionaries either.
"""

import gc
from typing import ClassVar

from attrs import define, field

from trio_dynomite.data.record import Record
from trio_dynomite.model import ENGINES, Capabilities
from trio_dynomite.storage.contract import SLOTS
from trio_dynomite.storage.store import Store


@define(repr=False)
class MemoryStore(Store):
    """The records of one node in this process's memory; gone when it ends, but for a snapshot."""

    capabilities: ClassVar[Capabilities] = ENGINES["memory"]
    records: list[dict[bytes, Record]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.records = [{} for _ in range(SLOTS)]

    def freeze(self) -> None:
        """Take the slots' dictionaries out of the garbage collector's sight, for good.

        An empty dictionary is invisible to the collector until something traceable is put into it, and
        would then be walked for ever: so each is made visible first, and frozen with all that lives now."""
        empty = [slot.get(b"") for slot in self.records]
        for slot in self.records:
            slot[b""] = []  # type: ignore[assignment]
        gc.collect()
        gc.freeze()
        for slot, record in zip(self.records, empty, strict=True):
            del slot[b""]
            if record is not None:
                slot[b""] = record
