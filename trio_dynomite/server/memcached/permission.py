"""What a memcached client may do: what its user may do in Redis's terms.

Each command needs the permission for the command of Redis that does the same to the same keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from trio_dynomite.access import gate
from trio_dynomite.access.denial import Denial, Reason
from trio_dynomite.commands.table import lookup
from trio_dynomite.protocol.memcached_lines import Request
from trio_dynomite.protocol.replies import error
from trio_dynomite.server.memcached.requests import writes

if TYPE_CHECKING:
    from trio_dynomite.server.memcached.session import MemcachedSession

_ALIKE: Mapping[bytes, tuple[bytes, ...]] = {
    b"get": (b"get",),
    b"bget": (b"get",),
    b"gets": (b"get",),
    b"set": (b"set", b"v"),
    b"add": (b"set", b"v"),
    b"replace": (b"set", b"v"),
    b"cas": (b"set", b"v"),
    b"append": (b"append", b"v"),
    b"prepend": (b"append", b"v"),
    b"touch": (b"expire", b"1"),
    b"delete": (b"del",),
    b"incr": (b"incrby", b"1"),
    b"decr": (b"decrby", b"1"),
    b"ms": (b"set", b"v"),
    b"md": (b"del",),
    b"ma": (b"incrby", b"1"),
    b"me": (b"get",),
}
"""Of each command on one key, or on keys one by one, Redis's name and what follows the key."""
_WITHOUT_KEYS: Mapping[bytes, list[bytes]] = {
    b"flush_all": [b"flushall"],
    b"stats": [b"info"],
    b"config": [b"cluster", b"nodes"],
}


def log_in(session: MemcachedSession, name: bytes, password: bytes) -> bool:
    """Make `name` the session's user, if that is the password; else note it in the log."""
    user = session.server.users.authenticate(name, password)
    if user is None:
        _note(session, Denial(Reason.AUTH, name, "", b"set"))
        return False
    session.user = user
    return True


def refusal(session: MemcachedSession, request: Request) -> bytes | None:
    """The error for a request that the session's user may not make; it is noted in the log."""
    users = session.server.users
    for args in _in_redis(request):
        denial = gate.denial(users, session.user, lookup(args), args)
        if denial is not None:
            _note(session, denial)
            return error(denial.reply)
    return None


def _in_redis(request: Request) -> Iterator[list[bytes]]:
    verb, words = request.verb, request.words
    if verb in _WITHOUT_KEYS:
        yield _WITHOUT_KEYS[verb]
    elif verb in (b"gat", b"gats"):
        yield from [[b"getex", key] for key in words[1:]]
    elif verb == b"mg":
        yield [b"get", words[0]]
        if writes(request):
            yield [b"set", words[0], b"v"]
    elif verb in _ALIKE:
        name, *more = _ALIKE[verb]
        yield from [
            [name, key, *more] for key in (words if verb in (b"get", b"bget", b"gets") else words[:1])
        ]


def _note(session: MemcachedSession, denial: Denial) -> None:
    users, now_ms = session.server.users, session.server.engine.now_ms
    client = f"addr={session.address} memcached"
    users.log.note(denial.reason, "toplevel", denial.object, denial.user, client, now_ms)
