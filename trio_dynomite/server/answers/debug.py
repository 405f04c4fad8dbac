"""DEBUG: what test suites need of it, and what does no harm to a cluster.

What would crash or stop a node is refused, and switches of what this server does not have are taken.
Source: Valkey's `debug.c`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.commands.patterns import matches
from trio_dynomite.commands.refusals import SYNTAX, quoted
from trio_dynomite.commands.table import lookup
from trio_dynomite.coordinator import several
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import OK, array, error, integer, is_error, simple
from trio_dynomite.server.answers.answer import Answer, help_answer
from trio_dynomite.server.answers.debug_protocol import example
from trio_dynomite.server.answers.digest import canonical, digest
from trio_dynomite.server.answers.populate import Population
from trio_dynomite.server.elements import elements
from trio_dynomite.server.later import intercept

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session

_HELP = (
    "DIGEST",
    "    Return a hex signature of the keys of which this node has copies.",
    "DIGEST-VALUE <key> [<key> ...]",
    "    Return a hex signature of the values of all the specified keys.",
    "ERROR <string>",
    "    Return a RESP protocol error with <string> as message.",
    "LOG <message>",
    "    Write <message> to the server log.",
    "OBJECT <key>",
    "    Show low level info about `key` and associated value.",
    "POPULATE <count> [<prefix>] [<size>]",
    "    Create <count> string keys named key:<num>. If <prefix> is specified then",
    "    it is used instead of the 'key' prefix.",
    "PROTOCOL <type>",
    "    Reply with a test value of the specified type. <type> can be: string,",
    "    integer, double, bignum, null, array, set, map, attrib, push, verbatim,",
    "    true, false.",
    "RELOAD",
    "    Nothing: there is no disk to reload from.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    Setting it to 0 disables expiring keys in background when they are not",
    "    accessed (otherwise the behavior). Setting it to 1 reenables back the",
    "    default.",
    "SLEEP <seconds>",
    "    This client waits for <seconds>; the node goes on. Decimals allowed.",
    "STRINGMATCH-LEN <len> <pattern>",
    "    Match <pattern> with <len> times the letter a; 1 when it does.",
)
_HARMFUL = frozenset(
    [b"ASSERT", b"CRASH-AND-RECOVER", b"LEAK", b"OOM", b"PANIC", b"RESTART", b"SEGFAULT", b"LOADAOF"]
)
_WITHOUT_EFFECT = frozenset(
    [
        *(
            b"AOF-FLUSH-SLEEP",
            b"CHANGE-REPL-ID",
            b"CLIENT-ENFORCE-REPLY-LIST",
            b"DELAY-RDB-CLIENT-FREE-SECOND",
        ),
        *(b"DICT-RESIZING", b"HASHTABLE-CAN-ABORT-SHRINK", b"PAUSE-AFTER-FORK", b"PAUSE-CRON"),
        *(
            b"QUICKLIST-PACKED-THRESHOLD",
            b"RELOAD",
            b"REPLICATE",
            b"REPLYBUFFER",
            b"SET-DISABLE-DENY-SCRIPTS",
        ),
        *(b"SET-SKIP-CHECKSUM-VALIDATION", b"STRINGMATCH-TEST"),
    ]
)
_NO_DIGEST = "0" * 40


def debug(session: Session, args: list[bytes]) -> bytes | None:
    """DEBUG subcommand …"""
    word = args[1].upper()
    if word in _WITHOUT_EFFECT:
        return OK
    if word in _HARMFUL:
        raise CommandError(f"ERR DEBUG {word.decode()} is refused: it would harm the node")
    answer, least, most = _SUBCOMMANDS.get(word, (None, 0, 0))
    if answer is None or not least <= len(args) - 2 <= most:
        raise CommandError(
            f"ERR unknown subcommand or wrong number of arguments for '{quoted(args[1])}'. Try DEBUG HELP."
        )
    return answer(session, args)


def _sleep(session: Session, args: list[bytes]) -> bytes | None:
    try:
        seconds = float(args[2])
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 86_400:
        return OK
    place, server, started_s = session.stall(), session.server, session.server.engine.mono_s

    def wake() -> None:
        server.tallies.waited(session, "debug", args, server.engine.mono_s - started_s)
        place.done(OK)

    server.after(seconds, wake)
    return None


def _log(session: Session, args: list[bytes]) -> bytes:
    session.server.engine.log("debug.log", message=quoted(args[2], 1024))
    return OK


def _error(session: Session, args: list[bytes]) -> bytes:
    return error(args[2].decode("utf-8", "replace"))


def _protocol(session: Session, args: list[bytes]) -> bytes:
    return example(args[2].lower(), session.resp)


def _set_active_expire(session: Session, args: list[bytes]) -> bytes:
    session.server.engine.expires_actively = integer_argument(args[2]) != 0
    return OK


def _stringmatch(session: Session, args: list[bytes]) -> bytes:
    length = integer_argument(args[2])
    if not 0 <= length <= 1 << 24:
        raise CommandError(SYNTAX)
    return integer(matches(args[3], b"a" * length))


def _structsize(session: Session, args: list[bytes]) -> bytes:
    return simple("bits:64 robj:0 dictentry:0")


def _asked_of_keys(
    session: Session, requests: list[list[bytes]], finish: Callable[[list[bytes]], bytes]
) -> bytes | None:
    """Run requests on keys in one step wherever they are, and make a reply of the replies."""

    def made(reply: bytes) -> bytes:
        return reply if is_error(reply) else finish(elements(reply))

    wanted = [(lookup(request), request) for request in requests]
    engine = session.server.engine
    reply = intercept(
        session,
        lambda: several.submit_transaction(engine, [*wanted], [], session),
        lambda reply: place.done(made(reply)),
    )
    if reply is not None:
        return made(reply)
    place = session.stall()
    return None


def _object(session: Session, args: list[bytes]) -> bytes | None:
    key = args[2]

    def told(replies: list[bytes]) -> bytes:
        encoding, dumped, idle = replies
        if is_error(encoding) or encoding in (b"$-1\r\n", b"_\r\n"):
            return error("ERR no such key")
        size = max(0, len(dumped) - 20)
        name = encoding.split(b"\r\n")[1].decode()
        idle_s = int(idle[1:-2])
        lru = (session.server.engine.now_ms // 1000 - idle_s) & 0xFFFFFF
        form = f"refcount:1 encoding:{name} serializedlength:{size}"
        return simple(f"Value at:0x0 {form} lru:{lru} lru_seconds_idle:{idle_s}")

    requests = [[b"OBJECT", b"ENCODING", key], [b"DUMP", key], [b"OBJECT", b"IDLETIME", key]]
    return _asked_of_keys(session, requests, told)


def _digest_value(session: Session, args: list[bytes]) -> bytes | None:
    def told(replies: list[bytes]) -> bytes:
        return array([simple(_digest_of(dumped)) for dumped in replies])

    return _asked_of_keys(session, [[b"DUMP", key] for key in args[2:]], told)


def _digest_of(dumped: bytes) -> str:
    return _NO_DIGEST if dumped in (b"$-1\r\n", b"_\r\n") else hashlib.sha1(canonical(dumped)).hexdigest()


def _populate(session: Session, args: list[bytes]) -> bytes | None:
    count = integer_argument(args[2])
    prefix = args[3] if len(args) > 3 else b"key"
    size = integer_argument(args[4]) if len(args) > 4 else 0
    if count < 0 or not 0 <= size <= session.server.settings.limits.bulk:
        raise CommandError("ERR value is out of range, must be positive")
    place = session.stall()
    Population(session.server.engine, session.write_level, count, prefix, size, place).go_on()
    return None


_ANY = 1 << 30
_SUBCOMMANDS: Mapping[bytes, tuple[Answer, int, int]] = {
    b"DIGEST": (digest, 0, 0),
    b"DIGEST-VALUE": (_digest_value, 1, _ANY),
    b"ERROR": (_error, 1, 1),
    b"HELP": (help_answer("DEBUG", _HELP), 0, 0),
    b"LOG": (_log, 1, 1),
    b"OBJECT": (_object, 1, 2),
    b"POPULATE": (_populate, 1, 3),
    b"PROTOCOL": (_protocol, 1, 1),
    b"SET-ACTIVE-EXPIRE": (_set_active_expire, 1, 1),
    b"SLEEP": (_sleep, 1, 1),
    b"STRINGMATCH-LEN": (_stringmatch, 2, 2),
    b"STRUCTSIZE": (_structsize, 0, 0),
}
"""By name: the answer, and the fewest and the most arguments."""

ANSWERS: Mapping[str, Answer] = {"debug": debug}
