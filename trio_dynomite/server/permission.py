"""Permission: who a session is, what it may run, and what becomes of it when its user changes.

Sessions whose user may do everything are never asked: only the others have the mode GATED, and each of their
commands comes to `refusal` first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from trio_dynomite.access import gate
from trio_dynomite.access.denial import NOT_AUTHENTICATED, Denial, Reason
from trio_dynomite.access.passwords import HASH_MARK
from trio_dynomite.access.user import User
from trio_dynomite.access.users import DEFAULT
from trio_dynomite.commands.row import Row
from trio_dynomite.errors import ProtocolError
from trio_dynomite.server.client_line import client_line
from trio_dynomite.server.modes import MULTI

if TYPE_CHECKING:
    from trio_dynomite.server.server import Server
    from trio_dynomite.server.session import Session

STRANGERS_OUTPUT = 1 << 16
"""Bytes that a client that has not logged in may leave unread before it is disconnected."""
TOPLEVEL = "toplevel"
IN_MULTI = "multi"
IN_SCRIPT = "lua"
"""Where a command came from, as ACL LOG tells it."""


def must_log_in(session: Session, row: Row | None, args: list[bytes]) -> str | None:
    """The refusal of whoever has not logged in; to be asked before it is said that there is no such command,
    or how many arguments it takes. A request that is too long ends the session."""
    if not is_stranger(session):
        return None
    why = gate.too_much(len(args), max(map(len, args)))
    if why is not None:
        session.is_closing = True
        return f"ERR Protocol error: {why}"
    return NOT_AUTHENTICATED if gate.must_log_in(session.server.users, session.user, row) else None


def is_stranger(session: Session) -> bool:
    """Must this client log in before it may do anything?"""
    return session.user is session.server.users.stranger and not session.server.users.is_open


def announces_too_much(session: Session) -> ProtocolError | None:
    """A client that has not logged in announces more than it may send: what to end its session with."""
    why = gate.too_much(*session.reader.announced) if is_stranger(session) else None
    return None if why is None else ProtocolError(why)


def leaves_too_much_unread(session: Session) -> bool:
    """Does a client that has not logged in ask without reading the answers?"""
    return is_stranger(session) and session.pipe.unsent > STRANGERS_OUTPUT


def refusal(session: Session, row: Row, args: list[bytes]) -> str | None:
    """Why a session may not run, or queue, a command from its client; or None. It is noted in the log."""
    users = session.server.users
    if (why := must_log_in(session, row, args)) is not None:
        return why
    denial = gate.denial(users, session.user, row, args)
    if denial is None or (denial.reason is Reason.PATTERN and session.modes & MULTI):
        return None
    note(session, denial, IN_MULTI if session.modes & MULTI else TOPLEVEL)
    return denial.reply


def refusal_in_script(session: Session, row: Row, args: list[bytes]) -> str | None:
    """Likewise, a command that a script of the session calls."""
    denial = gate.denial(session.server.users, session.user, row, args)
    if denial is None:
        return None
    note(session, denial, IN_SCRIPT)
    return denial.reply_in_script


def note(session: Session, denial: Denial, context: str) -> None:
    """Write into the log that a session was refused something."""
    if denial.reason is Reason.PATTERN:
        return
    now_ms = session.server.engine.now_ms
    session.server.users.log.note(
        denial.reason, context, denial.object, denial.user, client_line(session), now_ms
    )


def log_in(session: Session, name: bytes, password: bytes, command: bytes) -> bool:
    """Make `name` the session's user, if that is the password; else note it in the log."""
    user = session.server.users.authenticate(name, password)
    if user is None:
        note(session, Denial(Reason.AUTH, name, "", command), IN_MULTI if session.modes & MULTI else TOPLEVEL)
        return False
    session.enter(user)
    return True


def after_change(server: Server, changed: Iterable[User], asking: Session | None = None) -> None:
    """Users were changed or deleted, by the session `asking` or by another node: their sessions go by it.

    Sessions of a deleted user end, and those that listen to what their user may not hear any more."""
    users = set(changed)
    for session in [session for session in server.sessions.values() if session.user in users]:
        user = session.user
        if server.users.find(user.name) is not user:
            _end(session, asking, "its user was deleted")
        elif not _may_go_on_listening(session):
            _end(session, asking, "its user may not listen to that channel any more")
        session.enter(user)


def set_default_password(server: Server, kept: bytes | None) -> None:
    """The default user has this password (its hash) and no other from now on; None: it needs none."""
    rules = [b"resetpass", b"nopass" if kept is None else b"#" + kept]
    after_change(server, [server.users.change(DEFAULT, rules, server.engine.keyspace.clock.next())])
    server.share_users(lambda: None)


def default_password(server: Server) -> bytes:
    """What `requirepass` is told to be: the hash of the default user's password, in the form that sets it."""
    user = server.users.default
    return HASH_MARK + user.passwords[0] if user.passwords else b""


def _may_go_on_listening(session: Session) -> bool:
    heard, may_use = session.subscriptions, session.user.may_use_channel
    return all([may_use(channel) for channel in (*heard.channels, *heard.shards)]) and all(
        [may_use(pattern, is_pattern=True) for pattern in heard.patterns]
    )


def _end(session: Session, asking: Session | None, why: str) -> None:
    """End a session: after its reply, when its own command is the reason."""
    if session is asking:
        session.is_closing = True
    else:
        session.pipe.close(why)
