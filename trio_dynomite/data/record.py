"""A record: all that a replica knows of one key, and the merge of strings.

A string's record is one cell (a value under a stamp), an expiry cell and, once it was counted, a running
total per origin. It is a plain tuple of atoms on purpose: Python's garbage collector stops looking at
those, so a million keys cost no pauses. A cell of a hash, a set or a sorted set is such a tuple, too.

    (stamp, value, expiry_stamp, deadline_ms, counts)

The record of another type has the type's name for its value (None when it has no element) and its **body**
in the last place: `cells.Cells`, `sequence.ListBody`, `stream.StreamBody` or `opaque.OpaqueBody`. `merge.py`
joins those. Of hashes, sets and sorted sets `stamp` is the reset: cells that are older are dead. Any other is
one cell that is replaced or patched, and `stamp` is its stamp, as of a string. Where an expired record of the
first kind was stripped of its body, the last place holds the stamp that the body was `made` with.

* Writing a string replaces it whole, so the cell's stamp is also the record's reset: all that is older
  is dead. A value of None is a tombstone, or the shell of an expired record.
* `deadline_ms` is 0 when nothing expires; `expiry_stamp` is 0 or at least `stamp`.
* `counts` is None or a tuple of (origin, sequence, total), sorted by origin; they add to the value under
  `stamp`. Per origin the larger sequence wins, so a total may arrive late, twice, or never with its elders.
* The count of origin 0, which is no node's, is no count: its total is the **marks** of the value, bits that
  stand beside it (`Keyspace.put_item`). They are written with the value, under sequence 1; whoever changes
  them later under the same stamp may do so in one way only, so that a sequence always tells the same marks.
* What was counted up **from nothing** has the value b"" (a cell of a sorted set 0, not 0.0) beside counts.
  Its base is the stamp at which it is known to be absent; where the tombstone was collected that is a cutoff
  (`storage/collect.py`), and the counts on both bases belong together.
* An expired record keeps its stamps and loses only its value: replicas agree without a message, whenever
  each of them notices. It is absent for every reader.

`join` is commutative, associative and idempotent; a property test holds it to that.
"""

from typing import Any, Final, TypeAlias

import xxhash

from trio_dynomite.data.stamp import NODE_BITS, is_cutoff, pack
from trio_dynomite.errors import CommandError

WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"

Count: TypeAlias = tuple[int, int, int]
"""(origin, sequence, total): `origin` is the stamp at which a node's life began."""
Record: TypeAlias = tuple[int, Any, int, int, Any]

STAMP: Final = 0
VALUE: Final = 1
EXPIRY: Final = 2
DEADLINE: Final = 3
COUNTS: Final = 4
ABSENT: Record = (0, None, 0, 0, None)

MARKS_ORIGIN: Final = 0
"""Of the count that tells the marks of a value."""

_EXPIRY_WEIGHT = 0xC2B2AE3D27D4EB4F  # odd, and tells the expiry's stamp from the value's
DIGEST_MASK = (1 << 64) - 1


def join(a: Record, b: Record) -> Record:
    """What a replica knows that was told both `a` and `b`, two strings' records or two cells."""
    newer, older = (a, b) if a[STAMP] >= b[STAMP] else (b, a)
    stamp, value, _, _, counts = newer
    if older[STAMP] == stamp:
        value = older[VALUE] if value is None else value
        counts = join_counts(counts, older[COUNTS])
    elif is_cutoff(stamp) and is_from_nothing(older):
        value, counts = older[VALUE], join_counts(counts, older[COUNTS])
    expiry, deadline = max((a[EXPIRY], a[DEADLINE]), (b[EXPIRY], b[DEADLINE]))
    if expiry < stamp:
        expiry = deadline = 0
    return (stamp, value, expiry, deadline, counts)


def is_from_nothing(record: Record) -> bool:
    """Was it counted up from nothing?"""
    return is_counted(record[COUNTS]) and _is_nothing(record[VALUE])


def is_counted(counts: Any) -> bool:
    """Is there a count among `counts`, and not only marks?"""
    return type(counts) is tuple and counts[-1][0] != MARKS_ORIGIN


def marks(record: Record) -> int:
    """The marks of a string's record; 0 when it has none."""
    counts = record[COUNTS]
    return int(counts[0][2]) if type(counts) is tuple and counts[0][0] == MARKS_ORIGIN else 0


