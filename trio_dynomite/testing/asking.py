"""Asking: what the clients of a simulated cluster have in common: levels, patience, and what replies mean."""

import enum

from trio_dynomite.model import Level

Request = list[bytes] | list[list[bytes]]
"""A command, or the commands of a transaction."""
DURABLE = (Level.DC_QUORUM, Level.DC_SAFE_QUORUM, Level.DC_EACH_SAFE_QUORUM)
"""The levels whose acknowledgement is a promise."""
LOCAL = DURABLE[:2]
"""Those that need nobody outside of the datacenter."""
PATIENCE_S = 6.0
"""After so long without a reply a client gives up: the outcome is unknown."""
_UNDONE = (b"-NOREPLICAS", b"-OVERLOADED", b"-TIMEOUT", b"-MISCONF")


class Fate(enum.Enum):
    """What has become of a request."""

    DONE = "done"
    UNDONE = "undone"
    """Refused: nothing has happened."""
    UNKNOWN = "unknown"
    """Perhaps done, perhaps not, perhaps later."""
    WRONG = "wrong"
    """An error that no client of ours should get."""


def fate_of(reply: bytes) -> Fate:
    """What a reply says of its request; b"": none came."""
    if not reply or reply.startswith(b"-UNKNOWN"):
        return Fate.UNKNOWN
    if reply.startswith(_UNDONE):
        return Fate.UNDONE
    return Fate.WRONG if reply.startswith(b"-") else Fate.DONE
