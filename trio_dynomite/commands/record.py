"""What commands see of the record at one key: a hash, a set, a sorted set, a list, a stream.

Commands are written once against these protocols, and run alike on every engine. A view is got from the
`Keyspace` for one command and not kept. Reading an absent key finds an empty collection; the first write
makes it, and the write that takes its last element away makes the key absent. Every write is stamped, applied
here and told to the other replicas, element by element: two replicas that wrote different elements at the
same moment keep both.

One element costs O(1) or O(log n), whatever the size of the collection, unless a method says otherwise.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

Pair = tuple[bytes, bytes]
"""A field and its value."""
Scored = tuple[bytes, float]
"""A member and its score."""
Item = tuple[bytes, int, int, int, int]
"""A string as an item of a cache: its value, marks (`data/record.py`), version (64 bits that change with the
value), deadline, and how long it was before it was counted on (0 if it was not)."""


class Chance(Protocol):
    """The part of `random.Random` that commands use."""

    def random(self) -> float:
        """In [0, 1)."""

    def randrange(self, stop: int, /) -> int:
        """In 0..stop-1."""


class Hash(Protocol):
    """The hash at one key. Fields whose deadline has passed are absent."""

    def __len__(self) -> int: ...

    def __contains__(self, field: bytes) -> bool: ...

    def get(self, field: bytes) -> bytes | None:
        """The value of `field`, or None."""

    def items(self) -> Iterable[Pair]:
        """Every field and value. O(n). The hash must not change meanwhile."""

    def deadline(self, field: bytes) -> int:
        """When `field` expires, in Unix milliseconds; 0 when it never does or is absent."""

    def put(self, pairs: Sequence[Pair], deadline_ms: int | None = 0) -> int:
        """Set fields, which then expire at `deadline_ms` (0: never; None: each as before); how many are new.

        A deadline that has passed removes them."""

    def remove(self, fields: Sequence[bytes]) -> int:
        """Remove fields; how many there were. A field named twice counts once."""

    def count(self, field: bytes, delta: int) -> int:
        """Add to the integer at `field` (absent: 0), keeping its deadline; the new value.

        Increments made in two datacenters at once add up. Raises CommandError when the value is no 64-bit
        integer or the sum would overflow."""

    def expire(self, fields: Sequence[bytes], deadline_ms: int) -> None:
        """The existing `fields` expire then; 0: never. A deadline that has passed removes them."""

    def random(self, count: int, *, distinct: bool) -> list[Pair]:
        """So many fields chosen by chance: at most all of them when `distinct`, else each drawn anew."""

    def scan(self, cursor: int, count: int) -> tuple[int, list[Pair]]:
        """About `count` fields from a cursor on (0: the first), and the cursor to go on from (0: the end).

        The cursor means the same on every replica. A field that is there from the first call of an iteration
        to the last is found at least once."""


class Set(Protocol):
    """The set at one key."""

    def __len__(self) -> int: ...

    def __contains__(self, member: bytes) -> bool: ...

    def __iter__(self) -> Iterator[bytes]: ...

    def add(self, members: Sequence[bytes]) -> int:
        """Add members; how many are new."""

    def remove(self, members: Sequence[bytes]) -> int:
        """Remove members; how many there were."""

    def random(self, count: int, *, distinct: bool) -> list[bytes]:
        """As `Hash.random`."""

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """As `Hash.scan`."""


class SortedSet(Protocol):
    """The sorted set at one key: members in the order of (score, member). Ranks count from 0, the lowest."""

    def __len__(self) -> int: ...

    def score(self, member: bytes) -> float | None:
        """The score of `member`, or None."""

    def items(self) -> Iterable[Scored]:
        """Every member and score, in no particular order. O(n)."""

    def put(self, pairs: Sequence[Scored]) -> None:
        """Set scores (no NaN) of members, new or not."""

    def remove(self, members: Sequence[bytes]) -> int:
        """Remove members; how many there were."""

    def increment(self, member: bytes, delta: float) -> float:
        """Add to the score (absent: 0); the new score. Raises CommandError when that is not a number.

        Whole numbers added in two datacenters at once add up; of other sums the newer one stays."""

    def rank(self, member: bytes) -> int | None:
        """How many members come before `member`; None when it is absent."""

    def below(self, score: float, *, or_at: bool = False) -> int:
        """How many members have a lower score than `score`, or (`or_at`) no higher one."""

    def below_member(self, member: bytes, *, or_at: bool = False) -> int:
        """How many members come before `member` byte by byte, or (`or_at`) not after it.

        Of use only when all scores are equal, as ZRANGEBYLEX and its kind presume; else Redis's result is
        unspecified, and so is this."""

    def slice(self, start: int, stop: int, *, reverse: bool = False) -> list[Scored]:
        """The members of ranks start..stop-1 (both within 0..len), backwards if `reverse`."""

    def random(self, count: int, *, distinct: bool) -> list[Scored]:
        """As `Hash.random`."""

    def scan(self, cursor: int, count: int) -> tuple[int, list[Scored]]:
        """As `Hash.scan`."""


class List(Protocol):
    """The list at one key. Indexes count from 0 at the left and are within the list: callers see to it."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> bytes: ...

    def __iter__(self) -> Iterator[bytes]: ...

    def __reversed__(self) -> Iterator[bytes]: ...

    def slice(self, start: int, stop: int) -> list[bytes]:
        """The elements start..stop-1."""

    def push(self, values: Sequence[bytes], *, left: bool) -> None:
        """Put values at an end, one after the other."""

    def pop(self, count: int, *, left: bool) -> list[bytes]:
        """Take `count` (at most all) from an end, in the order in which they come off."""

    def set(self, index: int, value: bytes) -> None:
        """Replace one element."""

    def insert(self, index: int, value: bytes) -> None:
        """Put `value` before what is at `index` (0..len). O(n)."""

    def remove(self, indexes: Sequence[int]) -> None:
        """Remove the elements at these ascending indexes. O(n)."""

    def keep(self, start: int, stop: int) -> None:
        """Keep the elements start..stop-1 only."""


class Stream(Protocol):
    """The stream at one key."""

    @property
    def body(self) -> Any:
        """What the stream holds, to be looked at only: a `data.stream.StreamBody`; None when it is absent."""

    def change(self, *operation: Any) -> Any:
        """Make the stream if it is absent, and carry out one of `StreamBody.apply`'s operations, here and on
        every replica: it must be explicit (ids, times and names, nothing to be decided) and made of bytes,
        integers, None and lists of those. What `apply` answers."""
