"""The plain store: a server that keeps values, and nothing beside them. Dynomite's own way.

Nothing is known here of any key: requests go to the server as bytes, and its answers come back as bytes. Of
each write the primary tells the others what to run, as SAID effects, and what they acknowledge their servers
have run (`told` is the gate for that). What a replica cannot have right it has not at all: a key of which it
missed something, or whose write its server refused, is deleted there, and every life of a node begins with an
empty server.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.resources import files
from typing import Any, ClassVar, Protocol

import hiredis
from attrs import define, field

from trio_dynomite.commands.table import find
from trio_dynomite.data.effect import FIELDS, FLUSH, RECORD, SAID
from trio_dynomite.data.record import Record
from trio_dynomite.errors import ProtocolError
from trio_dynomite.model import Capabilities
from trio_dynomite.storage.contract import SLOTS, Records
from trio_dynomite.storage.deadlines import Deadlines, NoDeadlines
from trio_dynomite.storage.gate import Gate
from trio_dynomite.storage.servers.handshake import failed, packed
from trio_dynomite.storage.servers.pipe import LOST
from trio_dynomite.storage.store import Store

PLAIN = Capabilities(is_remote=True, can_list=False)
ERRORS = frozenset(b"-!")
"""The first bytes of error replies."""
FUNCTION = b"trio_dynomite_plain_1"
"""Runs a write where the same keys are there as with the primary. The number is raised with every change."""
_SOURCE = (files(__package__) / "plain.lua").read_bytes()
_MARKS = "trio_dynomite_plain_*"
"""What stands on a server whose database a node may empty: functions outlive FLUSHDB and eviction."""
_FLUSH = packed("FLUSHDB", "ASYNC")
_HELLO = {2: packed("HELLO", 2), 3: packed("HELLO", 3)}


class Connection(Protocol):
    """The connection to the server."""

    def send(self, data: bytes, on_reply: Callable[[Any], None]) -> None:
        """Send one request; told its reply, or LOST."""

    def send_all(self, data: bytes, count: int, on_replies: Callable[[Any], None]) -> None:
        """Send several; told the list of their replies, or LOST."""

    def close(self, reason: str = "") -> None:
        """End it."""


@define(repr=False)
class PlainStore(Store):
    """What one node has to do with its server."""

    capabilities: ClassVar[Capabilities] = PLAIN
    deadlines: Deadlines = field(factory=NoDeadlines)
    records: Sequence[Records] = field(init=False, factory=lambda: [{}] * SLOTS)
    connection: Connection = field(init=False)
    told: Gate = field(factory=Gate)
    """Shut while the server has not run what peers told."""
    passed: int = 0
    """Requests of clients that the server was given."""
    relayed: int = 0
    """Requests of peers that it was given."""
    flushes: int = 0
    """Grows with every flush: what was sent before one, and is answered after it, is gone."""
    dropped: int = 0
    """How often keys were deleted because something of them was missed or refused."""
    _resp: int = 2
    """The protocol in which the server answers now."""

    @property
    def peer_gate(self) -> Gate:
        """As in `Store`: who acknowledges has run it."""
        return self.told

    # A life begins

    def begin(self, then: Callable[[], None]) -> None:
        """Empty the database, if that may be done, and call `then`."""

        def looked(replies: Any) -> None:
            if replies is LOST:
                return
            is_marked, is_empty = replies[0] != b"*0\r\n", replies[1] == b":0\r\n"
            if mistake := failed(replies[0]) or failed(replies[1]):
                self.connection.close(f"the server refuses to tell what it has: {mistake}")
            elif is_marked or is_empty:
                self._empty(then)
            else:
                self.connection.close(
                    "the server's database has keys that no node without stamps put there, and would be"
                    " emptied: choose another, or empty it"
                )

        question = packed("FUNCTION", "LIST", "LIBRARYNAME", _MARKS) + packed("DBSIZE")
        self.connection.send_all(question, 2, looked)

    def _empty(self, then: Callable[[], None]) -> None:
        def emptied(replies: Any) -> None:
            if replies is LOST:
                return
            if mistake := failed(replies[0]) or failed(replies[1]):
                self.connection.close(f"the server refuses to be emptied: {mistake}")
            else:
                then()

        self.connection.send_all(packed("FUNCTION", "LOAD", "REPLACE", _SOURCE) + _FLUSH, 2, emptied)

    # What clients ask

    def speak(self, resp: int) -> None:
        """What is sent from now on is answered in this protocol."""
        if resp != self._resp:
            self._resp = resp
            self.connection.send(_HELLO[resp], _ignore)

    # What peers tell

    def apply(self, origin: int, effects: list[Any]) -> list[bytes]:
        """Have the server run what a peer told; what it refuses is dropped."""
        requests: list[bytes] = []
        for kind, key, payload in zip(effects[::FIELDS], effects[2::FIELDS], effects[4::FIELDS], strict=True):
            if kind == SAID:
                requests.append(payload)
            elif kind == RECORD:  # a hint: something of it was missed
                self.dropped += 1
                requests.append(packed("UNLINK", key))
            elif kind == FLUSH:
                requests.append(_FLUSH)
            else:
                raise ProtocolError(f"an effect of kind {kind} has no meaning without stamps")
        if requests:
            self.relayed += len(requests)
            self.told.made += 1
            ran = partial(self._ran, self.told.made, requests)
            self.connection.send_all(b"".join(requests), len(requests), ran)
        return []

    def _ran(self, number: int, requests: list[bytes], replies: Any) -> None:
        if replies is LOST:
            return
        for request, reply in zip(requests, replies, strict=True):
            if reply[0] in ERRORS:
                self._drop(request)
        self.told.settle(number)

    def _drop(self, request: bytes) -> None:
        """The primary's server took this, and ours did not: have none of its keys."""
        reader = hiredis.Reader()
        reader.feed(request)
        args = reader.gets()
        row = find(args)
        if row is not None and (keys := row.keys(args)):
            self.dropped += 1
            self.connection.send(packed("UNLINK", *keys), _ignore)

    def forget_everything(self) -> None:
        """Have the server forget everything."""
        self.connection.send(_FLUSH, _ignore)

    def flush(self, first: int, last: int, stamp: int) -> None:
        """As in `Store`; a part of the keys cannot be told from the others, so all go."""
        self.flushes += 1
        self.forget_everything()

    # Nothing is known of slots

    def slot_digests(self, slots: list[int]) -> list[int]:
        """All are alike."""
        return [0] * len(slots)

    def key_count(self, first: int, last: int) -> int:
        """It is not known."""
        return 0

    def scan(self, slot: int) -> Iterator[tuple[bytes, Record]]:
        """None of them."""
        return iter(())


def _ignore(reply: Any) -> None:
    """Nothing hangs on it: what matters is that it comes before what is sent later."""
