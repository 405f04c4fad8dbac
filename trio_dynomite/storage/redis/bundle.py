"""All that a turn changed leaves in one transaction.

    HGET slot key …                    the heads of what nobody has looked at
    MULTI
    MSET key value …                   strings; SET … PXAT for each with a deadline
    DEL key …                          what goes
    FCALL replace …                    everything of a key anew, whatever there is
    HSET slot key head                 for each key so far
    FCALL changes …                    some of each key, if its head is the one that was read or written last
    EXEC

A string is put over a string, or over what nobody has looked at, without a question. The server's log has all
of it or nothing. For each string that costs the server a third of what a call of a function would.
"""

from collections.abc import Callable
from itertools import chain
from typing import Any

import hiredis
from attrs import define, field

from trio_dynomite.data.record import COUNTS, DEADLINE, EXPIRY, STAMP, VALUE, Record, text
from trio_dynomite.data.stamp import STAMP_BYTES
from trio_dynomite.errors import ProtocolError
from trio_dynomite.storage.redis.heads import encode_head, has_elements, listed_head
from trio_dynomite.storage.redis.layout import cells_at, groups_at, head_asked, head_told, heads_at
from trio_dynomite.storage.redis.library import NAME
from trio_dynomite.storage.redis.mistakes import mistake_in
from trio_dynomite.storage.redis.writes import Command, Held, changes_of, flat, is_simple, keys_of, replace
from trio_dynomite.storage.remote.cache import Entry
from trio_dynomite.storage.remote.driver import FullError, Outcome, Was
from trio_dynomite.storage.servers.handshake import failed, packed

_KEYS_MAX = 1000
"""Of one transaction: nobody else is served meanwhile."""
_BYTES_MAX = 16 << 20
_KEYS_EACH = 4
_CHANGED = b":1"
_CHANGES = NAME + b"_changes"
_NULL_MAX = 5
"""Bytes of a null, in both protocols."""
_HEAD_SET = b"%%b$%%d\r\n%%b\r\n$%d\r\n%%b\r\n" % STAMP_BYTES
"""The rest of the request for a plain string's head, after `head_told`."""
_MULTI, _EXEC = packed("MULTI"), packed("EXEC")
_pack: Callable[[Any], bytes] = hiredis.pack_command


