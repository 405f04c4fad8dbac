"""One command of a script: is it allowed, and what does it answer?

Source: `VM_CallArgv` in Valkey's `module.c`, and the texts that `script_lua.c` makes of its refusals.
"""

from collections.abc import Callable

from attrs import define

from trio_dynomite.commands.row import Keyspace, Row
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import error

Lookup = Callable[[list[bytes]], Row]
"""The row of a request, as `commands.table.lookup`: it raises CommandError when there is none."""

NOT_ALLOWED = "ERR This Valkey command is not allowed from script"

_UNKNOWN = "ERR Unknown command called from script"
_ARITY = "ERR Wrong number of args calling command from script"
_WRITES = "ERR Write commands are not allowed from read-only scripts."
_MAY_REPLICATE = frozenset(["publish", "spublish", "pfcount"])
"""Commands that replicas may have to hear of, though they are no writes by their flags."""


def not_from_scripts(row: Row, args: list[bytes]) -> bytes:
    """What a command without a handler answers in a script as long as nobody is asked."""
    raise CommandError(NOT_ALLOWED)


def any_key(row: Row, args: list[bytes]) -> str | None:
    """May a script's command touch its keys? Yes: all are here."""
    return None


@define
class Calls:
    """How the commands of scripts are answered on this node."""

    lookup: Lookup
    may_touch: Callable[[Row, list[bytes]], str | None] = any_key
    """Why this node cannot run a command on these keys now; None when it can."""
    may_run: Callable[[list[bytes]], str | None] = lambda _: None
    """Why the user who runs the script may not run this command ("NOPERM …"); None when they may."""
    beyond: Callable[[Row, list[bytes]], bytes] = not_from_scripts
    """Answers commands without a handler: those about the node (TIME, PUBLISH…) and about all keys."""

    def run(self, ks: Keyspace, args: list[bytes], resp: int, *, readonly: bool) -> bytes:
        """The encoded reply to one command of a script, errors too."""
        try:
            row = self._allowed(args, readonly)
            ks.resp = resp
            return row.handler(ks, args) if row.handler is not None else self.beyond(row, args)
        except CommandError as refusal:
            return error(str(refusal))

    def _allowed(self, args: list[bytes], readonly: bool) -> Row:
        row = self._row(args)
        if "noscript" in row.flags:
            raise CommandError(NOT_ALLOWED)
        denied = self.may_run(args)
        if denied is not None:
            raise CommandError(f"ERR ACL failure in script: {denied.removeprefix('NOPERM ')}")
        if readonly and (row.write or row.name in _MAY_REPLICATE):
            raise CommandError(_WRITES)
        refusal = self.may_touch(row, args)
        if refusal is not None:
            raise CommandError(refusal)
        return row

    def _row(self, args: list[bytes]) -> Row:
        try:
            return self.lookup(args)
        except CommandError as refusal:
            text = str(refusal)
            if text.startswith("ERR unknown command"):
                raise CommandError(_UNKNOWN) from None
            if text.startswith("ERR wrong number of arguments"):
                raise CommandError(_ARITY) from None
            raise
