"""FUNCTION: what a node answers about the libraries that it knows (https://valkey.io/commands/function/).

Each answer is a function `(host, args, resp) → (reply, change)`, as those of SCRIPT.
"""

from trio_dynomite.commands.patterns import matches
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import NULL, OK, array, bulk, integer, mapping, set_of, simple
from trio_dynomite.scripting import payload
from trio_dynomite.scripting.host import ScriptHost
from trio_dynomite.scripting.libraries import Function, Library, flags_in_order, refuse_same_functions
from trio_dynomite.scripting.script_commands import NOT_BUSY
from trio_dynomite.scripting.shared import FLUSH, LIBRARY, Change

_HELP = (
    "FUNCTION <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "LOAD [REPLACE] <FUNCTION CODE>",
    "    Create a new library with the given library name and code.",
    "DELETE <LIBRARY NAME>",
    "    Delete the given library.",
    "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
    "    Return general information on all the libraries:",
    "    * Library name",
    "    * The engine used to run the Library",
    "    * Functions list",
    "    * Library code (if WITHCODE is given)",
    "    It also possible to get only function that matches a pattern using LIBRARYNAME argument.",
    "STATS",
    "    Return information about the current function running:",
    "    * Function name",
    "    * Command used to run the function",
    "    * Duration in MS that the function is running",
    "    If no function is running, return nil",
    "    In addition, returns a list of available engines.",
    "KILL",
    "    Kill the current running function.",
    "FLUSH [ASYNC|SYNC]",
    "    Delete all the libraries.",
    "    When called without the optional mode argument, the behavior is determined by the",
    "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
    "    * ASYNC: Asynchronously flush the libraries.",
    "    * SYNC: Synchronously flush the libraries.",
    "DUMP",
    "    Return a serialized payload representing the current libraries,"
    " can be restored using FUNCTION RESTORE command",
    "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
    "    Restore the libraries represented by the given payload, it is possible to give a restore policy to",
    "    control how to handle existing libraries (default APPEND):",
    "    * FLUSH: delete all existing libraries.",
    "    * APPEND: appends the restored libraries to the existing libraries. On collision, abort.",
    "    * REPLACE: appends the restored libraries to the existing libraries, On collision, replace the old",
    "      libraries with the new libraries (notice that even on this option there is a chance of failure",
    "      in case of functions name collision with another library).",
    "HELP",
    "    Print this help.",
)


def function_command(host: ScriptHost, args: list[bytes], resp: int) -> tuple[bytes, Change]:
    """The reply to a FUNCTION request whose row was found, and what every node must learn.

    Raises:
        CommandError: it is refused.
    """
    return _ANSWERS[args[1].lower()](host, args, resp)


def _load(host: ScriptHost, args: list[bytes], resp: int) -> tuple[bytes, Change]:
    for option in args[2:-1]:
        if option.upper() != b"REPLACE":
            raise CommandError(f"ERR Unknown option given: {_shown(option)}")
    library = host.libraries.check(args[-1], replace=len(args) > 3)
    host.refuse_too_many([library.code], without=[library.name])
    return bulk(library.name), [(LIBRARY + library.name, library.code)]


def _delete(host: ScriptHost, args: list[bytes], resp: int) -> tuple[bytes, Change]:
    if args[2] not in host.libraries.by_name:
        raise CommandError("ERR Library not found")
    return OK, [(LIBRARY + args[2], None)]


def _flush(host: ScriptHost, args: list[bytes], resp: int) -> tuple[bytes, Change]:
    _check_count(args, 3)
    if len(args) == 3 and args[2].upper() not in (b"SYNC", b"ASYNC"):
        raise CommandError("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")
    return OK, [(FLUSH + LIBRARY, None)]


def _kill(host: ScriptHost, args: list[bytes], resp: int) -> tuple[bytes, Change]:
    """Nothing else runs while a function does, so nobody ever meets one."""
    raise CommandError(NOT_BUSY)


def _dump(host: ScriptHost, args: list[bytes], resp: int) -> tuple[bytes, Change]:
    return bulk(payload.encode([library.code for library in host.libraries.by_name.values()])), []


