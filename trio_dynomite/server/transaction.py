"""Transactions: what MULTI queues, what WATCH watches, and how EXEC runs it all.

The commands on keys are one atomic whole, which the coordinator runs and answers with one array. What this
node answers itself (PING, PUBLISH, CLIENT…) is run when that has succeeded, so that a transaction which is
refused does nothing at all, and its replies are woven in. A command on all keys (FLUSHALL, DBSIZE) cannot be
part of an atomic whole, for its keys are everywhere: it is run when its turn comes, between two wholes.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING

from attrs import define, field

from trio_dynomite.access import gate
from trio_dynomite.commands.row import Row, Spread
from trio_dynomite.coordinator import several
from trio_dynomite.protocol.replies import array, error, is_error
from trio_dynomite.protocol.requests import ARGUMENT_BYTES
from trio_dynomite.server import permission
from trio_dynomite.server.elements import elements
from trio_dynomite.server.later import intercept
from trio_dynomite.server.lua import as_user
from trio_dynomite.server.modes import GATED, MULTI

if TYPE_CHECKING:
    from trio_dynomite.server.place import Place
    from trio_dynomite.server.session import Session

Request = tuple[Row, list[bytes]]

AT_ONCE = frozenset(["multi", "exec", "discard", "watch", "quit", "reset"])
"""What is run, or refused, between MULTI and EXEC as ever."""
_NULLS = (b"*-1\r\n", b"_\r\n")


@define(eq=False)
class Transaction:
    """What a session has queued since MULTI."""

    requests: list[Request] = field(factory=list)
    size: int = 0
    """About what they take."""
    is_dirty: bool = False
    """A request was refused when it was to be queued: EXEC will refuse all."""
    writes: bool = False
    spreads: bool = False
    """It has a command on all keys."""

    def add(self, row: Row, args: list[bytes]) -> None:
        """Queue a request."""
        self.requests.append((row, args))
        self.size += sum([len(arg) + ARGUMENT_BYTES for arg in args])
        self.writes = self.writes or row.write
        self.spreads = self.spreads or row.spread is Spread.KEYSPACE


def begin(session: Session) -> None:
    """MULTI."""
    session.transaction = Transaction()
    session.modes |= MULTI


def discard(session: Session) -> Transaction | None:
    """The transaction is over, and so is watching; what was queued, if anything."""
    transaction, session.transaction = session.transaction, None
    session.modes &= ~MULTI
    unwatch(session)
    return transaction


def unwatch(session: Session) -> None:
    """Forget what is watched."""
    session.watched.clear()
    session.watched_weight = 0


def run(session: Session, requests: list[Request], watched: list[tuple[bytes, int]]) -> bytes | None:
    """Run what was queued; the array of replies, or None when a place in the queue was taken for it."""
    if all([row.spread not in (Spread.SESSION, Spread.KEYSPACE) for row, _ in requests]) and requests:
        if not session.modes & GATED:
            return _submit(session, requests, watched)
    elif not requests and not watched:
        return array([])
    return Execution(session, requests, watched).start()


def _submit(session: Session, requests: list[Request], watched: list[tuple[bytes, int]]) -> bytes | None:
    if session.tracking is not None and session.tracking.remembers:
        for row, args in requests:
            session.server.tracking.remember(session, row, args)
    started = perf_counter()
    reply = several.submit_transaction(
        session.server.engine, [as_user(session, *request) for request in requests], watched, session
    )
    _count(session, requests, perf_counter() - started)
    return reply


def _count(session: Session, requests: list[Request], seconds: float) -> None:
    """Count and time what was run in one step; each command had its share."""
    tallies = session.server.tallies
    tallies.add_together(Counter([row.name for row, _ in requests]), seconds)
    if seconds >= tallies.slow_s:
        for row, args in requests:
            tallies.on_slow(session, row.name, args, seconds / len(requests))


@define(eq=False)
class Execution:
    """A transaction that needs more than one step."""

    session: Session
    requests: list[Request]
    watched: list[tuple[bytes, int]]
    """What must not have changed; looked at in the first step on keys."""
    _replies: dict[int, bytes] = field(factory=dict)
    """By place in the transaction."""
    _steps: deque[list[int]] = field(init=False)
    """What is still to be run: several requests on keys together, anything else by itself."""
    _place: Place | None = None

    @_steps.default
    def _plan(self) -> deque[list[int]]:
        steps = deque(_steps_of(self.requests))
        if self.watched and not (steps and self._are_on_keys(steps[0])):
            steps.appendleft([])
        return steps

    def _are_on_keys(self, step: list[int]) -> bool:
        return all([_is_on_keys(self.requests[at][0]) for at in step])

    def start(self) -> bytes | None:
        """Run it; the reply, or None when it comes later."""
        reply = self._go_on()
        if reply is None:
            self._place = self.session.stall()
        return reply

    def _go_on(self) -> bytes | None:
        """Step after step; the whole reply, or None when a step has yet to be answered."""
        while self._steps:
            step = self._steps.popleft()
            reply = self._run(step)
            if reply is None:
                return None
            if (ended := self._take(step, reply)) is not None:
                return ended
        return array([self._replies[at] for at in range(len(self.requests))])

    def _run(self, step: list[int]) -> bytes | None:
        def then(reply: bytes) -> None:
            ended = self._take(step, reply)
            if ended is None:
                ended = self._go_on()
            if ended is not None and self._place is not None:
                self._place.done(ended)

        return intercept(self.session, self._starter(step), then)

    def _starter(self, step: list[int]) -> Callable[[], bytes | None]:
        session = self.session
        if not self._are_on_keys(step):
            row, args = self.requests[step[0]]
            return lambda: self._refusal(row, args) or self._execute(row, args)
        for at in list(step):
            if (refusal := self._refusal(*self.requests[at])) is not None:
                self._replies[at] = refusal
                step.remove(at)
        watched, self.watched = self.watched, []
        if not step and not watched:
            return lambda: array([])
        return lambda: _submit(session, [self.requests[at] for at in step], watched)

    def _execute(self, row: Row, args: list[bytes]) -> bytes | None:
        self.session.is_executing = True
        reply = self.session.execute(row, args)
        self.session.is_executing = False
        return reply

    def _refusal(self, row: Row, args: list[bytes]) -> bytes | None:
        """What has become of a permission since the request was queued."""
        session = self.session
        if not session.modes & GATED:
            return None
        denial = gate.denial(session.server.users, session.user, row, args)
        if denial is None:
            return None
        permission.note(session, denial, permission.IN_MULTI)
        return error(denial.reply_since_queued)

    def _take(self, step: list[int], reply: bytes) -> bytes | None:
        """Note the reply to a step; the reply to the whole when it ends with this one."""
        if len(step) == 1 and not _is_on_keys(self.requests[step[0]][0]):
            self._replies[step[0]] = reply
            return None
        if is_error(reply) or reply in _NULLS:
            if not self._has_done_something():
                self._steps.clear()
                return reply
            self._replies.update(dict.fromkeys(step, reply))
            return None
        self._replies.update(zip(step, elements(reply), strict=True))
        return None

    def _has_done_something(self) -> bool:
        return any(not is_error(reply) for reply in self._replies.values())


def _is_on_keys(row: Row) -> bool:
    return row.spread not in (Spread.SESSION, Spread.KEYSPACE)


def _steps_of(requests: list[Request]) -> Iterator[list[int]]:
    """The steps of a transaction: what is on keys until the next command on all keys, then what is not."""
    together: list[int] = []
    after: list[int] = []
    for at, (row, _) in enumerate(requests):
        if row.spread is Spread.KEYSPACE:
            yield from _both(together, after)
            yield [at]
            together, after = [], []
        else:
            (together if _is_on_keys(row) else after).append(at)
    yield from _both(together, after)


def _both(together: list[int], after: list[int]) -> Iterator[list[int]]:
    if together:
        yield together
    for at in after:
        yield [at]
