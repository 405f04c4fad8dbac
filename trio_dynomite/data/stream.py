"""The body of a stream: its entries, its counters, its consumer groups, and the operations that change them.

A command decides what happens (which id, what time, what goes to whom) and tells it as an **operation**: a
list that begins with a name. Every replica carries out the same operations in the same order, and nothing
is decided here, so equal bodies stay equal. Ids stand in operations as 16 bytes (`entry_id.py`).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from attrs import define, field
from sortedcontainers import SortedDict

from trio_dynomite.data.entry_id import decode, encode
from trio_dynomite.data.shelf import MEMORY, Shelf
from trio_dynomite.data.stream_groups import Group
from trio_dynomite.errors import ProtocolError


@define(eq=False)
class StreamBody:
    """What a stream holds. A stream may be empty, and is there all the same.

    `entries` takes an id to its fields and values, a flat tuple. It is a `SortedDict`, or an object that has
    of its methods these: `len`, `in`, `get(id)`, `[id] = fields`, `del [id]`, `peekitem(0)`, `peekitem(-1)`
    and `irange(minimum, maximum, inclusive, reverse)`.
    """

    kind: ClassVar[str] = "stream"
    made: ClassVar[int] = 0
    digest: ClassVar[int] = 0
    """A stream is one cell: its record's stamp tells all."""

    entries: Any = field(factory=SortedDict)
    last_id: int = 0
    """The last id given out; the next one is greater."""
    max_deleted_id: int = 0
    """The greatest id that was deleted by its name (trimming does not count)."""
    added: int = 0
    """How many entries were ever added."""
    groups: dict[bytes, Group] = field(factory=dict)
    group_changes: int = 0
    """How many operations had to do with groups: an engine on disk writes them when it has grown."""
    shelf: Shelf = MEMORY
    """Where the entries are kept."""

    def __len__(self) -> int:
        return len(self.entries)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StreamBody) and self.pack() == other.pack()

    __hash__ = None  # type: ignore[assignment]  # it changes

    @property
    def first_id(self) -> int:
        """The lowest id that is there; 0 when there is none."""
        return int(self.entries.peekitem(0)[0]) if self.entries else 0

    @property
    def top_id(self) -> int:
        """The greatest id that is there; 0 when there is none."""
        return int(self.entries.peekitem(-1)[0]) if self.entries else 0

    def apply(self, operation: list[Any]) -> Any:
        """Carry out one operation, `[name, argument…]`; what the method of that operation answers.

        Raises:
            ProtocolError: there is no such operation, or it does not fit this stream.
        """
        perform = _OPERATIONS.get(operation[0]) if operation else None
        if perform is None:
            raise ProtocolError(f"unknown operation on a stream: {operation[:1]}")
        self.group_changes += operation[0] not in _OF_ENTRIES
        try:
            return perform(self, *operation[1:])
        except (KeyError, TypeError, ValueError) as error:
            raise ProtocolError(f"operation {operation[0]!r} does not fit this stream") from error

    def add(self, entry_id: bytes, fields: list[bytes], cut: bytes | None) -> int:
        """Add an entry, then `trim` up to `cut` if that is given; how many entries the trimming removed."""
        number = decode(entry_id)
        # The garbage collector stops looking at tuples of bytes, and never at lists.
        self.entries[number] = tuple(fields)
        self.last_id = number
        self.added += 1
        return 0 if cut is None else self.trim(cut)

    def trim(self, cut: bytes) -> int:
        """Remove the entries up to and with the id `cut`; how many."""
        ids = list(self.entries.irange(None, decode(cut)))
        for entry_id in ids:
            del self.entries[entry_id]
        return len(ids)

    def delete(self, ids: list[bytes]) -> None:
        """Remove entries that are there."""
        for entry_id in map(decode, ids):
            del self.entries[entry_id]
            self.max_deleted_id = max(self.max_deleted_id, entry_id)

    def set_id(self, last_id: bytes, added: int, max_deleted_id: bytes) -> None:
        """Set the counters."""
        self.last_id, self.added, self.max_deleted_id = decode(last_id), added, decode(max_deleted_id)

    def set_group(self, name: bytes, last_id: bytes, entries_read: int | None) -> None:
        """Make group `name` if it is absent, and tell how far it has read."""
        group = self.groups.get(name)
        if group is None:
            self.groups[name] = Group(decode(last_id), entries_read)
        else:
            group.last_id, group.entries_read = decode(last_id), entries_read

    def drop_group(self, name: bytes) -> None:
        """Remove a group and all that is pending in it."""
        del self.groups[name]

    def see_consumer(self, group: bytes, name: bytes, seen_ms: int, active_ms: int | None) -> None:
        """`Group.see`."""
        self.groups[group].see(name, seen_ms, active_ms)

    def drop_consumer(self, group: bytes, name: bytes) -> int:
        """`Group.forget`."""
        return self.groups[group].forget(name)

    def read(
        self, group: bytes, consumer: bytes, ids: list[bytes], now_ms: int, entries_read: int | None
    ) -> None:
        """Entries, ascending and new to the group, are delivered to a consumer for the first time."""
        reader = self.groups[group]
        numbers = [decode(entry_id) for entry_id in ids]
        reader.assign(reader.see(consumer, now_ms, now_ms), numbers, now_ms, [1] * len(numbers))
        reader.last_id, reader.entries_read = numbers[-1], entries_read

    def claim(self, group: bytes, consumer: bytes, ids: list[bytes], time_ms: int, counts: list[int]) -> None:
        """`Group.assign` to a consumer that is there."""
        reader = self.groups[group]
        reader.assign(reader.consumers[consumer], map(decode, ids), time_ms, counts)

    def acknowledge(self, group: bytes, ids: list[bytes]) -> int:
        """`Group.acknowledge`."""
        return self.groups[group].acknowledge(map(decode, ids))

    def pack(self) -> list[Any]:
        """The whole body as nested lists of bytes, integers and None; equal bodies give equal lists."""
        entries = [[encode(number), list(self.entries.get(number))] for number in self.entries.irange()]
        groups = [[name, group.pack()] for name, group in sorted(self.groups.items())]
        return [encode(self.last_id), encode(self.max_deleted_id), self.added, entries, groups]

    @classmethod
    def unpack(cls, packed: list[Any], entries: Any = None) -> "StreamBody":
        """The body that `pack` made this of; its entries go into the empty `entries` (None: in memory)."""
        last_id, max_deleted_id, added, listed, groups = packed
        body = cls(SortedDict() if entries is None else entries)
        for entry_id, fields in listed:
            body.entries[decode(entry_id)] = tuple(fields)
        body.set_id(last_id, added, max_deleted_id)
        body.groups = {name: Group.unpack(group) for name, group in groups}
        return body

    def on(self, shelf: Shelf) -> "StreamBody":
        """Another body like this one, on another shelf."""
        body = StreamBody.unpack(self.pack(), shelf.entries())
        body.shelf = shelf
        return body


_OF_ENTRIES = frozenset({b"add", b"trim", b"delete", b"setid"})
_OPERATIONS: Mapping[bytes, Callable[..., Any]] = MappingProxyType(
    {
        b"add": StreamBody.add,
        b"trim": StreamBody.trim,
        b"delete": StreamBody.delete,
        b"setid": StreamBody.set_id,
        b"group": StreamBody.set_group,
        b"drop": StreamBody.drop_group,
        b"see": StreamBody.see_consumer,
        b"forget": StreamBody.drop_consumer,
        b"read": StreamBody.read,
        b"claim": StreamBody.claim,
        b"ack": StreamBody.acknowledge,
    }
)
