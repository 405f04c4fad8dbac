"""Client-side caching: who remembers which keys, and who is told that they changed.

By default a client is told of the keys that it read, once: the table says which. In BCAST mode it is told of
every key with one of its prefixes. What was written comes from the storage of this node at the end of each
turn, so a client hears of it after the replies of that turn, whoever wrote it and through whichever node.
Source: https://valkey.io/topics/client-side-caching, `tracking.c`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from attrs import define, field

from trio_dynomite.commands.row import Row
from trio_dynomite.protocol.replies import NULL, bulk, bulk_array
from trio_dynomite.server.modes import MULTI, SUBSCRIBED, TRACKING
from trio_dynomite.server.place import Place

if TYPE_CHECKING:
    from trio_dynomite.coordinator.batch import Waiter
    from trio_dynomite.server.server import Server
    from trio_dynomite.server.session import Session

CHANNEL = b"__redis__:invalidate"
FLUSHED = b""
"""Stands among the written keys for a whole range of them. (A key may have no name: then all is told.)"""
_QUIET_S = 0.2
"""A flush of which nothing was heard for so long is over."""
_SCRIPTS = frozenset(["eval", "eval_ro", "evalsha", "evalsha_ro", "fcall", "fcall_ro"])


@define(eq=False)
class Tracking:
    """What one session asked of CLIENT TRACKING."""

    redirect: int = 0
    """The id of the client that is told instead; 0: it is told itself."""
    prefixes: tuple[bytes, ...] | None = None
    """In BCAST mode."""
    opt_in: bool = False
    opt_out: bool = False
    no_loop: bool = False
    """It is not told of what it wrote itself."""
    caching: bool | None = None
    """What CLIENT CACHING said of the next command."""
    is_broken: bool = False
    """Whom it redirected to has gone."""

    @property
    def remembers(self) -> bool:
        """Is what the next command reads remembered?"""
        if self.prefixes is not None:
            return False
        return self.caching is True if self.opt_in else self.caching is not False


@define(eq=False)
class TrackingTable:
    """What all sessions of a node track."""

    server: Server
    max_keys: int = 1_000_000
    """Keys that are remembered (0: all); beyond, the first one is told to be invalid and is forgotten."""
    readers: dict[bytes, set[int]] = field(factory=dict)
    """Key → ids of the sessions that read it."""
    prefixes: dict[bytes, set[int]] = field(factory=dict)
    """Prefix → ids of the sessions that are told of all its keys."""
    _broadcast: set[int] = field(factory=set)
    """Ids of the sessions in BCAST mode."""
    sessions: int = 0
    """How many sessions track."""
    _script_of: Session | None = None
    """Who runs a script, and is to be told of what that reads."""
    _declared: list[bytes] = field(factory=list)
    """The keys that it named: as in Redis all of them count as read, once it reads anything."""
    _saw_script: bool = False
    _flushes: int = 0
    """Ranges of keys that were flushed in the flush that goes on."""
    _told: Counter[bytes] = field(factory=Counter)
    """Writes of this turn whose writer is known and that need not be told again."""

    def enable(self, session: Session, tracking: Tracking) -> None:
        """`session` tracks, in this way."""
        old = session.tracking
        if old is not None and old.prefixes is not None and tracking.prefixes is not None:
            tracking.prefixes = tuple(sorted({*old.prefixes, *tracking.prefixes}))
        self.disable(session)
        session.tracking = tracking
        session.modes |= TRACKING
        for prefix in tracking.prefixes or ():
            self.prefixes.setdefault(prefix, set()).add(session.id)
            self._broadcast.add(session.id)
        self.sessions += 1
        self.server.engine.written.on_written, self.server.engine.written.on_own = self.written, self._wrote
        self.server.engine.written.listen()

    def disable(self, session: Session) -> None:
        """`session` tracks no more. What it read is forgotten when it is written."""
        tracking, session.tracking = session.tracking, None
        if tracking is None:
            return
        session.modes &= ~TRACKING
        self._broadcast.discard(session.id)
        for prefix in tracking.prefixes or ():
            ids = self.prefixes[prefix]
            ids.discard(session.id)
            if not ids:
                del self.prefixes[prefix]
        self.sessions -= 1
        if not self.sessions:
            self.readers.clear()
            self.server.engine.written.on_written = self.server.engine.written.on_own = None

    # What tracking sessions do

    def runs(self, session: Session, row: Row, args: list[bytes]) -> int:
        """A tracking session is about to run a command: how many writes there were before."""
        tracking = session.tracking
        if tracking is not None and tracking.remembers:
            if row.name in _SCRIPTS:
                self._script_of, self._saw_script, self._declared = session, False, row.keys(args)
            else:
                self.remember(session, row, args)
        return len(self.server.engine.keyspace.store.written or ())

    def remember(self, session: Session, row: Row, args: list[bytes]) -> None:
        """`session` reads the keys of a command, if that is one that reads."""
        if "readonly" not in row.flags and row.name not in _SCRIPTS:
            return
        self._remember(session, row.keys(args))

    def _remember(self, session: Session, keys: list[bytes]) -> None:
        readers = self.readers
        for key in keys:
            readers.setdefault(key, set()).add(session.id)
        self._evict()

    def limit(self, max_keys: int) -> None:
        """No more keys than that are remembered from now on."""
        self.max_keys = max_keys
        self._evict()

    def _evict(self) -> None:
        while 0 < self.max_keys < len(self.readers):
            self._invalidate(next(iter(self.readers)), 0)

    def script_runs(self, row: Row, args: list[bytes]) -> None:
        """A script runs a command on this node."""
        if self._script_of is not None:
            self._saw_script = True
            if "readonly" in row.flags:
                self._remember(self._script_of, [*self._declared, *row.keys(args)])

    def ran(self, session: Session, row: Row, args: list[bytes], before: int) -> None:
        """It has run it: what it wrote itself, and was written at once, is told to the others now."""
        if self._script_of is not None:
            self._script_of = None
            if not self._saw_script:
                # It runs on another node, which does not tell what it reads there.
                self.remember(session, row, args)
        tracking = session.tracking
        if tracking is None:
            return
        written = self.server.engine.keyspace.store.written
        if tracking.no_loop and written is not None and len(written) > before:
            self._tell_others(session, written[before:])
        if not session.modes & MULTI and not row.name.startswith("client|"):
            tracking.caching = None

    def _wrote(self, waiter: Waiter, own: list[bytes]) -> None:
        """What it ran was held for a while, and has written these keys now."""
        session: Any = waiter.session if isinstance(waiter, Place) else None
        tracking = getattr(session, "tracking", None)  # sessions of other protocols have none
        if tracking is not None and tracking.no_loop:
            self._tell_others(session, own)

    def _tell_others(self, session: Session, own: list[bytes]) -> None:
        self._told.update(own)
        self._tell(dict.fromkeys(own), session.id)

    # What was written

    def written(self, keys: Iterable[bytes]) -> None:
        """The turn ends, in which these keys were written or have expired; one written twice stands twice."""
        told, self._told = self._told, Counter()
        news: dict[bytes, None] = {}
        for key in keys:
            if told and told[key] > 0:
                told[key] -= 1
            else:
                news[key] = None
        self._tell(news, 0)

    def _tell(self, keys: dict[bytes, None], author: int) -> None:
        if keys.pop(FLUSHED, 0) is None:
            self._tell_flush()
        for key in keys:
            self._invalidate(key, author)
        for prefix, ids in self.prefixes.items():
            if found := [key for key in keys if key.startswith(prefix)]:
                self._send(ids, bulk_array(found), author)

    def _invalidate(self, key: bytes, author: int) -> None:
        ids = self.readers.pop(key, None)
        if ids is not None:
            # Who has changed to BCAST mode meanwhile hears of it that way.
            self._send(ids - self._broadcast, b"*1\r\n" + bulk(key), author)

    def _tell_flush(self) -> None:
        """A range of keys was flushed: whoever remembers keys is told to forget them all.

        A flush goes on range by range: in BCAST mode they are told of the first, and again at the end."""
        ids = set().union(*self.readers.values())
        self.readers.clear()
        for number in ids:
            self._send((number,), None, 0)
        if not self._flushes:
            self._tell_broadcast_flush()
        self._flushes += 1

    def _tell_broadcast_flush(self) -> None:
        self._send(self._broadcast, None, 0)
        seen = self._flushes

        def look() -> None:
            if seen == self._flushes:
                self._flushes = 0
            else:
                self._tell_broadcast_flush()

        self.server.after(_QUIET_S, look)

    def _send(self, ids: Iterable[int], keys: bytes | None, author: int) -> None:
        for number in list(ids):
            session = self.server.sessions.get(number)
            tracking = None if session is None else session.tracking
            if session is None or tracking is None or (tracking.no_loop and number == author):
                continue
            self._send_to(session, keys)

    def _send_to(self, session: Session, keys: bytes | None) -> None:
        tracking = session.tracking
        assert tracking is not None
        target: Session | None = session
        if tracking.redirect:
            target = self.server.sessions.get(tracking.redirect)
            tracking.is_broken = target is None
        if target is None:
            if session.resp == 3:
                session.push(b">2\r\n$21\r\ntracking-redir-broken\r\n:%d\r\n" % tracking.redirect)
        elif target.resp == 3:
            target.push(b">2\r\n$10\r\ninvalidate\r\n" + (NULL[3] if keys is None else keys))
        elif target is not session and target.modes & SUBSCRIBED:
            target.push(b"*3\r\n$7\r\nmessage\r\n" + bulk(CHANNEL) + (NULL[2] if keys is None else keys))
