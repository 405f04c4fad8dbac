"""Quorum reads: compare digests, repair what differs, then answer.

This node's copy gives the reply; as many others as the level needs are asked for the digest of the keys.
Equal digests are equal records: answer (or read again, where more has come since the reply was made).
Otherwise fetch the records that differ, join them here, send the joined records back to every contact, and
answer from them once all contacts have them: a value that was read once is on a quorum, so no later quorum
read can see an older one.

`DC_SAFE_QUORUM` and `DC_EACH_SAFE_QUORUM` writes end with the same comparison, so that their reply means
that a quorum (in each datacenter) holds equal records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field

from trio_dynomite.commands.row import Row
from trio_dynomite.coordinator.batch import Batch, Waiter, nothing_done
from trio_dynomite.coordinator.here import pin, unpin
from trio_dynomite.coordinator.levels import needed
from trio_dynomite.coordinator.park import Parked
from trio_dynomite.model import Level
from trio_dynomite.peers.link import LOST, Link, encode_effects
from trio_dynomite.peers.peer import Peer
from trio_dynomite.protocol.replies import error

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Caller, Engine
    from trio_dynomite.coordinator.routes import Route


@define(eq=False)
class Comparison:
    """Makes this node and enough others know the same of some keys."""

    engine: Engine
    route: Route
    level: Level
    keys: list[bytes]
    waiter: Waiter = field(init=False)
    reply: bytes = b""
    """What to answer when all contacts agree at once."""
    size: int = 0
    """What that takes while it waits."""
    contacts: list[Peer] = field(factory=list)
    differing: list[Peer] = field(factory=list)
    is_outdated: bool = False
    """More was known here when digests were compared than when the reply was made."""
    waiting_for: int = 0
    is_over: bool = False

    def begin(self, waiter: Waiter, contacts: list[Peer]) -> None:
        """Ask the contacts that were chosen."""
        self.waiter = waiter
        self.size = len(self.reply)
        self.engine.in_flight += 1
        self.engine.waiting_bytes += self.size
        self.engine.watch(self)
        pin(self.engine, self.keys)
        self._ask_all(contacts)

    def _ask_all(self, contacts: list[Peer]) -> None:
        self.contacts = contacts
        self.waiting_for = len(contacts)
        for peer in contacts:
            self._ask(peer)

    def _choose(self, avoid: list[Peer]) -> list[Peer]:
        """The contacts that the level needs, in the route's order; too few when there are no more."""
        route, chosen = self.route, []
        for datacenter, count in needed(self.level, route.racks, route.local).items():
            if datacenter == route.local:
                peers, count = route.copies, count - 1
            else:
                peers = route.remote.get(datacenter, [])
            serving = [peer for peer in peers if route.knows(peer) and peer not in avoid]
            chosen += serving[:count]
        return chosen

    @property
    def _what(self) -> bytes | list[bytes]:
        """The keys as a question about digests has them."""
        return self.keys[0] if len(self.keys) == 1 else self.keys

    def _ask(self, peer: Peer) -> None:
        assert peer.link is not None
        peer.link.ask_digest(self._what, lambda theirs, ours: self._compared(peer, theirs, ours))

    def _compared(self, peer: Peer, theirs: int | None, ours: int) -> None:
        if self.is_over:
            return
        if theirs is None:
            self._replace(peer)
            return
        if theirs != ours:
            self.differing.append(peer)
        elif not self.is_reply_of(ours):
            self.is_outdated = True
        self._one_less(self._all_compared)

    def _replace(self, lost: Peer) -> None:
        """A contact went away: ask another in its place, or give up."""
        spare = [peer for peer in self._spares() if peer.node.datacenter == lost.node.datacenter]
        if not spare and self.route.is_changing:
            self.try_again(f"{self.level.name}: the ring has changed meanwhile")
            return
        if not spare:
            self._fail(f"{self.level.name}: {lost.name} went away and nobody can take its place")
            return
        self.contacts[self.contacts.index(lost)] = spare[0]
        self._ask(spare[0])

    def _spares(self) -> list[Peer]:
        others = [peer for peer in self.route.everywhere() if peer not in self.contacts]
        return [peer for peer in others if self.route.knows(peer)]

    def _one_less(self, then: Any) -> None:
        self.waiting_for -= 1
        if not self.waiting_for:
            then()

    def _all_compared(self) -> None:
        if not self.differing:
            self._agreed()
            return
        self.engine.read_repairs += 1
        self.waiting_for = len(self.differing)
        for peer in self.differing:
            if peer.link is None:
                self._fail(f"{self.level.name}: {peer.name} went away during a repair")
                return
            peer.link.fetch(self.keys, self._fetched)

    def _agreed(self) -> None:
        """All know the same: answer; if the reply was made from less, which it may not tell, read again."""
        if not self.is_outdated:
            self._finish(self.reply)
            return
        contacts = self._choose([])
        if len(contacts) < len(self.contacts):
            self._fail(f"{self.level.name}: a replica went away meanwhile")
            return
        self.is_outdated = False
        self.reply = self.answer()
        self._ask_all(contacts)

    def _fetched(self, answer: Any) -> None:
        if self.is_over:
            return
        if answer is LOST:
            self._fail(f"{self.level.name}: a replica went away during a repair")
            return
        self.engine.replica.join_records(answer[0])
        self._one_less(self._send_back)

    def _send_back(self) -> None:
        """Every contact gets what is now known here."""
        effects = self.engine.replica.records_of(self.keys)
        self.reply = self.answer()
        links = [peer.link for peer in self.contacts if peer.link is not None and peer.is_open]
        batch = Batch(effects, on_settled=self._sent_back)
        if len(links) < len(self.contacts):
            self._fail(f"{self.level.name}: a replica went away during a repair")
        else:
            self._send(links, batch)

    def _send(self, links: list[Link], batch: Batch) -> None:
        origin = self.engine.node.id
        body = encode_effects(origin, batch.effects)
        for link in links:
            link.send_effects(body, batch, origin, batch.effects)

    def _sent_back(self, complete: bool) -> None:
        if self.is_over:
            return
        if complete:
            self._finish(self.reply)
        else:
            self._fail(f"{self.level.name}: a replica went away during a repair")

    def try_again(self, reason: str) -> None:
        """It did not come to its end because the ring has changed."""
        self._fail(reason)

    def answer(self) -> bytes:
        """The reply from what is known now."""
        raise NotImplementedError

    def is_reply_of(self, digest: int) -> bool:
        """Is the reply that of the records with this digest?"""
        raise NotImplementedError

    def expire(self) -> None:
        """The deadline has passed."""
        if not self.is_over:
            self._fail(f"{self.level.name}: not enough replicas answered in time")

    def _fail(self, reason: str) -> None:
        self._finish(self.failure(reason))

    def failure(self, reason: str) -> bytes:
        """The error reply for `reason`."""
        raise NotImplementedError

    def _finish(self, reply: bytes) -> None:
        self._end()
        self.waiter.done(reply)

    def _end(self) -> None:
        self.is_over = True
        self.engine.in_flight -= 1
        self.engine.waiting_bytes -= self.size
        self.reply = b""  # its deadline keeps this object for a while
        unpin(self.engine, self.keys)


