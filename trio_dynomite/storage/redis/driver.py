"""The driver for Redis and Valkey: native keys, what a node knows beside them, one request for each change.

The layout is in `layout.py`, what is sent in `bundle.py` and `writes.py`, what comes back in `reads.py`;
what depends on what is there is done by functions of the server (`library.lua`). A change of some elements
names the head that it builds on, so a server that has lost something, or is not this node's alone, is found
out: it is read, joined and written anew.
"""

from collections.abc import Callable
from typing import Any

import hiredis
from attrs import frozen

from trio_dynomite.data.record import Record
from trio_dynomite.errors import ProtocolError
from trio_dynomite.storage.redis.bundle import Bundle
from trio_dynomite.storage.redis.heads import listed_head
from trio_dynomite.storage.redis.layout import NOTES, OWN, cells_at, groups_at, heads_at
from trio_dynomite.storage.redis.library import NAME
from trio_dynomite.storage.redis.mistakes import mistake_in
from trio_dynomite.storage.redis.reads import record_in
from trio_dynomite.storage.redis.writes import Held
from trio_dynomite.storage.remote.cache import Entry
from trio_dynomite.storage.remote.driver import Head, Reply
from trio_dynomite.storage.servers.handshake import failed, packed

_READ, _WIPE = NAME + b"_read", NAME + b"_wipe"


@frozen
class RedisDriver:
    """`remote.driver.ListingDriver` for Redis and Valkey."""

    slot_of: Callable[[bytes], int]

    def refusal(self, key: bytes) -> str | None:
        """Keys that begin like the node's own."""
        if key[:1] != OWN:
            return None
        return "ERR keys that begin with the byte 1 are the node's own: its storage is on a server"

    def check(self, key: bytes, record: Record) -> None:
        """The server keeps every record."""

    def read(self, key: bytes) -> bytes:
        """Its head and its value."""
        keys = (key, heads_at(self.slot_of(key)), cells_at(key), groups_at(key))
        return packed("FCALL_RO", _READ, 4, *keys)

    def found(self, key: bytes, reply: Reply) -> Entry:
        """The record, and that the server holds it."""
        answer = _value_in(reply, "read a key")
        record = record_in(key, answer)
        head = answer[0] or b""
        return Entry(record, head, held=Held(record, head, True))

    def bundle(self) -> Bundle:
        """One transaction."""
        return Bundle(self.slot_of)

    def command(self, args: list[bytes]) -> bytes:
        """A client's own."""
        return packed(*args)

    def flush(self) -> bytes:
        """Everything of this database; the functions stay."""
        return packed("FLUSHDB")

    def done(self, reply: Reply) -> None:
        """Anything but an error."""
        if failed(reply):
            raise mistake_in(reply, "carry this out")

    def heads(self, slot: int) -> bytes:
        """All of a slot."""
        return packed("HGETALL", heads_at(slot))

    def listed(self, reply: Reply) -> dict[bytes, Head]:
        """Key → head."""
        return {key: listed_head(head) for key, head in _pairs_in(reply).items()}

    def wipe(self, slot: int) -> bytes:
        """The keys that have heads there, with all that stands beside them."""
        return packed("FCALL", _WIPE, 1, heads_at(slot))

    def note(self, name: bytes, value: bytes) -> bytes:
        """A field of the hash of notes."""
        return packed("HSET", NOTES, name, value)

    def notes(self) -> bytes:
        """All of them."""
        return packed("HGETALL", NOTES)

    def noted(self, reply: Reply) -> dict[bytes, bytes]:
        """Name → value."""
        return _pairs_in(reply)


def _value_in(reply: bytes, what: str) -> Any:
    """The value in a reply. Raises ProtocolError at an error."""
    if error := failed(reply):
        raise ProtocolError(f"the server cannot {what}: {error}")
    reader = hiredis.Reader()
    reader.feed(reply)
    value = reader.gets()
    if value is False:
        raise ProtocolError(f"the server's answer is no reply: {reply[:100]!r}")
    return value


def _pairs_in(reply: bytes) -> dict[bytes, bytes]:
    """A hash, as both versions of the protocol tell it."""
    told = _value_in(reply, "list its keys")
    return told if isinstance(told, dict) else dict(zip(told[::2], told[1::2], strict=True))
