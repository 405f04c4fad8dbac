"""A get of several keys: one read for each, all of them under way at once, and one reply in the order of the
keys.

When one of them cannot be read, the error is the whole reply: what follows an error is not read by clients.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from attrs import define, field

from trio_dynomite.commands.row import Row
from trio_dynomite.protocol.replies import is_error
from trio_dynomite.server.later import intercept

if TYPE_CHECKING:
    from trio_dynomite.server.memcached.session import MemcachedSession
    from trio_dynomite.server.place import Place


@define(eq=False)
class Several:
    """The reply while it is put together."""

    session: MemcachedSession
    row: Row
    end: bytes
    _parts: list[bytes | None] = field(factory=list)
    _missing: int = 0
    _place: Place | None = None

    def start(self, requests: list[list[bytes]]) -> bytes | None:
        """Ask for all; the reply, or None when it comes later."""
        self._parts = [None] * len(requests)
        for at, args in enumerate(requests):
            part = intercept(
                self.session, partial(self.session.submit, self.row, args), partial(self._take, at)
            )
            self._parts[at] = part
            self._missing += part is None
        if not self._missing:
            return self._reply()
        self._place = self.session.wait()
        return None

    def _take(self, at: int, part: bytes) -> None:
        self._parts[at] = part
        self._missing -= 1
        if not self._missing and self._place is not None:
            self._place.done(self._reply())

    def _reply(self) -> bytes:
        parts = [part for part in self._parts if part is not None]
        wrong = next((part for part in parts if is_error(part)), None)
        return b"".join([*parts, self.end]) if wrong is None else wrong
