"""MONITOR, and what Redis's administrators do that a cluster without masters and disks does not know.

Those are refused: in the words that Redis Cluster has for it where it refuses them, too, else in plain ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import OK, ZERO, array
from trio_dynomite.server.answers.answer import Answer, timeout_ms
from trio_dynomite.server.modes import MONITORING

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session

_NO_DISK = "nothing is on disk here: the data is in memory, and on the nodes of the other racks"


def monitor(session: Session, args: list[bytes]) -> bytes:
    """MONITOR. Of one that monitors already nothing is said, as in Redis."""
    if session.is_executing:
        raise CommandError("ERR MONITOR isn't allowed for DENY BLOCKING client")
    if session.modes & MONITORING:
        return b""
    session.server.monitors.add(session)
    return OK


def replicaof(session: Session, args: list[bytes]) -> bytes:
    """REPLICAOF NO ONE, which every node is; any other is refused as in Redis Cluster."""
    if [word.lower() for word in args[1:]] == [b"no", b"one"]:
        return OK
    raise CommandError("ERR REPLICAOF not allowed in cluster mode.")


def waitaof(session: Session, args: list[bytes]) -> bytes:
    """WAITAOF numlocal numreplicas timeout: nobody has it on disk, so there is nothing to wait for."""
    local, _ = integer_argument(args[1]), integer_argument(args[2])
    timeout_ms(args[3])
    if local:
        raise CommandError("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.")
    return array([ZERO, ZERO])


def _refused(text: str) -> Answer:
    def answer(session: Session, args: list[bytes]) -> bytes:
        raise CommandError(f"ERR {text}")

    return answer


ANSWERS: Mapping[str, Answer] = {
    "bgrewriteaof": _refused(f"BGREWRITEAOF is not supported: {_NO_DISK}"),
    "failover": _refused("FAILOVER not allowed in cluster mode."),
    "migrate": _refused("MIGRATE is not supported: keys belong where the ring places them"),
    "monitor": monitor,
    "move": _refused("MOVE is not allowed in cluster mode"),
    "psync": _refused("PSYNC is not supported: replicas speak the peer protocol, on the peer port"),
    "replconf": _refused("REPLCONF is not supported: replicas speak the peer protocol, on the peer port"),
    "replicaof": replicaof,
    "shutdown": _refused(
        "SHUTDOWN is not supported: stop the supervisor of this machine's nodes with SIGTERM; of a single"
        " node it would start another"
    ),
    "slaveof": replicaof,
    "swapdb": _refused("SWAPDB is not allowed in cluster mode"),
    "sync": _refused("SYNC is not supported: replicas speak the peer protocol, on the peer port"),
    "waitaof": waitaof,
}
