"""What a server has refused to write: it stays here until the server takes it, and nobody counts on it.

A server that has no room refuses writes and answers everything else (`driver.FullError`). By then the node
has joined the change. So it keeps it, as it keeps what is changed meanwhile, and tries one of them again now
and then; when that is taken, the rest follows. Until all of it is at the server the store is behind: no peer
is told that this replica has what it was sent, and clients' writes are refused before they change anything.
"""

from collections.abc import Iterable

from attrs import define, field

from trio_dynomite.storage.remote.cache import Entry

_PAUSE_FIRST_S, _PAUSE_MAX_S = 0.5, 4.0
_CALM_S = 30.0
"""Who took writes for so long is tried again soon when it refuses some."""


@define(eq=False)
class Owed:
    """Changes that the server does not have, and when to try again."""

    why: str | None = None
    """What the server said last; None: it takes writes, as far as is known."""
    entries: dict[bytes, Entry] = field(factory=dict)
    requests: dict[bytes, bytes] = field(factory=dict)
    """By what they are about: of two about the same the later one counts."""
    trial: bytes | None = None
    """What was sent to see whether writes are taken: a key, or what a request is about."""
    is_news: bool = False
    """It has refused for the first time in this turn: what the turn changed before that leaves as always, and
    is refused, too, so that nobody is told that it was done."""
    commit: int = 0
    """When this commit is safe, nothing is owed any more."""
    _now_s: float = 0.0
    _next_s: float = 0.0
    _pause_s: float = _PAUSE_FIRST_S
    _taken_s: float = 0.0
    """Since when it takes writes."""

    @property
    def keeps(self) -> bool:
        """Is what is changed kept here, and not sent?"""
        return self.why is not None and not self.is_news

    def refused(self, changed: Iterable[tuple[bytes, Entry]], why: str) -> None:
        """The server has refused these."""
        self.entries.update(changed)
        if self.why is None:
            self.is_news = True
            if self._now_s > self._taken_s + _CALM_S:
                self._pause_s = _PAUSE_FIRST_S
        self.why, self.trial = why, None
        self._next_s = self._now_s + self._pause_s

    def to_try(self, now_s: float) -> bytes | None:
        """Something to be sent now, to see whether it is taken."""
        self._now_s = now_s
        if self.why is None or self.trial is not None or now_s < self._next_s:
            return None
        self._pause_s = min(self._pause_s * 2, _PAUSE_MAX_S)
        free = (key for key, entry in self.entries.items() if not entry.is_sent)
        self.trial = next(iter(self.requests), None) or next(free, None)
        return self.trial

    def take(self) -> tuple[dict[bytes, Entry], dict[bytes, bytes]]:
        """The server takes writes again: all that is to be sent."""
        entries, self.entries = self.entries, {}
        requests, self.requests = self.requests, {}
        self.why = self.trial = None
        self._taken_s = self._now_s
        return entries, requests
