"""What a server's errors mean to the node: most end its life, those of a server without room pass."""

from trio_dynomite.errors import ProtocolError
from trio_dynomite.storage.remote.driver import FullError
from trio_dynomite.storage.servers.handshake import failed

_PASSING = frozenset(["OOM", "MISCONF", "NOREPLICAS"])
"""The first words: no memory, no disk, too few replicas (`min-replicas-to-write`)."""


def mistake_in(reply: bytes, what: str) -> ProtocolError:
    """The mistake that a reply tells, which the server gave to a write."""
    error = failed(reply)
    if error.partition(" ")[0] in _PASSING:
        return FullError(error)
    return ProtocolError(f"the server cannot {what}: {error or repr(reply[:100])}")
