"""A node's keys in a dictionary: what the contract in `commands/row.py` says, and nothing cleverer."""

from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

from attrs import define, field

from trio_dynomite.commands.numeric import INT64_MAX, INT64_MIN, parse_int64
from trio_dynomite.commands.refusals import NOT_AN_INTEGER
from trio_dynomite.errors import CommandError

from .fake_records import FakeHash, FakeList, FakeRecord, FakeSet, FakeSortedSet, FakeStream

Run = Callable[..., bytes]
"""Runs a request: one line in shell quoting, then arguments as bytes."""

WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


@define
class Entry:
    kind: str
    value: Any
    deadline_ms: int
    fresh_ms: int


@define
class FakeKeyspace:
    now_ms: int = 1_000_000_000_000
    resp: int = 2
    entries: dict[bytes, Entry] = field(factory=dict)
    patches: list[tuple[bytes | int, ...]] = field(factory=list)
    """What `patch` was told, in order."""
    rng: Random = field(factory=lambda: Random(1))
    may_block: bool = True
    scripts: Any = None
    wants_events: bool = True
    events: list[tuple[str, bytes]] = field(factory=list)
    """What `event` was told, in order."""

    def event(self, name: str, key: bytes) -> None:
        self.events.append((name, key))

    def hash_at(self, key: bytes) -> FakeHash:
        return self._view(FakeHash, key, "hash", {})

    def set_at(self, key: bytes) -> FakeSet:
        return self._view(FakeSet, key, "set", {})

    def sorted_set_at(self, key: bytes) -> FakeSortedSet:
        return self._view(FakeSortedSet, key, "zset", {})

    def list_at(self, key: bytes) -> FakeList:
        return self._view(FakeList, key, "list", [])

    def stream_at(self, key: bytes) -> FakeStream:
        view = self._view(FakeRecord, key, "stream", None)
        return FakeStream(self, key, view.value)

    def _view(self, make: Any, key: bytes, kind: str, empty: Any) -> Any:
        entry = self._live(key)
        if entry is not None and entry.kind != kind:
            raise CommandError(WRONG_TYPE)
        return make(self, key, empty if entry is None else entry.value, kind)

    def hold(self, key: bytes, kind: str, value: Any) -> None:
        """A view has written: `key` is there."""
        if key not in self.entries:
            self.entries[key] = Entry(kind, value, 0, self.now_ms)

    def drop(self, key: bytes) -> None:
        """A view has taken its last element away."""
        self.entries.pop(key, None)

    def plant(self, key: bytes, kind: str) -> None:
        """Make `key` hold another type than a string."""
        self.entries[key] = Entry(kind, [b"item"] if kind == "list" else b"", 0, self.now_ms)

    def get(self, key: bytes) -> bytes | None:
        entry = self._live(key)
        if entry is None:
            return None
        if entry.kind != "string":
            raise CommandError(WRONG_TYPE)
        value: bytes = entry.value
        return value

    def kind(self, key: bytes) -> str | None:
        entry = self._live(key)
        return entry.kind if entry else None

    def deadline(self, key: bytes) -> int:
        entry = self._live(key)
        return entry.deadline_ms if entry else 0

    def idle_s(self, key: bytes) -> int:
        entry = self._live(key)
        return (self.now_ms - entry.fresh_ms) // 1000 if entry else 0

    def frequency(self, key: bytes) -> int | None:
        return None

    def put(self, key: bytes, value: bytes, deadline_ms: int = 0) -> None:
        self.entries[key] = Entry("string", value, deadline_ms, self.now_ms)

    def opaque(self, key: bytes) -> bytes | None:
        entry = self._live(key)
        known = ("string", "hash", "list", "set", "zset", "stream")
        return None if entry is None or entry.kind in known else bytes(entry.value)

    def put_opaque(self, key: bytes, type_: str, payload: bytes, deadline_ms: int) -> None:
        self.entries[key] = Entry(type_, payload, deadline_ms, self.now_ms)

    def patch(self, key: bytes, value: bytes, *op: bytes | int) -> None:
        assert self.get(key) is not None
        assert self._patched(key, op) == value
        self.patches.append(op)
        self.put(key, value, self.deadline(key))

    def count(self, key: bytes, delta: int) -> int:
        number = parse_int64(self.get(key) or b"0") if self.kind(key) else 0
        if number is None or self.get(key) == b"":
            raise CommandError(NOT_AN_INTEGER)
        if not INT64_MIN <= number + delta <= INT64_MAX:
            raise CommandError("ERR increment or decrement would overflow")
        self.put(key, b"%d" % (number + delta), self.deadline(key))
        return number + delta

    def expire(self, key: bytes, deadline_ms: int) -> None:
        entry = self._live(key)
        assert entry is not None
        entry.deadline_ms = deadline_ms

    def delete(self, key: bytes) -> bool:
        return self._live(key) is not None and self.entries.pop(key) is not None

    def touch(self, key: bytes) -> bool:
        entry = self._live(key)
        if entry:
            entry.fresh_ms = self.now_ms
        return entry is not None

    def copy(self, source: bytes, target: bytes) -> None:
        entry = self._live(source)
        assert entry is not None
        self.entries[target] = deepcopy(entry)

    def _live(self, key: bytes) -> Entry | None:
        entry = self.entries.get(key)
        if entry and entry.deadline_ms and entry.deadline_ms <= self.now_ms:
            del self.entries[key]
            return None
        return entry

    def _patched(self, key: bytes, op: tuple[bytes | int, ...]) -> bytes:
        """What a replica makes of `op`: the description must say the whole change."""
        value = self.get(key) or b""
        match op:
            case (b"append", bytes(suffix)):
                return value + suffix
            case (b"setrange", int(offset), bytes(piece)):
                return value[:offset].ljust(offset, b"\0") + piece + value[offset + len(piece) :]
        raise AssertionError(op)
