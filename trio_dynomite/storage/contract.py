"""What an engine brings: the records of each slot. The rest of a store is the same for all (`store.py`)."""

from collections.abc import Iterable, Iterator
from typing import Protocol, overload

import xxhash

from trio_dynomite.data.record import Record

SLOTS = 16384
hash_of = xxhash.xxh3_64_intdigest
"""What weighs a key's digest in the sum of its slot."""


class Records(Protocol):
    """Key → record of one slot: the part of a dictionary that stores and their users need."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...

    def __contains__(self, key: object, /) -> bool: ...

    def __getitem__(self, key: bytes, /) -> Record: ...

    def __setitem__(self, key: bytes, record: Record, /) -> None: ...

    def __delitem__(self, key: bytes, /) -> None: ...

    @overload
    def get(self, key: bytes, /) -> Record | None:
        """The record of `key`."""

    @overload
    def get(self, key: bytes, default: Record, /) -> Record:
        """The record of `key`, or `default`."""

    def items(self) -> Iterable[tuple[bytes, Record]]:
        """Every key and its record."""

    def values(self) -> Iterable[Record]:
        """Every record."""

    def clear(self) -> None:
        """Forget all of them."""
