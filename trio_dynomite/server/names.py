"""Names that a client has the node keep: channels and patterns it listens to, and keys that it watches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from trio_dynomite.errors import CommandError

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session

ENTRY_BYTES = 100
"""About what a name takes beside its bytes."""


def weight(names: Iterable[bytes]) -> int:
    """About the bytes that some names take."""
    return sum([len(name) + ENTRY_BYTES for name in names])


def refuse_too_many(session: Session, names: Iterable[bytes]) -> None:
    """Raises CommandError when a client that has these new names kept would have more than it may."""
    held = session.subscriptions.weight + session.watched_weight
    if held + weight(names) > session.server.settings.limits.client_names:
        raise CommandError(
            "ERR too many channels, patterns and watched keys on this connection: limits.client_names"
        )
