"""What each request of a memcached client is for the coordinator: which row, with which arguments.

Everything else about a request is the session's business. An answer that comes later has a place at the end
of the session's queue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from trio_dynomite.commands import memcached_rows as rows
from trio_dynomite.commands.memcached_meta import AGAIN, WRITING
from trio_dynomite.commands.row import Row
from trio_dynomite.commands.table import TABLE
from trio_dynomite.protocol.memcached_lines import Request
from trio_dynomite.protocol.memcached_words import ERROR
from trio_dynomite.protocol.replies import is_error
from trio_dynomite.server.later import intercept
from trio_dynomite.server.memcached import information
from trio_dynomite.server.memcached.several import Several

if TYPE_CHECKING:
    from trio_dynomite.server.memcached.session import MemcachedSession
    from trio_dynomite.server.place import Place

Answer = Callable[["MemcachedSession", Request], bytes | None]
_END = b"END\r\n"
_READS = frozenset([b"get", b"gets", b"bget", b"me", b"stats", b"version", b"config", b"quit"])


def writes(request: Request) -> bool:
    """May it change something?"""
    if request.verb == b"mg":
        return any(flag[0] in WRITING for flag in request.words[1:])
    return request.verb not in _READS


def _getting(row: Row) -> Answer:
    def get(session: MemcachedSession, request: Request) -> bytes | None:
        keys = request.words
        if len(keys) == 1:
            return session.submit(row, [keys[0], _END])
        return Several(session, row, _END).start([[key, b""] for key in keys])

    return get


def _touching(row: Row) -> Answer:
    def get(session: MemcachedSession, request: Request) -> bytes | None:
        exptime, *keys = request.words
        if len(keys) == 1:
            return session.submit(row, [keys[0], _END, exptime])
        return Several(session, row, _END).start([[key, b"", exptime] for key in keys])

    return get


def _set(session: MemcachedSession, request: Request) -> bytes | None:
    key, exptime = request.words
    if request.reply:
        return _refused_data(session, request)
    assert request.data is not None
    return session.submit(rows.SET, [key, request.data, request.flags, exptime])


def _store(session: MemcachedSession, request: Request) -> bytes | None:
    if request.reply:
        return request.reply
    assert request.data is not None
    key, exptime, *unique = request.words
    row, item_max = rows.STORING[request.verb], b"%d" % session.service.item_max
    return session.submit(row, [key, request.data, request.flags, exptime, item_max, *unique])


def _refused_data(session: MemcachedSession, request: Request) -> bytes:
    """The data cannot be had. Where it is too large, what was there before goes, for the client wants it no
    more."""
    if request.reply.startswith(b"SERVER_ERROR"):
        intercept(session, lambda: session.submit(rows.DELETE, [request.words[0]]), lambda reply: None)
    return request.reply


def _one(row: Row) -> Answer:
    return lambda session, request: session.submit(row, request.words)


def _flush_all(session: MemcachedSession, request: Request) -> bytes | None:
    delay = int(request.words[0])
    if delay > 0:
        session.service.flush_later(delay)
        return b"OK\r\n"
    session.service.flush_later(0)
    places: list[Place] = []

    def done(reply: bytes) -> None:
        places[0].done(reply if is_error(reply) else b"OK\r\n")

    row = TABLE[b"flushall"]
    reply = intercept(session, lambda: session.server.engine.submit(row, [b"flushall"], session), done)
    if reply is not None:
        return reply if is_error(reply) else b"OK\r\n"
    places.append(session.stall())
    return None


def _quit(session: MemcachedSession, request: Request) -> bytes:
    session.is_closing = True
    return b""


def _mg(session: MemcachedSession, request: Request) -> bytes | None:
    """A read, at the nearest copy, unless it changes something: it may find out that it does."""
    words = request.words
    if writes(request):
        return session.apart(lambda: session.submit(rows.MG_WRITING, words))
    reply = session.apart(lambda: session.submit(rows.MG, words))
    if reply is None:
        place = session.last_place()
        place.then = lambda reply: _read_or_write(session, place, words, reply)
        return None
    return reply if reply != AGAIN else session.apart(lambda: session.submit(rows.MG_WRITING, words))


def _read_or_write(session: MemcachedSession, place: Place, words: list[bytes], reply: bytes) -> None:
    place.then = None
    if reply == AGAIN:
        place.reply = place.reading = place.away = None  # the read is over, and counted as that
        written = intercept(session, lambda: session.submit(rows.MG_WRITING, words), place.done)
        if written is None:
            return
        place.reply = written
    session.touch()


def _ms(session: MemcachedSession, request: Request) -> bytes | None:
    if request.reply:
        return _refused_data(session, request)
    assert request.data is not None
    key, *flags = request.words
    args = [key, request.data, b"%d" % session.service.item_max, *flags]
    return session.apart(lambda: session.submit(rows.MS, args))


def _apart(row: Row) -> Answer:
    return lambda session, request: session.apart(lambda: session.submit(row, request.words))


def _config(session: MemcachedSession, request: Request) -> bytes:
    """config get cluster: ElastiCache's way to tell a client who else there is."""
    return information.cluster(session.service) if request.words == [b"get", b"cluster"] else ERROR


ANSWERS: Mapping[bytes, Answer] = {
    b"get": _getting(rows.GET),
    b"bget": _getting(rows.GET),
    b"gets": _getting(rows.GETS),
    b"gat": _touching(rows.GAT),
    b"gats": _touching(rows.GATS),
    b"set": _set,
    **dict.fromkeys(rows.STORING, _store),
    b"touch": _one(rows.TOUCH),
    b"delete": _one(rows.DELETE),
    b"incr": _one(rows.INCR),
    b"decr": _one(rows.DECR),
    b"flush_all": _flush_all,
    b"mg": _mg,
    b"ms": _ms,
    b"md": _apart(rows.MD),
    b"ma": _apart(rows.MA),
    b"me": _one(rows.ME),
    b"version": lambda session, request: information.VERSION_LINE,
    b"stats": lambda session, request: information.stats(session.service, request.words),
    b"config": _config,
    b"quit": _quit,
}
