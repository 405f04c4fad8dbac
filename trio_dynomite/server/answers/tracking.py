"""CLIENT TRACKING, CACHING, GETREDIR and TRACKINGINFO (https://valkey.io/commands/client-tracking)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.commands.refusals import SYNTAX, quoted
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import MINUS_ONE, OK, bulk, bulk_array, integer, mapping, set_of
from trio_dynomite.server.answers.answer import Answer, yes_or_no
from trio_dynomite.server.tracking import Tracking

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session

_OVERLAP = "Prefixes for a single client must not overlap."
_OTHER_MODE = "before disabling tracking for this client, and then re-enabling it with a different mode."


def client_tracking(session: Session, args: list[bytes]) -> bytes:
    """CLIENT TRACKING ON|OFF [REDIRECT id] [PREFIX prefix…] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]."""
    wanted, prefixes, is_broadcast = _options(session, args[3:])
    table = session.server.tracking
    if not yes_or_no(args[2], b"on", b"off"):
        table.disable(session)
        return OK
    if prefixes and not is_broadcast:
        raise CommandError("ERR PREFIX option requires BCAST mode to be enabled")
    _check_modes(session.tracking, wanted, is_broadcast=is_broadcast)
    if is_broadcast:
        _check_overlaps(session.tracking, prefixes)
        wanted.prefixes = tuple(sorted(set(prefixes))) or (b"",)
    table.enable(session, wanted)
    return OK


def _options(session: Session, words: list[bytes]) -> tuple[Tracking, list[bytes], bool]:
    """(what is wanted, the prefixes, BCAST)."""
    wanted, prefixes, is_broadcast = Tracking(), [], False
    rest: Iterator[bytes] = iter(words)
    for word in rest:
        match word.upper():
            case b"REDIRECT":
                if wanted.redirect:
                    raise CommandError("ERR A client can only redirect to a single other client")
                wanted.redirect = _target(session, next(rest, None))
            case b"PREFIX":
                prefixes.append(_value(next(rest, None)))
            case b"BCAST":
                is_broadcast = True
            case b"OPTIN":
                wanted.opt_in = True
            case b"OPTOUT":
                wanted.opt_out = True
            case b"NOLOOP":
                wanted.no_loop = True
            case _:
                raise CommandError(SYNTAX)
    return wanted, prefixes, is_broadcast


def _value(word: bytes | None) -> bytes:
    if word is None:
        raise CommandError(SYNTAX)
    return word


def _target(session: Session, word: bytes | None) -> int:
    number = integer_argument(_value(word))
    if number not in session.server.sessions:
        raise CommandError("ERR The client ID you want redirect to does not exist")
    return number


def _check_modes(now: Tracking | None, wanted: Tracking, *, is_broadcast: bool) -> None:
    if now is not None and (now.prefixes is not None) != is_broadcast:
        raise CommandError(f"ERR You can't switch BCAST mode on/off {_OTHER_MODE}")
    if is_broadcast and (wanted.opt_in or wanted.opt_out):
        raise CommandError("ERR OPTIN and OPTOUT are not compatible with BCAST")
    if wanted.opt_in and wanted.opt_out:
        raise CommandError("ERR You can't specify both OPTIN mode and OPTOUT mode")
    if now is not None and ((wanted.opt_in and now.opt_out) or (wanted.opt_out and now.opt_in)):
        raise CommandError(f"ERR You can't switch OPTIN/OPTOUT mode {_OTHER_MODE}")


def _check_overlaps(now: Tracking | None, prefixes: list[bytes]) -> None:
    for at, prefix in enumerate(prefixes):
        for other in (now.prefixes if now is not None else None) or ():
            if _overlap(prefix, other):
                raise CommandError(
                    f"ERR Prefix '{quoted(prefix)}' overlaps with an existing prefix '{quoted(other)}'."
                    f" {_OVERLAP}"
                )
        for other in prefixes[at + 1 :]:
            if _overlap(prefix, other):
                raise CommandError(
                    f"ERR Prefix '{quoted(prefix)}' overlaps with another provided prefix '{quoted(other)}'."
                    f" {_OVERLAP}"
                )


def _overlap(one: bytes, other: bytes) -> bool:
    return one.startswith(other) or other.startswith(one)


def client_caching(session: Session, args: list[bytes]) -> bytes:
    """CLIENT CACHING YES|NO: of the next command, or the next transaction."""
    tracking = session.tracking
    if tracking is None:
        raise CommandError(
            "ERR CLIENT CACHING can be called only when the client is in tracking mode"
            " with OPTIN or OPTOUT mode enabled"
        )
    caching = yes_or_no(args[2], b"yes", b"no")
    if caching and not tracking.opt_in:
        raise CommandError("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.")
    if not caching and not tracking.opt_out:
        raise CommandError("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.")
    tracking.caching = caching
    return OK


def client_getredir(session: Session, args: list[bytes]) -> bytes:
    """CLIENT GETREDIR: who is told instead, 0 nobody, -1 without tracking."""
    return MINUS_ONE if session.tracking is None else integer(session.tracking.redirect)


def client_trackinginfo(session: Session, args: list[bytes]) -> bytes:
    """CLIENT TRACKINGINFO."""
    tracking = session.tracking
    prefixes = [] if tracking is None else list(tracking.prefixes or ())
    redirect = MINUS_ONE if tracking is None else integer(tracking.redirect)
    pairs = [
        (bulk(b"flags"), set_of([bulk(flag) for flag in _flags(tracking)], session.resp)),
        (bulk(b"redirect"), redirect),
        (bulk(b"prefixes"), bulk_array(prefixes)),
    ]
    return mapping(pairs, session.resp)


def _flags(tracking: Tracking | None) -> list[bytes]:
    if tracking is None:
        return [b"off"]
    flags = {
        b"on": True,
        b"bcast": tracking.prefixes is not None,
        b"optin": tracking.opt_in,
        b"caching-yes": tracking.caching is True,
        b"optout": tracking.opt_out,
        b"caching-no": tracking.caching is False,
        b"noloop": tracking.no_loop,
        b"broken_redirect": tracking.is_broken,
    }
    return [flag for flag, is_set in flags.items() if is_set]


ANSWERS: Mapping[str, Answer] = {
    "client|caching": client_caching,
    "client|getredir": client_getredir,
    "client|tracking": client_tracking,
    "client|trackinginfo": client_trackinginfo,
}
