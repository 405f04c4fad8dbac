"""COMMAND: the table, told to clients (https://valkey.io/commands/command).

Cluster clients learn from it where the keys of a request stand and how to spread it.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from trio_dynomite.commands.docs import command_docs, encode_tree
from trio_dynomite.commands.key_places import Access, has_keys, keys_with_flags
from trio_dynomite.commands.patterns import compile_glob
from trio_dynomite.commands.reference import key_specs, tips
from trio_dynomite.commands.refusals import SYNTAX
from trio_dynomite.commands.row import Row
from trio_dynomite.commands.table import ROWS, SUBCOMMANDS, find, named
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import NULL, array, bulk, bulk_array, integer, set_of, simple

_FLAG_ORDER = (
    *(
        "pubsub",
        "readonly",
        "write",
        "denyoom",
        "admin",
        "asking",
        "blocking",
        "noscript",
        "loading",
        "stale",
        "skip_monitor",
        "skip_commandlog",
    ),
    *("fast", "no_async_loading", "no_auth", "no_multi", "allow_busy", "no_mandatory_keys", "movablekeys"),
)
_HELP = (
    "COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "(no subcommand)",
    "    Return details about all commands.",
    "COUNT",
    "    Return the total number of commands in this server.",
    "LIST",
    "    Return a list of all commands in this server.",
    "INFO [<command-name> ...]",
    "    Return details about multiple commands.",
    "    If no command names are given, documentation details for all",
    "    commands are returned.",
    "DOCS [<command-name> ...]",
    "    Return documentation details about multiple commands.",
    "    If no command names are given, documentation details for all",
    "    commands are returned.",
    "GETKEYS <full-command>",
    "    Return the keys from a full command.",
    "GETKEYSANDFLAGS <full-command>",
    "    Return the keys and the access flags from a full command.",
    "HELP",
    "    Print this help.",
)


def command(args: list[bytes], resp: int) -> bytes:
    """Answer COMMAND and all its subcommands. `lookup` has passed `args`."""
    if len(args) == 1:
        return array([command_info(row, resp) for row in ROWS.values()])
    return _ANSWERS[args[1].lower()](args[2:], resp)


def command_info(row: Row, resp: int) -> bytes:
    """The ten fields that COMMAND and COMMAND INFO tell about `row`."""
    flags = [simple(flag) for flag in _FLAG_ORDER if flag in row.flags]
    children = SUBCOMMANDS.get(row.name, {}).values()
    fields = [
        bulk(row.name.encode()),
        integer(row.arity),
        set_of(flags, resp),
        integer(row.first),
        integer(row.last),
        integer(row.step),
        set_of([simple(f"@{category}") for category in row.categories], resp),
        set_of([bulk(tip.encode()) for tip in tips(row.name)], resp),
        set_of([encode_tree(spec, resp) for spec in key_specs(row.name)], resp),
        array([command_info(child, resp) for child in children]),
    ]
    return array(fields)


def get_keys(args: list[bytes]) -> list[bytes]:
    """The keys of the whole request `args`. Raises CommandError when it is none, or has none."""
    return [key for key, _ in get_keys_and_flags(args)]


def get_keys_and_flags(args: list[bytes]) -> list[Access]:
    """Each key of the request `args` and what is done to it. Raises CommandError as `get_keys`."""
    row = _row_with_keys(args)
    found = keys_with_flags(row, args)
    if not found and "no_mandatory_keys" not in row.flags:
        raise CommandError("ERR Invalid arguments specified for command")
    return found


def command_list(filter: Sequence[bytes], resp: int) -> bytes:
    """COMMAND LIST, with `filter` the words after LIST: nothing, or FILTERBY MODULE | ACLCAT | PATTERN x."""
    if not filter:
        return bulk_array([row.name.encode() for row in _everything()])
    if len(filter) != 3 or filter[0].upper() != b"FILTERBY":
        raise CommandError(SYNTAX)
    keep = _filter(filter[1].upper(), filter[2])
    return bulk_array([row.name.encode() for row in _everything() if keep(row)])


def _filter(kind: bytes, value: bytes) -> Callable[[Row], bool]:
    match kind:
        case b"MODULE":
            return lambda row: False
        case b"ACLCAT":
            category = value.decode("utf-8", "replace").lower()
            return lambda row: category in row.categories
        case b"PATTERN":
            glob = compile_glob(value, ignore_case=True)
            return lambda row: glob.fullmatch(row.name.encode()) is not None
    raise CommandError(SYNTAX)


def _everything() -> Iterator[Row]:
    for row in ROWS.values():
        yield row
        yield from SUBCOMMANDS.get(row.name, {}).values()


def _row_with_keys(args: list[bytes]) -> Row:
    row = find(args)
    if row is None:
        raise CommandError("ERR Invalid command specified")
    if not has_keys(row):
        raise CommandError("ERR The command has no key arguments")
    if not row.takes(len(args)):
        raise CommandError("ERR Invalid number of arguments specified for command")
    return row


def _info(names: list[bytes], resp: int) -> bytes:
    if not names:
        return array([command_info(row, resp) for row in ROWS.values()])
    rows = [named(name) for name in names]
    return array([NULL[resp] if row is None else command_info(row, resp) for row in rows])


def _docs(names: list[bytes], resp: int) -> bytes:
    rows = [named(name) for name in names] if names else ROWS.values()
    return command_docs([row for row in rows if row is not None], resp)


def _keys_and_flags(args: list[bytes], resp: int) -> bytes:
    pairs = get_keys_and_flags(args)
    return array([array([bulk(key), encode_tree(flags, resp, "flags")]) for key, flags in pairs])


_ANSWERS: dict[bytes, Callable[[list[bytes], Any], bytes]] = {
    b"count": lambda args, resp: integer(len(ROWS)),
    b"docs": _docs,
    b"getkeys": lambda args, resp: bulk_array(get_keys(args)),
    b"getkeysandflags": _keys_and_flags,
    b"help": lambda args, resp: array([simple(line) for line in _HELP]),
    b"info": _info,
    b"list": command_list,
}
