"""DEBUG DIGEST: one number for all that this node's own copy holds, as a client sees it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from attrs import define

from trio_dynomite.commands.dump import decode
from trio_dynomite.commands.table import lookup
from trio_dynomite.coordinator.here import when_open
from trio_dynomite.data.record import DEADLINE
from trio_dynomite.protocol.replies import simple

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.server.place import Place
    from trio_dynomite.server.session import Session

_UNORDERED = frozenset(["hash", "set", "zset"])


def canonical(dumped: bytes) -> bytes:
    """The same bytes for the same value: replicas need not keep elements without an order in the same one."""
    kind, value = decode(dumped[dumped.index(b"\n") + 1 : -2])
    return repr((kind, sorted(value))).encode() if kind in _UNORDERED else dumped


@define(eq=False)
class Digest:
    """DEBUG DIGEST under way: of this node's copy, slot by slot."""

    engine: Engine
    place: Place | None = None
    """Where the reply goes, when it comes later."""
    _slot: int = 0
    _digest: int = 0

    def go_on(self) -> bytes | None:
        """The reply, or None when a slot has to be loaded first."""
        store = self.engine.keyspace.store
        while self._slot < len(store.records):
            if len(store.records[self._slot]):
                if not when_open(self.engine, [self._slot], self._loaded):
                    return None
                self._add(self._slot)
            self._slot += 1
        return simple(f"{self._digest:040x}")

    def _loaded(self) -> None:
        reply = self.go_on()
        if reply is not None and self.place is not None:
            self.place.done(reply)

    def _add(self, slot: int) -> None:
        row = lookup([b"DUMP", b""])
        for key, record in self.engine.keyspace.store.scan(slot):
            dumped = self.engine.execute(row, [b"DUMP", key], 2)
            if dumped != b"$-1\r\n":
                told = b"%b\0%d\0" % (key, record[DEADLINE]) + canonical(dumped)
                self._digest ^= int.from_bytes(hashlib.sha1(told).digest())


def digest(session: Session, args: list[bytes]) -> bytes | None:
    """DEBUG DIGEST."""
    found = Digest(session.server.engine)
    reply = found.go_on()
    if reply is None:
        found.place = session.stall()
    return reply
