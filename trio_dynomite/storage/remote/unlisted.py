"""A remote store whose server does not tell which keys it has: nothing is known of a slot as a whole."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from attrs import define, field

from trio_dynomite.data.record import DIGEST_MASK, Record
from trio_dynomite.model import ENGINES, Capabilities
from trio_dynomite.storage.contract import SLOTS
from trio_dynomite.storage.deadlines import Deadlines, NoDeadlines
from trio_dynomite.storage.remote.cache import Commit, Entry
from trio_dynomite.storage.remote.driver import Reply, UnlistingDriver
from trio_dynomite.storage.remote.store import RemoteStore


@define(repr=False)
class UnlistedStore(RemoteStore):
    """The records of one node, on a server that forgets by itself what has expired."""

    capabilities: ClassVar[Capabilities] = ENGINES["memcached"]
    driver: UnlistingDriver = field(kw_only=True)
    deadlines: Deadlines = field(factory=NoDeadlines)
    is_cold: bool = False
    """What the server does not know others may: that it is unknown is forgotten at once."""
    not_kept: int = 0
    """Values for which the server had no room at all."""
    learned: int = 0
    """Records that came from others meanwhile."""
    _forgotten: int = 0
    """All that is as old the server has forgotten."""

    def is_unknown(self, key: bytes) -> bool:
        """Did the server not know this key, which is here?"""
        entry = self.cache.find(key)
        return entry is not None and entry.record is None and not entry.is_sent

    def _found(self, key: bytes, found: Entry) -> None:
        super()._found(key, found)
        if self.is_cold and self.is_unknown(key) and not self.cache.is_pinned(key):
            self.cache.drop(key)

    def figures(self) -> dict[str, object]:
        """As in `Store`."""
        return {
            "memcached_is_cold": int(self.is_cold),
            "memcached_learned": self.learned,
            "memcached_not_kept": self.not_kept,
        }

    def _send_all(self, changed: list[tuple[bytes, Entry]]) -> None:
        for key, entry in changed:
            self._send(key, entry)

    def _send(self, key: bytes, entry: Entry) -> None:
        entry.is_dirty, entry.is_sent = False, True
        self.sent += 1
        commits, entry.commits = entry.commits, []
        request = self.driver.write(key, entry, self.now_ms())
        self.cache.weight += len(request)  # what grows is not weighed as long as it stays
        self._ask(
            request,
            partial(self.driver.wrote, entry),
            partial(self._wrote, key, entry, commits, entry.record is not None),
            partial(self._not_taken, [(key, entry)], commits),
        )

    def _wrote(
        self, key: bytes, entry: Entry, commits: list[Commit], has_value: bool, is_written: bool
    ) -> None:
        if not is_written:
            self.conflicts += 1
            entry.commits = commits + entry.commits
            self._read(key)
            return
        self.not_kept += has_value and not entry.token
        self._arrived([(key, entry)], commits)

    def flush(self, first: int, last: int, stamp: int) -> None:
        """As in `Store`; the server forgets when all slots were flushed, and what it still has is dead."""
        super().flush(first, last, stamp)
        self._forget_all()

    def _forget_all(self) -> None:
        everything = min(self.floors)
        if everything > self._forgotten:
            self._forgotten = everything
            self.connection.send(self.driver.flush(), self._flushed)
            for key, entry in self.cache.items():
                if entry.record is not None:  # it is newer, and the server forgets it with the rest
                    self.cache.changed(key, entry)

    def _flushed(self, reply: Reply) -> None:
        """The floors say the same, should it have refused."""

    def slot_digests(self, slots: list[int]) -> list[int]:
        """Of a slot as a whole nothing is known but its last flush."""
        return [self.floors[slot] * SLOTS & DIGEST_MASK for slot in slots]

    def key_count(self, first: int, last: int) -> int:
        """It is not known."""
        return 0

    def scan(self, slot: int) -> Iterator[tuple[bytes, Record]]:
        """None of them."""
        return iter(())