@define(eq=False)
class QuorumRead(Comparison):
    """A read whose reply a quorum stands for."""

    row: Row = field(kw_only=True)
    args: list[bytes] = field(kw_only=True)
    resp: int = field(kw_only=True)
    hops: int = 0
    seen: int = 0
    """The digest of what the reply was made from."""

    @classmethod
    def start(cls, engine: Engine, route: Route, row: Row, args: list[bytes], caller: Caller) -> bytes | None:
        """Read here, and ask the others."""
        keys = row.keys(args)
        read = cls(
            engine, route, caller.read_level, keys, row=row, args=args, resp=caller.resp, hops=caller.hops
        )
        read.reply = read.answer()
        contacts = read._choose([])
        if not contacts:
            return read.reply
        read.begin(caller.wait(None, route), contacts)
        return None

    def answer(self) -> bytes:
        """Execute the command on what is known now."""
        reply = self.engine.execute(self.row, self.args, self.resp)
        self.seen = self.engine.replica.digest_of(self._what)
        return reply

    def try_again(self, reason: str) -> None:
        """Nothing was done: it is routed again."""
        self._end()
        levels, size = (self.level, self.level), sum(map(len, self.args))
        again = Parked(self.route, self.row, self.args, *levels, self.resp, self.hops, self.waiter, size)
        self.engine.parking.hold(again)

    def is_reply_of(self, digest: int) -> bool:
        """What came in the turn of the read, after it, is in the digest and not in the reply."""
        return digest == self.seen

    def failure(self, reason: str) -> bytes:
        """Nothing was changed."""
        return error(f"TIMEOUT {reason}")


@define(eq=False)
class VerifiedWrite(Comparison):
    """A write whose reply says that a quorum (in each datacenter) holds equal records."""

    stint: int = 0
    """The route's, when it was executed."""

    @classmethod
    def start(cls, engine: Engine, route: Route, row: Row, args: list[bytes], caller: Caller) -> bytes | None:
        """Execute, send the effects directly to every replica the level asks, then compare."""
        write = cls(engine, route, caller.write_level, row.keys(args), stint=route.stint)
        if not engine.can_verify(route, caller.write_level):
            return nothing_done(f"{caller.write_level.name} needs replicas that serve reads to compare with")
        everywhere = caller.write_level == Level.DC_EACH_SAFE_QUORUM
        batch = route.direct if everywhere else route.batch
        write.reply = engine.write_into(batch, route, row, args, caller.resp)
        contacts = write._choose([]) if batch.effects and write.reply else []
        if not contacts:
            return write.reply
        batch.is_urgent = True
        write.begin(caller.wait(), contacts)
        return None

    def answer(self) -> bytes:
        """What the command replied when it was executed."""
        return self.reply

    def is_reply_of(self, digest: int) -> bool:
        """What was compared has the write."""
        return True

    def failure(self, reason: str) -> bytes:
        """It was executed here at least."""
        return error(f"UNKNOWN {reason}; the write may be kept")

    def _finish(self, reply: bytes) -> None:
        """Records that are equal may be another primary's, which had never heard of the write."""
        if not self.route.is_ready or self.route.stint != self.stint:
            reply = self.failure(f"{self.level.name}: another node may have led meanwhile")
        super()._finish(reply)