@define(eq=False)
class Bundle:
    """`remote.driver.Bundle` for Redis."""

    slot_of: Callable[[bytes], int]
    entries: list[Entry] = field(factory=list)
    grown: int = 0
    """By so many bytes have those grown that were known."""
    _size: int = 0
    _blind: list[bytes] = field(factory=list)
    _set: list[bytes] = field(factory=list)
    _gone: list[bytes] = field(factory=list)
    _others: list[bytes] = field(factory=list)
    """Whole commands."""
    _heads: list[bytes] = field(factory=list)
    """Commands that set the heads, or take them away."""
    _changed: list[bytes] = field(factory=list)
    """Four keys for each of those that are changed."""
    _changes: list[Any] = field(factory=list)
    _replaced: set[bytes] = field(factory=set)
    """Keys of which nothing is left that was there."""

    @property
    def is_full(self) -> bool:
        """Should what follows go with another?"""
        return len(self.entries) >= _KEYS_MAX or self._size >= _BYTES_MAX

    def add(self, key: bytes, entry: Entry) -> None:
        """Take a key along."""
        record, held = entry.record, entry.held
        self.entries.append(entry)
        if entry.is_blind:
            self._blind.append(key)
            held = entry.held = Held(None, is_sure=True)
        elif held is None or not held.is_sure or held.head != entry.token:
            held = entry.held = Held(None)
        before = held.record
        if (
            record is None
            or record[COUNTS] is not None
            or record[EXPIRY]
            or record[VALUE] is None
            or not held.is_sure
            or (before is not None and (not is_simple(before) or before[VALUE] is record[VALUE]))
        ):
            held.head = self._add_other(key, record, held)
        else:
            value = record[VALUE]
            self.grown += len(value) - len(before[VALUE] or b"") if before is not None else 0
            self._size += len(value)
            self._set += (key, value)
            held.head = head = record[STAMP].to_bytes(STAMP_BYTES)
            self._heads.append(_HEAD_SET % (head_told(self.slot_of(key)), len(key), key, head))
        held.record, held.is_sure = record, False

    def _add_other(self, key: bytes, record: Record | None, held: Held) -> bytes:
        """What is more than a value over another; its head."""
        slot, before = self.slot_of(key), held.record
        head = b"" if record is None else encode_head(record)
        changes = None
        if record is not None and before is not None:
            changes = changes_of(key, record, before)
        if changes is not None:
            self._add_changes(key, slot, held, head, changes)
        elif held.is_sure and is_simple(record) and is_simple(before):
            self._add_string(key, slot, record, head)
        else:
            self._others.append(replace(key, slot, record, head))
            self._size += len(self._others[-1])
            self._replaced.add(key)
        return head

    def _add_changes(self, key: bytes, slot: int, held: Held, head: bytes, changes: list[Command]) -> None:
        before = held.record
        assert before is not None
        must_exist = before[VALUE] is not None and before[DEADLINE] > 0
        words = flat(changes)
        self._changed += keys_of(key, slot)
        self._changes += (len(words), held.head, int(must_exist), head, *words)
        growth = sum([len(word) for word in words if type(word) is bytes])
        self.grown += growth
        self._size += growth

    def _add_string(self, key: bytes, slot: int, record: Record | None, head: bytes) -> None:
        if record is None:
            self._gone.append(key)
            self._heads.append(_pack((b"HDEL", heads_at(slot), key)))
            return
        self._heads.append(_pack((b"HSET", heads_at(slot), key, head)))
        if record[VALUE] is None:
            self._gone.append(key)
            return
        value = text(record)
        self._size += len(value)
        if record[DEADLINE]:
            self._others.append(_pack((b"SET", key, value, b"PXAT", b"%d" % record[DEADLINE])))
        else:
            self._set += (key, value)

    def request(self) -> tuple[bytes, int]:
        """The request, and how many replies it has."""
        parts = [b"%b$%d\r\n%b\r\n" % (head_asked(self.slot_of(key)), len(key), key) for key in self._blind]
        parts.append(_MULTI)
        if self._set:
            parts.append(_pack((b"MSET", *self._set)))
        if self._gone:
            parts.append(_pack((b"DEL", *self._gone)))
        parts += self._others
        parts += self._heads
        if self._changed:
            parts.append(_pack((b"FCALL", _CHANGES, len(self._changed), *self._changed, *self._changes)))
        parts.append(_EXEC)
        return b"".join(parts), len(parts)

    def done(self, replies: list[bytes]) -> Outcome:
        """It was carried out. Raises ProtocolError when it was not."""
        told = replies[-1]
        beside: list[bytes] = []
        asked = zip(self._blind, replies, strict=False)
        was = [self._was(key, reply, beside) for key, reply in asked if len(reply) > _NULL_MAX]
        if told[:1] != b"*" or b"-" in told:
            mistake = mistake_in(self._wrong(replies), "write keys")
            if isinstance(mistake, FullError):
                mistake.was = was
            raise mistake
        for entry in self.entries:
            held: Held = entry.held
            entry.token, held.is_sure = held.head, True
        return Outcome(was, self._refused(told), _pack((b"UNLINK", *beside)) if beside else None)

    def _wrong(self, replies: list[bytes]) -> bytes:
        """The first error among all replies."""
        told = replies[-1]
        return next(filter(failed, chain(replies, told.splitlines(keepends=True))), told)

    def _refused(self, told: bytes) -> list[bytes]:
        """The keys that were not as they were read or written last: the numbers at the end of all replies."""
        if not self._changed:
            return []
        keys = self._changed[::_KEYS_EACH]
        numbers = told.split(b"\r\n")[-1 - len(keys) : -1]
        return [key for key, number in zip(keys, numbers, strict=True) if number != _CHANGED]

    def _was(self, key: bytes, reply: bytes, beside: list[bytes]) -> Was:
        """What a head tells of the key that was there; `beside` takes what stands beside it and is to go."""
        head = reply[reply.index(b"\n") + 1 : -2]
        if reply[:1] != b"$":
            raise ProtocolError(f"the server cannot read a head: {failed(reply) or repr(reply[:100])}")
        if len(head) == STAMP_BYTES:
            stamp = int.from_bytes(head)
            return key, stamp, stamp, False
        if has_elements(head) and key not in self._replaced:
            beside += (cells_at(key), groups_at(key))
        was = listed_head(head)
        return key, was.newest, was.digest, was.kind is None
