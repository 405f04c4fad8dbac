"""A simulated storage server: it outlives its node's process, answers late, and forgets when it is told to.

It stands for any server, with requests of its own: a key is read with its version, and written over one.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import define, field, frozen

from trio_dynomite.data.effect import pack_record, unpack_record
from trio_dynomite.data.record import ABSENT, Record, has_body, is_live, text
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import NULL, bulk, error
from trio_dynomite.storage.remote.cache import Entry
from trio_dynomite.storage.remote.driver import FullError, Head, Outcome, head_of
from trio_dynomite.storage.remote.listed import ListedStore
from trio_dynomite.storage.remote.store import RemoteStore
from trio_dynomite.storage.servers.pipe import LOST
from trio_dynomite.topology.partitioner import Partitioner

if TYPE_CHECKING:
    from trio_dynomite.storage.store import Store
    from trio_dynomite.testing.network import Timeline

_encode, _decode = msgspec.msgpack.encode, msgspec.msgpack.decode
_BUNDLE_MAX = 3
_REFUSED = b"refused"
_CACHE_BYTES = 40_000
"""So few that records come and go."""


class SimDriver:
    """`remote.driver.Driver` for a simulated server."""

    def refusal(self, key: bytes) -> str | None:
        """It takes any key."""
        return None

    def check(self, key: bytes, record: Record) -> None:
        """It takes any record."""

    def read(self, key: bytes) -> bytes:
        """What it has of a key, and the version."""
        return _encode([b"read", key])

    def found(self, key: bytes, reply: Any) -> Entry:
        """The record."""
        version, packed = _decode(reply)
        return Entry(None if packed is None else unpack_record(packed), version)

    def flush(self) -> bytes:
        """Everything."""
        return _encode([b"flush"])

    def done(self, reply: Any) -> None:
        """Unless it was refused."""
        if reply == _REFUSED:
            raise FullError("there is no room")


@define
class SimBundle:
    """`remote.driver.Bundle`: strings go over whatever there is, the rest over the version that was read."""

    keys: list[tuple[bytes, Entry, bytes | None]] = field(factory=list)
    """With the version; None: any."""
    blind: set[bytes] = field(factory=set)
    grown: int = 0

    @property
    def is_full(self) -> bool:
        """Some leave in several."""
        return len(self.keys) >= _BUNDLE_MAX

    def add(self, key: bytes, entry: Entry) -> None:
        """Take a key along."""
        if entry.is_blind:
            self.blind.add(key)
        is_string = entry.token and entry.record is not None and not has_body(entry.record)
        self.keys.append((key, entry, None if entry.is_blind or is_string else entry.token))

    def request(self) -> tuple[bytes, int]:
        """All of them."""
        return _encode([b"bundle", [(key, token, _packed(entry)) for key, entry, token in self.keys]]), 1

    def done(self, replies: Any) -> Outcome:
        """The new versions."""
        outcome, is_refused = Outcome([], []), False
        for (key, entry, _), (version, packed) in zip(self.keys, _decode(replies[0]), strict=True):
            if key in self.blind and packed is not None:
                was = head_of(unpack_record(packed))
                outcome.was.append((key, was.newest, was.digest, was.kind is None))
            if not version:
                outcome.refused.append(key)
            elif version == _REFUSED:
                is_refused = True
            else:
                entry.token = b"" if version == b"gone" else version
        if is_refused:
            refusal = FullError("there is no room")
            refusal.was = outcome.was
            raise refusal
        return outcome


def _packed(entry: Entry) -> Any:
    return None if entry.record is None else pack_record(entry.record)


@frozen
class SimListingDriver(SimDriver):
    """`remote.driver.ListingDriver`, likewise."""

    slot_of: Callable[[bytes], int]

    def heads(self, slot: int) -> bytes:
        """The records of a slot; their heads are made of them."""
        return _encode([b"slot", slot])

    def listed(self, reply: Any) -> dict[bytes, Head]:
        """The heads."""
        return {key: head_of(unpack_record(packed)) for key, packed in _decode(reply)}

    def bundle(self) -> SimBundle:
        """Strings, or what is put over what nobody has looked at."""
        return SimBundle()

    def command(self, args: list[bytes]) -> bytes:
        """As it is."""
        return _encode([b"command", *args])

    def wipe(self, slot: int) -> bytes:
        """All of a slot."""
        return _encode([b"wipe", slot])

    def note(self, name: bytes, value: bytes) -> bytes:
        """A value beside the records."""
        return _encode([b"note", name, value])

    def notes(self) -> bytes:
        """All of those."""
        return _encode([b"notes"])

    def noted(self, reply: Any) -> dict[bytes, bytes]:
        """What they are."""
        return dict(_decode(reply))


@define(eq=False)
class SimServer:
    """One node's server; also the connection to it of the node's present life."""

    timeline: Timeline
    rng: random.Random
    turn: Callable[[Callable[[], None]], None] = field(init=False)
    """Does something in a turn of the node, as long as its life lasts."""
    now_ms: Callable[[], int] = field(init=False)
    held: dict[bytes, tuple[bytes, Any]] = field(factory=dict)
    """Key → (version, packed record)."""
    notes: dict[bytes, bytes] = field(factory=dict)
    is_full: bool = False
    """It refuses to write."""
    is_lost_with_node: bool = False
    """It ends with the node's process, and has nothing on disk."""
    conflicts: int = 0
    _slot_of: Callable[[bytes], int] = field(init=False)
    _keys: dict[int, dict[bytes, None]] = field(factory=dict)
    """Slot → keys that it has, or had."""
    _version: int = 0
    _life: int = 0
    _waiting: deque[tuple[bytes, Callable[[Any], None]]] = field(factory=deque)
    _free_s: float = 0.0

    def open_store(self, partitioner: Partitioner) -> Store:
        """A life begins."""
        self._life += 1
        if self.is_lost_with_node:
            self.held.clear()
            self.notes.clear()
            self._keys.clear()
        self._waiting.clear()
        self._slot_of = partitioner.slot
        driver = SimListingDriver(partitioner.slot)
        store = ListedStore(
            partitioner.slot, driver=driver, cache_bytes=_CACHE_BYTES, now_ms=lambda: self.now_ms()
        )
        store.connection = self
        return store

    def send(self, data: bytes, on_reply: Callable[[Any], None]) -> None:
        """A request: it arrives a while later, and its answer once more a while later, in order."""
        life = self._life
        self._free_s = max(self._free_s, self.timeline.now_s + self.rng.uniform(0.0001, 0.002))
        self.timeline.at(self._free_s, lambda: self._arrived(life, data, on_reply))

    def send_all(self, data: bytes, count: int, on_replies: Callable[[Any], None]) -> None:
        """As `send`."""
        assert count == 1
        self.send(data, lambda reply: on_replies(reply if reply is LOST else [reply]))

    def _arrived(self, life: int, data: bytes, on_reply: Callable[[Any], None]) -> None:
        reply = self._answer(data)
        delay_s = self.rng.uniform(0.0001, 0.001)
        self._free_s = max(self._free_s, self.timeline.now_s + delay_s)
        self.timeline.at(self._free_s, lambda: self._answered(life, reply, on_reply))

    def _answered(self, life: int, reply: Any, on_reply: Callable[[Any], None]) -> None:
        if life == self._life:
            self.turn(lambda: on_reply(reply))

    def _answer(self, data: bytes) -> Any:
        what, *words = _decode(data)
        if what == b"read":
            return _encode(self.held.get(words[0], (b"", None)))
        return self._beside(what, words)

    def _write(self, key: bytes, version: bytes, packed: Any) -> bytes:
        if self.held.get(key, (b"", None))[0] != version:
            self.conflicts += 1
            return b""
        self._version += 1
        now = b"%d" % self._version
        if packed is None:
            self.held.pop(key, None)
            return b"gone"
        self.held[key] = (now, packed)
        self._keys.setdefault(self._slot_of(key), {})[key] = None
        return now

    def _beside(self, what: bytes, words: list[Any]) -> Any:
        """A request about more than one key."""
        if what == b"command":
            assert words[0].upper() == b"GET", "this server knows no other"
            return self._own_reply(words[1])
        if what == b"bundle":
            return _encode([self._put(*put) for put in words[0]])
        if self.is_full and what in (b"note", b"wipe"):
            return _REFUSED
        if what == b"note":
            self.notes[words[0]] = words[1]
        elif what == b"notes":
            return _encode(self.notes)
        else:
            keys = [key for key in self._keys.get(words[0], ()) if key in self.held]
            if what == b"slot":
                return _encode([[key, self.held[key][1]] for key in keys])
            for key in keys:
                del self.held[key]
        return b"ok"

    def _put(self, key: bytes, version: bytes | None, packed: Any) -> list[Any]:
        """Over that version, or any: the new version, and what there was."""
        now, old = self.held.get(key, (b"", None))
        if self.is_full:
            return [_REFUSED, old]
        return [self._write(key, now if version is None else version, packed), old]

    def _own_reply(self, key: bytes) -> bytes:
        """What the server itself says to GET."""
        record = unpack_record(self.held[key][1]) if key in self.held else ABSENT
        if not is_live(record, self.now_ms()):
            return NULL[2]
        try:
            return bulk(text(record))
        except CommandError as refusal:
            return error(str(refusal))

    def evict(self, key: bytes) -> None:
        """Forget a key, as a cache does that has no room."""
        self.held.pop(key, None)

    def close(self, reason: str = "") -> None:
        """Nothing that the node may do to it ends a simulated connection."""
        raise AssertionError(f"the store gave up its server: {reason}")


def is_simulated(store: RemoteStore) -> bool:
    """Is its server one of these?"""
    return isinstance(store.connection, SimServer)


def looked_up(store: RemoteStore, key: bytes) -> Record:
    """What is known of a key, here or at the simulated server."""
    entry = store.cache.find(key)
    if entry is None:
        server = store.connection
        assert isinstance(server, SimServer)
        entry = SimDriver().found(key, _encode(server.held.get(key, (b"", None))))
    return entry.record or store.absent(store.slot_of(key))


def held_by(store: RemoteStore) -> dict[int, list[tuple[bytes, Record]]]:
    """All that is known of any key, here or at the simulated server, by slot."""
    server = store.connection
    assert isinstance(server, SimServer)
    found: dict[int, list[tuple[bytes, Record]]] = {}
    for key in {*server.held, *[key for key, entry in store.cache.items() if entry.record is not None]}:
        found.setdefault(store.slot_of(key), []).append((key, looked_up(store, key)))
    return found
