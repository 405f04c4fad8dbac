"""A record: all that a replica knows of one key, and the one merge.

A string's record is one cell (a value under a stamp), an expiry cell and, once it was counted, a running
total per origin. It is a plain tuple of atoms on purpose: Python's garbage collector stops looking at
those, so a million keys cost no pauses.

    (stamp, value, expiry_stamp, deadline_ms, counts)

* Writing a string replaces it whole, so the cell's stamp is also the record's reset: all that is older
  is dead. A value of None is a tombstone, or the shell of an expired record.
* `deadline_ms` is 0 when nothing expires; `expiry_stamp` is 0 or at least `stamp`.
* `counts` is None or a tuple of (origin, sequence, total), sorted by origin; they add to the value under
  `stamp`. Per origin the larger sequence wins, so a total may arrive late, twice, or never with its elders.
* An expired record keeps its stamps and loses only its value: replicas agree without a message, whenever
  each of them notices. It is absent for every reader.

`join` is commutative, associative and idempotent; a property test holds it to that.
"""

from typing import Final, TypeAlias

import xxhash

from trio_dynomite.data.stamp import pack

Count: TypeAlias = tuple[int, int, int]
"""(origin, sequence, total): `origin` is the stamp at which a node's life began."""
Record: TypeAlias = tuple[int, bytes | None, int, int, tuple[Count, ...] | None]

STAMP: Final = 0
VALUE: Final = 1
EXPIRY: Final = 2
DEADLINE: Final = 3
COUNTS: Final = 4
ABSENT: Record = (0, None, 0, 0, None)

_EXPIRY_WEIGHT = 0xC2B2AE3D27D4EB4F  # odd, and tells the expiry's stamp from the value's
DIGEST_MASK = (1 << 64) - 1


def join(a: Record, b: Record) -> Record:
    """What a replica knows that was told both `a` and `b`."""
    newer, older = (a, b) if a[STAMP] >= b[STAMP] else (b, a)
    stamp, value, _, _, counts = newer
    if older[STAMP] == stamp:
        value = older[VALUE] if value is None else value
        counts = join_counts(counts, older[COUNTS])
    expiry, deadline = max((a[EXPIRY], a[DEADLINE]), (b[EXPIRY], b[DEADLINE]))
    if expiry < stamp:
        expiry = deadline = 0
    return (stamp, value, expiry, deadline, counts)


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
    stamp, _, expiry, _, counts = record
    total = stamp + expiry * _EXPIRY_WEIGHT if expiry else stamp
    if counts is not None:
        total += sum([_origin_weight(origin) * sequence for origin, sequence, _ in counts])
    return total


def _origin_weight(origin: int) -> int:
    return xxhash.xxh3_64_intdigest(pack(origin)) | 1


def newest(record: Record) -> int:
    """The newest stamp in `record`."""
    return max(record[STAMP], record[EXPIRY])


def is_live(record: Record, now_ms: int) -> bool:
    """Does a reader see this record at `now_ms`?"""
    return record[VALUE] is not None and not 0 < record[DEADLINE] <= now_ms


def total(record: Record) -> int:
    """The number that a counted record stands for."""
    counts = record[COUNTS] or ()
    return int(record[VALUE] or 0) + sum([count[2] for count in counts])


def text(record: Record) -> bytes:
    """The string that a live record stands for."""
    value = record[VALUE]
    assert value is not None
    return value if record[COUNTS] is None else b"%d" % total(record)


def shell(record: Record) -> Record:
    """An expired record without its value: the same digest, less memory."""
    return (record[STAMP], None, record[EXPIRY], record[DEADLINE], record[COUNTS])