def marked(number: int) -> tuple[Count, ...] | None:
    """The counts of a value that is written with these marks."""
    return ((MARKS_ORIGIN, 1, number),) if number else None


def version(record: Record) -> int:
    """64 bits that grow with every change of a string's value, equal on all replicas; marks and deadlines
    do not change it. It is never 0."""
    stamp, _, _, _, counts = record
    if counts is None:
        return int((stamp >> NODE_BITS) << 5 | stamp & 31) & DIGEST_MASK
    steps = sum([count[1] for count in counts if count[0] != MARKS_ORIGIN])
    return int(((stamp >> NODE_BITS) + steps) << 5 | stamp & 31) & DIGEST_MASK


def is_absent_at_cutoff(record: Record) -> bool:
    """Is all that is known beneath its counts that it was absent at a cutoff?

    Who counts on an older base had not collected the tombstone yet, and means the same."""
    return is_cutoff(record[STAMP]) and _is_nothing(record[VALUE])


def _is_nothing(value: Any) -> bool:
    """Is there no value beneath the counts? A score of 0.0 is one."""
    return not value and type(value) is not float


def join_counts(a: tuple[Count, ...] | None, b: tuple[Count, ...] | None) -> tuple[Count, ...] | None:
    """Per origin the larger sequence."""
    if a is None or b is None or a == b:
        return b if a is None else a
    best: dict[int, Count] = {}
    for count in (*a, *b):
        held = best.get(count[0])
        if held is None or held[1] < count[1]:
            best[count[0]] = count
    return tuple(sorted(best.values()))


def digest(record: Record) -> int:
    """A number that is equal for equal knowledge. Of a record that was only put it is its stamp.

    It is a sum, so the digest of a slot can be kept by adding differences; it is taken
    modulo 2**64 only when it is compared.
    """
    stamp, _, expiry, _, extra = record
    total = stamp + expiry * _EXPIRY_WEIGHT if expiry else stamp
    if extra is None or type(extra) is int:
        return total
    if type(extra) is tuple:
        return int(total + sum([_origin_weight(origin) * sequence for origin, sequence, _ in extra]))
    return total + int(extra.digest)


def _origin_weight(origin: int) -> int:
    return xxhash.xxh3_64_intdigest(pack(origin)) | 1


def newest(record: Record) -> int:
    """The newest stamp in `record`."""
    return max(record[STAMP], record[EXPIRY], made(record))


def made(record: Record) -> int:
    """The newest stamp among the cells of a hash, set or sorted set; 0 for any other record."""
    extra = record[COUNTS]
    if extra is None or type(extra) is tuple:
        return 0
    return int(extra if type(extra) is int else extra.made)


def has_body(record: Record) -> bool:
    """Is it the record of a collection?"""
    return record[COUNTS] is not None and type(record[COUNTS]) not in (tuple, int)


def is_stripped(record: Record) -> bool:
    """Has it (or a cell) lost its value to its deadline? Whoever goes by a slower clock may have it still."""
    return record[VALUE] is None and record[DEADLINE] > 0 and not has_body(record)


def is_live(record: Record, now_ms: int) -> bool:
    """Does a reader see this record at `now_ms`?"""
    return record[VALUE] is not None and not 0 < record[DEADLINE] <= now_ms


def total(record: Record) -> int:
    """The number that a counted record stands for."""
    counts = record[COUNTS] or ()
    return int(int(record[VALUE] or 0) + sum([count[2] for count in counts if count[0] != MARKS_ORIGIN]))


def text(record: Record) -> bytes:
    """The string that a live record stands for. Raises CommandError when it is of another type."""
    counts = record[COUNTS]
    if counts is None:
        value: bytes = record[VALUE]
        return value
    if type(counts) is not tuple:
        raise CommandError(WRONG_TYPE)
    return b"%d" % total(record) if is_counted(counts) else record[VALUE]


def kind(record: Record) -> str:
    """The type of a live record, as TYPE names it."""
    return record[VALUE] if type(record[VALUE]) is str else "string"


def shell(record: Record) -> Record:
    """An expired record without its value: less memory and, of a string or a cell, the same digest."""
    extra = record[COUNTS]
    if has_body(record):
        extra = made(record) or None
    return (record[STAMP], None, record[EXPIRY], record[DEADLINE], extra)
