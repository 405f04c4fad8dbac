"""SCRIPT: what a node answers about the scripts that it knows (https://valkey.io/commands/script/).

Each answer is a function `(host, args) → (reply, change)`; the caller stamps the change, has this node learn
it and tells the others.
"""

from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import OK, ONE, ZERO, array, bulk, simple
from trio_dynomite.scripting.host import ScriptHost
from trio_dynomite.scripting.scripts import NO_SCRIPT
from trio_dynomite.scripting.shared import FLUSH, SCRIPT, Change

NOT_BUSY = "NOTBUSY No scripts in execution right now."

_NO_DEBUGGER = "ERR The Lua debugger is not supported here"
_HELP = (
    "SCRIPT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "DEBUG (YES|SYNC|NO) [<engine_name>]",
    "    Set the debug mode for subsequent scripts executed of the specified engine.",
    "    Default engine name: 'lua'",
    "EXISTS <sha1> [<sha1> ...]",
    "    Return information about the existence of the scripts in the script cache.",
    "FLUSH [ASYNC|SYNC]",
    "    Flush the Lua scripts cache. Very dangerous on replicas.",
    "    When called without the optional mode argument, the behavior is determined",
    "     by the lazyfree-lazy-user-flush configuration directive. Valid modes are:",
    "    * ASYNC: Asynchronously flush the scripts cache.",
    "    * SYNC: Synchronously flush the scripts cache.",
    "KILL",
    "    Kill the currently executing Lua script.",
    "LOAD <script>",
    "    Load a script into the scripts cache without executing it.",
    "SHOW <sha1>",
    "    Show a script from the scripts cache.",
    "HELP",
    "    Print this help.",
)


def script_command(host: ScriptHost, args: list[bytes]) -> tuple[bytes, Change]:
    """The reply to a SCRIPT request whose row was found, and what every node must learn.

    Raises:
        CommandError: it is refused.
    """
    return _ANSWERS[args[1].lower()](host, args)


def _load(host: ScriptHost, args: list[bytes]) -> tuple[bytes, Change]:
    if args[2] not in host.scripts.loaded():
        host.refuse_too_many([args[2]])
    sha = host.scripts.load(args[2])
    return bulk(sha), [(SCRIPT + sha, args[2])]


def _exists(host: ScriptHost, args: list[bytes]) -> tuple[bytes, Change]:
    return array([ZERO if host.scripts.source(sha) is None else ONE for sha in args[2:]]), []


def _show(host: ScriptHost, args: list[bytes]) -> tuple[bytes, Change]:
    source = host.scripts.source(args[2])
    if source is None:
        raise CommandError(NO_SCRIPT)
    return bulk(source), []


def _flush(host: ScriptHost, args: list[bytes]) -> tuple[bytes, Change]:
    if len(args) > 3 or (len(args) == 3 and args[2].upper() not in (b"SYNC", b"ASYNC")):
        raise CommandError("ERR SCRIPT FLUSH only support SYNC|ASYNC option")
    return OK, [(FLUSH + SCRIPT, None)]


def _kill(host: ScriptHost, args: list[bytes]) -> tuple[bytes, Change]:
    """Nothing else runs while a script does, so nobody ever meets one."""
    raise CommandError(NOT_BUSY)


def _debug(host: ScriptHost, args: list[bytes]) -> tuple[bytes, Change]:
    mode = args[2].upper()
    if mode not in (b"YES", b"SYNC", b"NO"):
        raise CommandError("ERR Use SCRIPT DEBUG YES/SYNC/NO")
    if mode != b"NO":
        raise CommandError(_NO_DEBUGGER)
    return OK, []


def _help(host: ScriptHost, args: list[bytes]) -> tuple[bytes, Change]:
    return array([simple(line) for line in _HELP]), []


_ANSWERS = {
    b"load": _load,
    b"exists": _exists,
    b"show": _show,
    b"flush": _flush,
    b"kill": _kill,
    b"debug": _debug,
    b"help": _help,
}
