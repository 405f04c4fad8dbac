"""The records that commands see, as plain Python collections: what `commands/record.py` says, nothing more.

A deadline of a hash's field stands beside its value. Every view holds the keyspace's own entry, and drops it
when its last element has gone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

from attrs import define

from trio_dynomite.commands.numeric import INT64_MAX, INT64_MIN, parse_int64
from trio_dynomite.errors import CommandError

if TYPE_CHECKING:
    from .fake import FakeKeyspace


@define
class FakeRecord:
    """A view of the entry at one key, or of the one that the first write makes."""

    ks: FakeKeyspace
    key: bytes
    value: Any
    kind: str

    def keep_or_drop(self) -> None:
        if not self.value:
            self.ks.drop(self.key)
        else:
            self.ks.hold(self.key, self.kind, self.value)

    def __len__(self) -> int:
        return len(self.value)

    def drawn(self, everything: list[Any], count: int, distinct: bool) -> list[Any]:
        rng = self.ks.rng
        if not distinct:
            return [everything[rng.randrange(len(everything))] for _ in range(count)] if everything else []
        pool = list(everything)
        return [pool.pop(rng.randrange(len(pool))) for _ in range(min(count, len(pool)))]

    def page(self, everything: list[Any], cursor: int, count: int) -> tuple[int, list[Any]]:
        end = cursor + count
        return (end if end < len(everything) else 0), everything[cursor:end]


class FakeHash(FakeRecord):
    """field → (value, deadline)."""

    def _swept(self) -> dict[bytes, tuple[bytes, int]]:
        late = [field for field, (_, at) in self.value.items() if 0 < at <= self.ks.now_ms]
        for field in late:
            del self.value[field]
        if late:
            self.keep_or_drop()
        fields: dict[bytes, tuple[bytes, int]] = self.value
        return fields

    def __len__(self) -> int:
        return len(self._swept())

    def __contains__(self, field: bytes) -> bool:
        return field in self._swept()

    def get(self, field: bytes) -> bytes | None:
        return self._swept()[field][0] if field in self._swept() else None

    def items(self) -> list[tuple[bytes, bytes]]:
        return [(field, value) for field, (value, _) in self._swept().items()]

    def deadline(self, field: bytes) -> int:
        return self._swept().get(field, (b"", 0))[1]

    def put(self, pairs: Sequence[tuple[bytes, bytes]], deadline_ms: int | None = 0) -> int:
        before = len(self._swept())
        for field, value in pairs:
            at = self.deadline(field) if deadline_ms is None else deadline_ms
            self.value[field] = (value, at)
        added = len(self.value) - before
        self.keep_or_drop()
        self._swept()
        return added

    def remove(self, fields: Sequence[bytes]) -> int:
        found = [field for field in dict.fromkeys(fields) if field in self._swept()]
        for field in found:
            del self.value[field]
        self.keep_or_drop()
        return len(found)

    def count(self, field: bytes, delta: int) -> int:
        number = parse_int64(self.get(field) if field in self else b"0")  # type: ignore[arg-type]
        if number is None:
            raise CommandError("ERR hash value is not an integer")
        if not INT64_MIN <= number + delta <= INT64_MAX:
            raise CommandError("ERR increment or decrement would overflow")
        self.put([(field, b"%d" % (number + delta))], None)
        return number + delta

    def expire(self, fields: Sequence[bytes], deadline_ms: int) -> None:
        for field in fields:
            self.value[field] = (self._swept()[field][0], deadline_ms)
        self._swept()

    def random(self, count: int, *, distinct: bool) -> list[tuple[bytes, bytes]]:
        return self.drawn(self.items(), count, distinct)

    def scan(self, cursor: int, count: int) -> tuple[int, list[tuple[bytes, bytes]]]:
        return self.page(sorted(self.items()), cursor, count)


class FakeSet(FakeRecord):
    """The members as keys of a dictionary."""

    def __contains__(self, member: bytes) -> bool:
        return member in self.value

    def __iter__(self) -> Iterator[bytes]:
        return iter(list(self.value))

    def add(self, members: Sequence[bytes]) -> int:
        before = len(self.value)
        self.value.update(dict.fromkeys(members))
        self.keep_or_drop()
        return len(self.value) - before

    def remove(self, members: Sequence[bytes]) -> int:
        before = len(self.value)
        for member in members:
            self.value.pop(member, None)
        self.keep_or_drop()
        return before - len(self.value)

    def random(self, count: int, *, distinct: bool) -> list[bytes]:
        return self.drawn(list(self.value), count, distinct)

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        return self.page(sorted(self.value), cursor, count)


class FakeSortedSet(FakeRecord):
    """member → score."""

    def _ordered(self) -> list[tuple[bytes, float]]:
        return sorted(self.value.items(), key=lambda pair: (pair[1], pair[0]))

    def score(self, member: bytes) -> float | None:
        score: float | None = self.value.get(member)
        return score

    def items(self) -> Iterable[tuple[bytes, float]]:
        return self._ordered()

    def put(self, pairs: Sequence[tuple[bytes, float]]) -> None:
        self.value.update(pairs)
        self.keep_or_drop()

    def remove(self, members: Sequence[bytes]) -> int:
        found = [member for member in dict.fromkeys(members) if member in self.value]
        for member in found:
            del self.value[member]
        self.keep_or_drop()
        return len(found)

    def increment(self, member: bytes, delta: float) -> float:
        score: float = self.value.get(member, 0.0) + delta
        if isnan(score):
            raise CommandError("ERR resulting score is not a number (NaN)")
        self.put([(member, score)])
        return score

    def rank(self, member: bytes) -> int | None:
        names = [name for name, _ in self._ordered()]
        return names.index(member) if member in self.value else None

    def below(self, score: float, *, or_at: bool = False) -> int:
        return sum(s < score or (or_at and s == score) for s in self.value.values())

    def below_member(self, member: bytes, *, or_at: bool = False) -> int:
        bound = member + b"\0" if or_at else member
        return bisect_left([name for name, _ in self._ordered()], bound)

    def slice(self, start: int, stop: int, *, reverse: bool = False) -> list[tuple[bytes, float]]:
        chosen = self._ordered()[start:stop]
        return chosen[::-1] if reverse else chosen

    def random(self, count: int, *, distinct: bool) -> list[tuple[bytes, float]]:
        return self.drawn(self._ordered(), count, distinct)

    def scan(self, cursor: int, count: int) -> tuple[int, list[tuple[bytes, float]]]:
        return self.page(sorted(self.value.items()), cursor, count)


class FakeList(FakeRecord):
    """A Python list."""

    def __getitem__(self, index: int) -> bytes:
        assert 0 <= index < len(self.value)
        element: bytes = self.value[index]
        return element

    def __iter__(self) -> Iterator[bytes]:
        return iter(list(self.value))

    def __reversed__(self) -> Iterator[bytes]:
        return iter(self.value[::-1])

    def slice(self, start: int, stop: int) -> list[bytes]:
        assert start >= 0
        return list(self.value[start:stop])

    def push(self, values: Sequence[bytes], *, left: bool) -> None:
        for value in values:
            self.value.insert(0 if left else len(self.value), value)
        self.keep_or_drop()

    def pop(self, count: int, *, left: bool) -> list[bytes]:
        taken = [self.value.pop(0 if left else -1) for _ in range(min(count, len(self.value)))]
        self.keep_or_drop()
        return taken

    def set(self, index: int, value: bytes) -> None:
        assert 0 <= index < len(self.value)
        self.value[index] = value

    def insert(self, index: int, value: bytes) -> None:
        assert 0 <= index <= len(self.value)
        self.value.insert(index, value)

    def remove(self, indexes: Sequence[int]) -> None:
        assert list(indexes) == sorted(set(indexes))
        for index in reversed(indexes):
            del self.value[index]
        self.keep_or_drop()

    def keep(self, start: int, stop: int) -> None:
        self.value[:] = self.value[start:stop]
        self.keep_or_drop()


@define
class FakeStream:
    """The very body, with nothing around it: an empty stream stays."""

    ks: FakeKeyspace
    key: bytes
    body: Any

    def change(self, *operation: Any) -> Any:
        if self.body is None:
            from trio_dynomite.data.stream import StreamBody

            self.body = StreamBody()
        self.ks.hold(self.key, "stream", self.body)
        return self.body.apply(list(operation))