def _restore(host: ScriptHost, args: list[bytes], resp: int) -> tuple[bytes, Change]:
    _check_count(args, 4)
    policy = args[3].upper() if len(args) == 4 else b"APPEND"
    if policy not in (b"APPEND", b"REPLACE", b"FLUSH"):
        raise CommandError("ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.")
    restored: dict[bytes, Library] = {}
    for code in payload.decode(args[2]):
        library = host.libraries.check(code, replace=False, among=restored)
        restored[library.name] = library
    gone = host.libraries.by_name if policy == b"FLUSH" else restored
    host.refuse_too_many([library.code for library in restored.values()], without=gone)
    change: Change = [(LIBRARY + library.name, library.code) for library in restored.values()]
    if policy == b"FLUSH":
        return OK, [(FLUSH + LIBRARY, None), *change]
    _join(host.libraries.by_name, restored, replace=policy == b"REPLACE")
    return OK, change


def _join(known: dict[bytes, Library], restored: dict[bytes, Library], *, replace: bool) -> None:
    """Refuse libraries that cannot stand beside those that are known."""
    for name in restored:
        if name in known and not replace:
            raise CommandError(f"ERR Library {name.decode()} already exists")
    others = {name: library for name, library in known.items() if name not in restored}
    refuse_same_functions(list(restored.values()), others)


def _list(host: ScriptHost, args: list[bytes], resp: int) -> tuple[bytes, Change]:
    pattern, with_code = _list_options(args[2:])
    return (
        array(
            [
                _library_reply(library, with_code, resp)
                for library in host.libraries.by_name.values()
                if pattern is None or matches(pattern, library.name, ignore_case=True)
            ]
        ),
        [],
    )


def _list_options(words: list[bytes]) -> tuple[bytes | None, bool]:
    pattern, with_code = None, False
    rest = iter(words)
    for word in rest:
        if word.upper() == b"WITHCODE" and not with_code:
            with_code = True
        elif word.upper() == b"LIBRARYNAME" and pattern is None:
            pattern = next(rest, None)
            if pattern is None:
                raise CommandError("ERR library name argument was not given")
        else:
            raise CommandError(f"ERR Unknown argument {_shown(word)}")
    return pattern, with_code


def _library_reply(library: Library, with_code: bool, resp: int) -> bytes:
    pairs = [
        (bulk(b"library_name"), bulk(library.name)),
        (bulk(b"engine"), bulk(b"LUA")),
        (bulk(b"functions"), array([_function_reply(function, resp) for function in library.functions])),
    ]
    if with_code:
        pairs.append((bulk(b"library_code"), bulk(library.code)))
    return mapping(pairs, resp)


def _function_reply(function: Function, resp: int) -> bytes:
    description = function.description
    return mapping(
        [
            (bulk(b"name"), bulk(function.name)),
            (bulk(b"description"), NULL[resp] if description is None else bulk(description)),
            (bulk(b"flags"), set_of([simple(flag) for flag in flags_in_order(function)], resp)),
        ],
        resp,
    )


def _stats(host: ScriptHost, args: list[bytes], resp: int) -> tuple[bytes, Change]:
    libraries = host.libraries.by_name.values()
    counts = mapping(
        [
            (bulk(b"libraries_count"), integer(len(libraries))),
            (bulk(b"functions_count"), integer(sum(len(library.functions) for library in libraries))),
        ],
        resp,
    )
    engines = mapping([(bulk(b"LUA"), counts)], resp)
    return mapping([(bulk(b"running_script"), NULL[resp]), (bulk(b"engines"), engines)], resp), []


def _help(host: ScriptHost, args: list[bytes], resp: int) -> tuple[bytes, Change]:
    return array([simple(line) for line in _HELP]), []


def _check_count(args: list[bytes], most: int) -> None:
    if len(args) > most:
        raise CommandError(
            f"ERR unknown subcommand or wrong number of arguments for '{_shown(args[1])}'. Try FUNCTION HELP."
        )


def _shown(text: bytes) -> str:
    return text.decode("utf-8", "replace")


_ANSWERS = {
    b"load": _load,
    b"delete": _delete,
    b"flush": _flush,
    b"kill": _kill,
    b"dump": _dump,
    b"restore": _restore,
    b"list": _list,
    b"stats": _stats,
    b"help": _help,
}
