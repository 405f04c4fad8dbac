"""Our side of the comparisons of scripts: handlers, and what a node answers about scripts and functions."""

import time
from typing import Any

from attrs import define, field

from trio_dynomite.commands.row import Row
from trio_dynomite.commands.table import lookup
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import OK, ZERO, error
from trio_dynomite.scripting.calls import NOT_ALLOWED, Calls
from trio_dynomite.scripting.function_commands import function_command
from trio_dynomite.scripting.host import ScriptHost
from trio_dynomite.scripting.script_commands import script_command


def beyond(row: Row, args: list[bytes]) -> bytes:
    """What a node answers in a script, as far as the comparison needs it."""
    if row.name == "publish":
        return ZERO
    if row.name == "select":
        return OK
    raise CommandError(NOT_ALLOWED)


def make_host(**more: Any) -> ScriptHost:
    """A host that is no part of a cluster, as the server that it is compared with."""
    calls = Calls(lookup, beyond=beyond)
    return ScriptHost(calls=calls, clock=time.monotonic, in_cluster=False, **more)


@define
class ScriptSubject:
    """A node with nothing around it: a keyspace and a host."""

    ks: Any
    host: ScriptHost = field(factory=make_host)
    stamp: int = 0

    def __attrs_post_init__(self) -> None:
        self.ks.scripts = self.host

    def __call__(self, *args: bytes) -> bytes:
        try:
            row = lookup(list(args))
            if row.handler is not None:
                return row.handler(self.ks, list(args))
            return self._about_scripts(row, list(args))
        except CommandError as refusal:
            return error(str(refusal))

    def _about_scripts(self, row: Row, args: list[bytes]) -> bytes:
        if row.name.startswith("script"):
            reply, change = script_command(self.host, args)
        else:
            reply, change = function_command(self.host, args, self.ks.resp)
        self.stamp += 1
        self.host.learn(change, self.stamp)
        return reply
