"""What the database says to clients of Redis, in the words of memcached; and requests, for Redis's tools.

Commands on items answer in memcached's words themselves; this is for errors that come from around them.
"""

from functools import cache

from trio_dynomite.commands.memcached_meta import QUIET
from trio_dynomite.protocol.memcached_lines import Request

_END = b"\r\n"
_OUT_OF_MEMORY = b"SERVER_ERROR out of memory storing object\r\n"
_ODD = b"-\0"


def spoken(reply: bytes) -> bytes:
    """A reply as it is sent: errors of the engine, one or several at once, are put in other words."""
    if reply[:1] not in _ODD or not reply:
        return reply
    if reply == QUIET:
        return b""
    return b"".join(map(_line, reply.removesuffix(_END).split(_END)))


def _line(error: bytes) -> bytes:
    words = error[1:]
    if words.startswith(b"OOM "):
        return _OUT_OF_MEMORY
    kind = b"CLIENT_ERROR " if words.startswith(b"NOPERM ") else b"SERVER_ERROR "
    return kind + words.removeprefix(b"ERR ") + _END


@cache
def name_of(verb: bytes) -> str:
    """The name of a command in MONITOR, in the slow log and in INFO commandstats."""
    return f"memcached|{verb.decode('ascii')}"


def shown(request: Request) -> list[bytes]:
    """A request as those show it: its name, its words, its data."""
    flags = [request.flags] if request.data is not None and request.flags != b"0" else []
    data = [] if request.data is None else [request.data]
    return [name_of(request.verb).encode(), *request.words, *flags, *data]
