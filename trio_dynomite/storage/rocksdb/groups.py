"""The consumer groups of a stream on disk: what an operation changed of them is written, and nothing else.

    prefix, length of the group's name (4 bytes), name, "h"             → [last id, entries read]
                                                        "c", consumer   → [seen, active]
                                                        "p", id (16)    → [consumer, time, deliveries]

Groups are read as a whole with their stream, and are in memory as long as it is. Data of the second format
has all of them in one value under the prefix; it goes when they are written next.
"""

from typing import Any

import msgspec

from trio_dynomite.data.entry_id import decode, encode
from trio_dynomite.data.stream_groups import Changes, Group
from trio_dynomite.storage.rocksdb.disk import Area

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode
_CONSUMER, _HEAD, _PENDING = b"c", b"h", b"p"
"""In this order they are read: who has something pending is known before it."""
_LENGTH_BYTES = 4


class DiskGroups:
    """The groups of one stream."""

    __slots__ = ("_area", "_is_old", "_names", "_told")

    def __init__(self, area: Area) -> None:
        self._area = area
        self._is_old = False
        """They are in one value."""
        self._names: set[bytes] = set()
        """Of those that are on disk."""
        self._told = -1
        """`StreamBody.group_changes` when they were written."""

    def load(self) -> dict[bytes, Group]:
        """All groups, as they are on disk."""
        groups: dict[bytes, Group] = {}
        self._told = 0
        for key, data in self._area.walk():
            if key == self._area.prefix:
                self._is_old = True
                return {name: Group.unpack(group) for name, group in _unpack(data)}
            _take_up(groups, key[len(self._area.prefix) :], _unpack(data))
        for group in groups.values():
            group.changes = Changes(group.head)
        self._names = set(groups)
        return groups

    def write(self, groups: dict[bytes, Group], changes: int) -> None:
        """Write what has changed; `changes` is how many operations had to do with groups."""
        if changes == self._told:
            return
        if self._is_old:
            self._area.put(self._area.prefix, None)
        self._told, self._is_old = changes, False
        whole = {name for name, group in groups.items() if group.changes is None}
        for name in (self._names - groups.keys()) | (self._names & whole):
            self._delete(name)
        for name, group in groups.items():
            if group.changes is None:
                group.changes = Changes(None, set(group.pending), set(group.consumers))
            self._write(self._key(name), group, group.changes)
        self._names = set(groups)

    def _key(self, name: bytes) -> bytes:
        return self._area.prefix + len(name).to_bytes(_LENGTH_BYTES) + name

    def _delete(self, name: bytes) -> None:
        """Key by key: what is deleted as a range must not be written again in the same turn."""
        key = self._key(name)
        for found, _ in self._area.walk(key, key + b"\xff"):
            self._area.put(found, None)

    def _write(self, key: bytes, group: Group, changes: Changes) -> None:
        if changes.head != group.head:
            self._area.put(key + _HEAD, _pack([encode(group.last_id), group.entries_read]))
            changes.head = group.head
        for name in changes.consumers:
            consumer = group.consumers.get(name)
            told = None if consumer is None else _pack([consumer.seen_ms, consumer.active_ms])
            self._area.put(key + _CONSUMER + name, told)
        for entry_id in changes.ids:
            pending = group.pending.get(entry_id)
            self._area.put(key + _PENDING + encode(entry_id), None if pending is None else _pack(pending))
        changes.consumers.clear()
        changes.ids.clear()

    def drop(self, groups: dict[bytes, Group]) -> None:
        """Delete all of them; they are not used any more."""
        self._area.drop(1 + sum([len(group.pending) for group in groups.values()]))


def _take_up(groups: dict[bytes, Group], key: bytes, told: Any) -> None:
    """One key behind the prefix, and what stands under it."""
    end = _LENGTH_BYTES + int.from_bytes(key[:_LENGTH_BYTES])
    name, letter, rest = key[_LENGTH_BYTES:end], key[end : end + 1], key[end + 1 :]
    group = groups.get(name)
    if group is None:
        group = groups[name] = Group(0, None)
    if letter == _HEAD:
        group.last_id, group.entries_read = decode(told[0]), told[1]
    elif letter == _CONSUMER:
        group.see(rest, *told)
    else:
        consumer, time_ms, count = told
        group.assign(group.consumers[consumer], [decode(rest)], time_ms, [count])
