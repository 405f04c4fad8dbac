"""Read repair in the background: of reads at DC_ONE, which compare nothing, some are compared afterwards.

The client has its answer already. The replicas of the datacenter are asked for their digests, and where these
differ the records are joined on all of them, by the machine that quorum reads have. A node that is busy, or
has enough of these under way, leaves it to anti-entropy, which comes by every few seconds in any case.
Source: Dynamo, 5.4; Cassandra's `dclocal_read_repair_chance`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from trio_dynomite.commands.row import Row
from trio_dynomite.coordinator.engine import Engine
from trio_dynomite.coordinator.quorum import Comparison
from trio_dynomite.model import Level
from trio_dynomite.peers.peer import Peer

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Caller
    from trio_dynomite.coordinator.routes import Route

UNDER_WAY_MAX = 100


@define(eq=False)
class Sampling(Engine):
    """An engine that compares some of what was read at DC_ONE."""

    chance: float = 0.0
    """Of a read, to be compared."""
    compared: int = 0
    under_way: int = 0

    def submit_to(self, route: Route, row: Row, args: list[bytes], caller: Caller) -> bytes | None:
        """As in `Engine`."""
        reply = Engine.submit_to(self, route, row, args, caller)
        was_read_here = reply is not None and not row.write and route.serves and not caller.read_level
        if was_read_here and self.keyspace.rng.random() < self.chance:
            self._compare(route, row.keys(args))
        return reply

    def _compare(self, route: Route, keys: list[bytes]) -> None:
        contacts = [peer for peer in route.copies if peer.is_serving]
        if keys and contacts and self.under_way < UNDER_WAY_MAX and self.over_limit() is None:
            self.compared += 1
            self.under_way += 1
            Background(self, route, Level.DC_ONE, keys).begin(_Done(self), contacts)


@define(eq=False)
class _Done:
    """Who is told that a comparison is over."""

    engine: Sampling

    def done(self, reply: bytes) -> None:
        """Nobody else waits for it."""
        self.engine.under_way -= 1


@define(eq=False)
class Background(Comparison):
    """A comparison for which nobody waits; it ends when a replica goes away."""

    def answer(self) -> bytes:
        """Nobody asked."""
        return b""

    def is_reply_of(self, digest: int) -> bool:
        """There is no reply that could be too old."""
        return True

    def failure(self, reason: str) -> bytes:
        """What it has not mended is left to anti-entropy."""
        return b""

    def _replace(self, lost: Peer) -> None:
        self._fail(f"{lost.name} went away")
