"""Consumer groups: XGROUP, XACK, and the words and steps that all commands on groups share."""

from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.commands.record import Stream
from trio_dynomite.commands.refusals import quoted
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.commands.stream_ids import any_id_argument, id_argument, id_arguments
from trio_dynomite.data.entry_id import encode
from trio_dynomite.data.stream import StreamBody
from trio_dynomite.data.stream_groups import Group
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import OK, ONE, ZERO, array, integer, simple

_NO_KEY = (
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the"
    " MKSTREAM option to create an empty stream automatically."
)
_XGROUP_HELP = (
    "XGROUP <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "CREATE <key> <groupname> <id|$> [option]",
    "    Create a new consumer group. Options are:",
    "    * MKSTREAM",
    "      Create the empty stream if it does not exist.",
    "    * ENTRIESREAD entries_read",
    "      Set the group's entries_read counter (internal use).",
    "CREATECONSUMER <key> <groupname> <consumer>",
    "    Create a new consumer in the specified group.",
    "DELCONSUMER <key> <groupname> <consumer>",
    "    Remove the specified consumer.",
    "DESTROY <key> <groupname>",
    "    Remove the specified group.",
    "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
    "    Set the current group ID and entries_read counter.",
    "HELP",
    "    Print this help.",
)


def no_group(key: bytes, group: bytes, where: str = "") -> CommandError:
    """The refusal of a command whose key or group is absent."""
    names = f"'{quoted(key, len(key))}' or consumer group '{quoted(group, len(group))}'"
    return CommandError(f"NOGROUP No such key {names}{where}")


def no_such_group(key: bytes, group: bytes) -> CommandError:
    """The refusal of a command whose key is there, and the group is not."""
    names = f"'{quoted(group, len(group))}' for key name '{quoted(key, len(key))}'"
    return CommandError(f"NOGROUP No such consumer group {names}")


def wrong_subcommand(args: list[bytes]) -> CommandError:
    """The refusal of a subcommand's arguments that are too many or make no sense."""
    name, container = quoted(args[1]), quoted(args[0]).upper()
    return CommandError(
        f"ERR unknown subcommand or wrong number of arguments for '{name}'. Try {container} HELP."
    )


def find_group(body: StreamBody | None, key: bytes, group: bytes) -> Group:
    """The group of this name. Raises CommandError (`no_group`)."""
    found = None if body is None else body.groups.get(group)
    if found is None:
        raise no_group(key, group)
    return found


def see(
    ks: Keyspace, stream: Stream, key: bytes, group: bytes, consumer: bytes, active_ms: int | None = None
) -> None:
    """A consumer of a group that is there asks for something, and gets it if `active_ms` is given."""
    is_new = consumer not in stream.body.groups[group].consumers
    stream.change(b"see", group, consumer, ks.now_ms, active_ms)
    if is_new and ks.wants_events:
        ks.event("xgroup-createconsumer", key)


def xgroup_create(ks: Keyspace, args: list[bytes]) -> bytes:
    """XGROUP CREATE key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]."""
    makes_stream, entries_read = _options(args)
    key, name = args[2], args[3]
    stream = ks.stream_at(key)
    body = stream.body
    if body is None and not makes_stream:
        raise CommandError(_NO_KEY)
    if len(args) > 8:
        raise wrong_subcommand(args)
    newest = 0 if body is None else body.last_id
    last_id = newest if args[4] == b"$" else id_argument(args[4])
    if body is not None and name in body.groups:
        raise CommandError("BUSYGROUP Consumer Group name already exists")
    stream.change(b"group", name, encode(last_id), entries_read)
    if ks.wants_events:
        ks.event("xgroup-create", key)
    return OK


def xgroup_setid(ks: Keyspace, args: list[bytes]) -> bytes:
    """XGROUP SETID key group <id | $> [ENTRIESREAD entries-read]."""
    _, entries_read = _options(args)
    stream, body, _ = _of_group(ks, args)
    if len(args) not in (5, 7):
        raise wrong_subcommand(args)
    last_id = body.last_id if args[4] == b"$" else any_id_argument(args[4])
    stream.change(b"group", args[3], encode(last_id), entries_read)
    if ks.wants_events:
        ks.event("xgroup-setid", args[2])
    return OK


def _options(args: list[bytes]) -> tuple[bool, int | None]:
    """(make the stream?, entries read or None) of CREATE, and of SETID but for MKSTREAM."""
    makes_stream, entries_read = False, -1
    rest = iter(args[5:])
    for text in rest:
        word = text.upper()
        if word == b"MKSTREAM" and args[1].upper() == b"CREATE":
            makes_stream = True
        elif word == b"ENTRIESREAD" and (number := next(rest, None)) is not None:
            entries_read = integer_argument(number)
            if entries_read < -1:
                raise CommandError("ERR value for ENTRIESREAD must be positive or -1")
        else:
            raise wrong_subcommand(args)
    return makes_stream, None if entries_read == -1 else entries_read


def _of_group(ks: Keyspace, args: list[bytes]) -> tuple[Stream, StreamBody, Group]:
    """The stream, its body and the group of XGROUP … key group. Raises CommandError when one is absent."""
    stream = ks.stream_at(args[2])
    body = stream.body
    if body is None:
        raise CommandError(_NO_KEY)
    group = body.groups.get(args[3])
    if group is None:
        raise no_such_group(args[2], args[3])
    return stream, body, group


def xgroup_destroy(ks: Keyspace, args: list[bytes]) -> bytes:
    """XGROUP DESTROY key group."""
    stream = ks.stream_at(args[2])
    if stream.body is None:
        raise CommandError(_NO_KEY)
    if args[3] not in stream.body.groups:
        return ZERO
    stream.change(b"drop", args[3])
    if ks.wants_events:
        ks.event("xgroup-destroy", args[2])
    return ONE


def xgroup_createconsumer(ks: Keyspace, args: list[bytes]) -> bytes:
    """XGROUP CREATECONSUMER key group consumer."""
    stream, _, group = _of_group(ks, args)
    if args[4] in group.consumers:
        return ZERO
    see(ks, stream, args[2], args[3], args[4])
    return ONE


def xgroup_delconsumer(ks: Keyspace, args: list[bytes]) -> bytes:
    """XGROUP DELCONSUMER key group consumer; how many entries were pending for it, and are no longer."""
    stream, _, group = _of_group(ks, args)
    if args[4] not in group.consumers:
        return ZERO
    dropped = stream.change(b"forget", args[3], args[4])
    if ks.wants_events:
        ks.event("xgroup-delconsumer", args[2])
    return integer(dropped)


def xgroup_help(ks: Keyspace, args: list[bytes]) -> bytes:
    """XGROUP HELP."""
    return array([simple(line) for line in _XGROUP_HELP])


def xack(ks: Keyspace, args: list[bytes]) -> bytes:
    """XACK key group id [id ...]; how many were pending."""
    stream = ks.stream_at(args[1])
    group = None if stream.body is None else stream.body.groups.get(args[2])
    if group is None:
        return ZERO
    found = [entry_id for entry_id in dict.fromkeys(id_arguments(args[3:])) if entry_id in group.pending]
    if not found:
        return ZERO
    return integer(stream.change(b"ack", args[2], [encode(entry_id) for entry_id in found]))
