"""What is done with many keys at once: the plain strings of a turn leave in one transaction.

    HGET slot key …                    the heads of what nobody has looked at
    MULTI
    MSET key value …                   strings, SET … PXAT for each with a deadline
    DEL key …                          what goes
    FCALL replace …                    what is more than a string and goes over what nobody has looked at
    HSET slot key head                 for each key
    EXEC

Nothing that is written so depends on what the server has, and the server's log has all of it or nothing.
For each key that costs the server a third of what a call of a function does.
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
from trio_dynomite.storage.redis.writes import Held, has_same_value, is_simple, replace
from trio_dynomite.storage.remote.cache import Entry
from trio_dynomite.storage.remote.driver import Was
from trio_dynomite.storage.servers.handshake import failed, packed

_KEYS_MAX = 1000
"""Of one transaction: nobody else is served meanwhile."""
_BYTES_MAX = 16 << 20
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
    _size: int = 0
    grown: int = 0
    """By so many bytes have those grown that were known."""
    _blind: list[bytes] = field(factory=list)
    _set: list[bytes] = field(factory=list)
    _gone: list[bytes] = field(factory=list)
    _others: list[bytes] = field(factory=list)
    """Whole commands."""
    _heads: list[bytes] = field(factory=list)
    """Commands that set the heads, or take them away."""
    _replaced: set[bytes] = field(factory=set)
    """Keys of which nothing is left that was there."""
    _beside: list[bytes] = field(factory=list)
    """Keys that belong to collections that are gone."""

    @property
    def is_full(self) -> bool:
        """Should what follows go with another?"""
        return len(self.entries) >= _KEYS_MAX or self._size >= _BYTES_MAX

    def add(self, key: bytes, entry: Entry) -> bool:
        """Take a key along; False if it must not be written without a look."""
        record, held = entry.record, entry.held
        if entry.is_blind:
            self._blind.append(key)
            held = entry.held = Held(record)
        elif held is None or not held.is_sure or held.head != entry.token or not _is_string(record, held):
            return False
        self.entries.append(entry)
        before, held.record, held.is_sure = held.record, record, False
        if record is None or record[VALUE] is None or record[EXPIRY] or record[COUNTS] is not None:
            held.head = self._add_other(key, record)
            return True
        head = held.head = record[STAMP].to_bytes(STAMP_BYTES)
        value = record[VALUE]
        self._set += (key, value)
        self._size += len(value)
        if before is not None and before[VALUE] is not None:
            self.grown += len(value) - len(before[VALUE])
        self._heads.append(_HEAD_SET % (head_told(self.slot_of(key)), len(key), key, head))
        return True

    def _add_other(self, key: bytes, record: Record | None) -> bytes:
        """A key with something besides its value, or with none; its head."""
        slot = self.slot_of(key)
        if record is None:
            self._gone.append(key)
            self._heads.append(_pack((b"HDEL", heads_at(slot), key)))
            return b""
        head = encode_head(record)
        if not is_simple(record):
            self._others.append(replace(key, slot, record, head))
            self._replaced.add(key)
            self._size += len(self._others[-1])
            return head
        self._heads.append(_pack((b"HSET", heads_at(slot), key, head)))
        if record[VALUE] is None:
            self._gone.append(key)
            return head
        value = text(record)
        self._size += len(value)
        if record[DEADLINE]:
            self._others.append(_pack((b"SET", key, value, b"PXAT", b"%d" % record[DEADLINE])))
        else:
            self._set += (key, value)
        return head

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
        parts.append(_EXEC)
        return b"".join(parts), len(parts)

    def done(self, replies: list[bytes]) -> list[Was]:
        """It was carried out: what there was under the keys that nobody had looked at.

        Raises ProtocolError when it was not."""
        told = replies[-1]
        if told[:1] != b"*" or b"-" in told:
            mistake = next(filter(None, map(failed, chain(replies, told.splitlines(True)))), repr(told[:100]))
            raise ProtocolError(f"the server cannot write keys: {mistake}")
        for entry in self.entries:
            held: Held = entry.held
            entry.token, held.is_sure = held.head, True
        asked = zip(self._blind, replies, strict=False)
        return [self._was(key, reply) for key, reply in asked if len(reply) > _NULL_MAX]

    def _was(self, key: bytes, reply: bytes) -> Was:
        """What a head tells of the key that was there."""
        head = reply[reply.index(b"\n") + 1 : -2]
        if reply[:1] != b"$":
            raise ProtocolError(f"the server cannot read a head: {failed(reply) or repr(reply[:100])}")
        if len(head) == STAMP_BYTES:
            stamp = int.from_bytes(head)
            return key, stamp, stamp, False
        if has_elements(head) and key not in self._replaced:
            self._beside += (cells_at(key), groups_at(key))
        was = listed_head(head)
        return key, was.newest, was.digest, was.kind is None

    def leftovers(self) -> bytes | None:
        """The request that forgets what stood beside collections over which strings were put."""
        return _pack((b"UNLINK", *self._beside)) if self._beside else None


def _is_string(record: Record | None, held: Held) -> bool:
    """Is it a string or nothing over a string or nothing, and is more to be told than its deadline?"""
    if not (is_simple(record) and is_simple(held.record)):
        return False
    return record is None or not has_same_value(record, held.record)
