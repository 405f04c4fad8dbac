"""CONFIG: look at the parameters of a running node, and set those that can be set.

Source: https://valkey.io/commands/config-get and config-set, `config.c`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trio_dynomite.commands.patterns import matches
from trio_dynomite.commands.refusals import SYNTAX, quoted
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import OK, bulk, mapping
from trio_dynomite.server.answers.answer import Answer, help_answer
from trio_dynomite.server.answers.parameters import Act, parameters, prepare

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session

_HELP = (
    "GET <pattern>",
    "    Return parameters matching the glob-like <pattern> and their values.",
    "SET <directive> <value>",
    "    Set the configuration <directive> to <value>, until this node restarts.",
    "RESETSTAT",
    "    Reset statistics reported by the INFO command.",
    "REWRITE",
    "    Refused: a node never writes its configuration file.",
)

_UNKNOWN = "ERR Unknown option or number of arguments for CONFIG SET - "
_FAILED = "ERR CONFIG SET failed (possibly related to argument "


def config_get(session: Session, args: list[bytes]) -> bytes:
    """CONFIG GET pattern [pattern…]."""
    pairs = [
        (bulk(name.encode()), bulk(value))
        for name, value in parameters(session.server).items()
        if any(matches(pattern, name.encode(), ignore_case=True) for pattern in args[2:])
    ]
    return mapping(pairs, session.resp)


def config_set(session: Session, args: list[bytes]) -> bytes:
    """CONFIG SET name value [name value…]: all of them, or none."""
    if len(args) % 2:
        raise CommandError(SYNTAX)
    acts: dict[str, Act] = {}
    for word, value in zip(args[2::2], args[3::2], strict=True):
        name = word.decode("utf-8", "replace").lower()
        try:
            if name in acts:
                raise ValueError("duplicate parameter")
            acts[name] = prepare(session.server, name, value)
        except KeyError:
            raise CommandError(_UNKNOWN + f"'{quoted(word)}'") from None
        except ValueError as why:
            raise CommandError(_FAILED + f"'{quoted(word)}') - {why}") from None
    for act in acts.values():
        act()
    return OK


def config_resetstat(session: Session, args: list[bytes]) -> bytes:
    """CONFIG RESETSTAT: counters begin at 0 again, but for connections, which clients' ids count."""
    server, engine = session.server, session.server.engine
    server.commands = server.rejected = server.protocol_errors = server.cut_off = 0
    server.tallies.reset()
    engine.eviction.evicted = engine.expired_keys = 0
    engine.refused = engine.forwarded = engine.read_repairs = engine.gaps_filled = engine.internal_errors = 0
    return OK


def config_rewrite(session: Session, args: list[bytes]) -> bytes:
    """CONFIG REWRITE: refused."""
    raise CommandError(
        "ERR CONFIG REWRITE is not supported: a node never writes its configuration file; change it yourself"
    )


ANSWERS: Mapping[str, Answer] = {
    "config|get": config_get,
    "config|help": help_answer("CONFIG", _HELP),
    "config|resetstat": config_resetstat,
    "config|rewrite": config_rewrite,
    "config|set": config_set,
}
