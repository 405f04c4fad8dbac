"""SCRIPT and FUNCTION: what this node, and with it every node, knows of scripts and libraries.

A change is answered once all nodes that can be reached know it (https://valkey.io/commands/script-load).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trio_dynomite.scripting.function_commands import function_command
from trio_dynomite.scripting.script_commands import script_command
from trio_dynomite.scripting.shared import Change
from trio_dynomite.server import lua
from trio_dynomite.server.answers.answer import Answer

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session


def script(session: Session, args: list[bytes]) -> bytes | None:
    """SCRIPT and its subcommands."""
    return _told(session, *script_command(session.server.scripts, args))


def function(session: Session, args: list[bytes]) -> bytes | None:
    """FUNCTION and its subcommands."""
    return _told(session, *function_command(session.server.scripts, args, session.resp))


def _told(session: Session, reply: bytes, change: Change) -> bytes | None:
    if not change:
        return reply
    place = session.stall()
    lua.tell(session.server, change, lambda: place.done(reply))
    return None


_SCRIPT = ("debug", "exists", "flush", "help", "kill", "load", "show")
_FUNCTION = ("delete", "dump", "flush", "help", "kill", "list", "load", "restore", "stats")

ANSWERS: Mapping[str, Answer] = {
    **{f"script|{name}": script for name in _SCRIPT},
    **{f"function|{name}": function for name in _FUNCTION},
}
