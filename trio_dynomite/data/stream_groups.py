"""A consumer group of a stream: how far it has read, and what is delivered to whom and not yet acknowledged.

What is pending stands once, in the group, in the order of ids; each consumer has the ids of its own beside
it, because Redis asks for both. Redis's page: https://redis.io/docs/latest/develop/data-types/streams/
"""

from collections.abc import Iterable
from typing import Any, TypeAlias

from attrs import define, field
from sortedcontainers import SortedDict, SortedList

from trio_dynomite.data.entry_id import decode, encode

Pending: TypeAlias = tuple[bytes, int, int]
"""(consumer, time of the last delivery in Unix milliseconds, number of deliveries)."""


@define
class Consumer:
    """One that reads in the name of a group."""

    name: bytes
    seen_ms: int
    """When it last asked for anything, in Unix milliseconds."""
    active_ms: int | None = None
    """When it last got or claimed an entry; None: never."""
    pending: SortedList[int] = field(factory=SortedList)
    """The ids of what it has not acknowledged."""


Head: TypeAlias = tuple[int, int | None]
"""(last id, entries read) of a group."""


@define
class Changes:
    """What has changed of a group since an engine on disk wrote it."""

    head: Head | None
    """As it was written."""
    ids: set[int] = field(factory=set)
    """Entries that are pending now, in another way, or not any more."""
    consumers: set[bytes] = field(factory=set)
    """The names of those that came, asked for something, or went."""


@define
class Group:
    """A consumer group."""

    last_id: int
    """The last id delivered to any of its consumers: `>` goes on from there."""
    entries_read: int | None
    """How many of all entries ever added stand up to `last_id`; None: that is not known."""
    pending: SortedDict[int, Pending] = field(factory=SortedDict)
    consumers: dict[bytes, Consumer] = field(factory=dict)
    changes: Changes | None = field(default=None, eq=False)
    """None: nobody has written it yet, or nobody ever will."""

    @property
    def head(self) -> Head:
        """What is neither pending nor a consumer."""
        return self.last_id, self.entries_read

    def see(self, name: bytes, seen_ms: int, active_ms: int | None) -> Consumer:
        """Consumer `name`, made if need be, has asked just now, and got something if `active_ms` is given."""
        consumer = self.consumers.get(name)
        if consumer is None:
            consumer = self.consumers[name] = Consumer(name, seen_ms)
        consumer.seen_ms = seen_ms
        if active_ms is not None:
            consumer.active_ms = active_ms
        if self.changes is not None:
            self.changes.consumers.add(name)
        return consumer

    def assign(self, consumer: Consumer, ids: Iterable[int], time_ms: int, counts: Iterable[int]) -> None:
        """The entries are pending for `consumer` now, whoever had them, each delivered so many times."""
        name, pending = consumer.name, self.pending
        for entry_id, count in zip(ids, counts, strict=True):
            old = pending.get(entry_id)
            if old is None:
                consumer.pending.add(entry_id)
            elif old[0] != name:
                self.consumers[old[0]].pending.remove(entry_id)
                consumer.pending.add(entry_id)
            pending[entry_id] = (name, time_ms, count)
            if self.changes is not None:
                self.changes.ids.add(entry_id)

    def acknowledge(self, ids: Iterable[int]) -> int:
        """The entries are pending no longer; how many were."""
        done = 0
        for entry_id in ids:
            old = self.pending.pop(entry_id, None)
            if old is not None:
                self.consumers[old[0]].pending.remove(entry_id)
                done += 1
                if self.changes is not None:
                    self.changes.ids.add(entry_id)
        return done

    def forget(self, name: bytes) -> int:
        """Consumer `name` is gone, and what was pending for it; how many entries that was."""
        consumer = self.consumers.pop(name)
        for entry_id in consumer.pending:
            del self.pending[entry_id]
        if self.changes is not None:
            self.changes.consumers.add(name)
            self.changes.ids.update(consumer.pending)
        return len(consumer.pending)

    def pack(self) -> list[Any]:
        """The whole group as nested lists."""
        pending = [[encode(entry_id), *state] for entry_id, state in self.pending.items()]
        consumers = [[c.name, c.seen_ms, c.active_ms] for _, c in sorted(self.consumers.items())]
        return [encode(self.last_id), self.entries_read, pending, consumers]

    @classmethod
    def unpack(cls, packed: list[Any]) -> "Group":
        """The group that `pack` made this of."""
        last_id, entries_read, pending, consumers = packed
        group = cls(decode(last_id), entries_read)
        for name, seen_ms, active_ms in consumers:
            group.see(name, seen_ms, active_ms)
        for entry_id, name, time_ms, count in pending:
            group.assign(group.consumers[name], [decode(entry_id)], time_ms, [count])
        return group
