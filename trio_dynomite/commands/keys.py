"""Commands on keys of any type (https://valkey.io/commands/#generic), except expiry and DUMP.

RENAME and COPY name two keys of one slot; DEL, EXISTS, TOUCH and UNLINK get those of the client's keys
that live on this node.
"""

from trio_dynomite.commands.encodings import encoding
from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.commands.refusals import DB_OUT_OF_RANGE, NO_SUCH_KEY, SAME_OBJECT, SYNTAX
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import NULL, OK, ONE, ZERO, array, bulk, integer, simple

_NO_FREQUENCY = (
    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when"
    " switching between policies at runtime LRU and LFU data will take some time to adjust."
)
_NO_IDLE_TIME = (
    "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when"
    " switching between policies at runtime LRU and LFU data will take some time to adjust."
)
_OBJECT_HELP = (
    "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "ENCODING <key>",
    "    Return the kind of internal representation used in order to store the value",
    "    associated with a <key>.",
    "FREQ <key>",
    "    Return the access frequency index of the <key>. The returned integer is",
    "    proportional to the logarithm of the recent access frequency of the key.",
    "IDLETIME <key>",
    "    Return the idle time of the <key>, that is the approximated number of",
    "    seconds elapsed since the last access to the key.",
    "REFCOUNT <key>",
    "    Return the number of references of the value associated with the specified",
    "    <key>.",
    "HELP",
    "    Print this help.",
)


def delete(ks: Keyspace, args: list[bytes]) -> bytes:
    """DEL key [key ...], and UNLINK: how many there were."""
    if len(args) == 2:
        return ONE if _delete(ks, args[1]) else ZERO
    return integer(sum([_delete(ks, key) for key in args[1:]]))


def _delete(ks: Keyspace, key: bytes) -> bool:
    was_there = ks.delete(key)
    if was_there and ks.wants_events:
        ks.event("del", key)
    return was_there


def exists(ks: Keyspace, args: list[bytes]) -> bytes:
    """EXISTS key [key ...]; a key named twice counts twice."""
    return integer(sum([ks.kind(key) is not None for key in args[1:]]))


def touch(ks: Keyspace, args: list[bytes]) -> bytes:
    """TOUCH key [key ...]."""
    return integer(sum([ks.touch(key) for key in args[1:]]))


def type_(ks: Keyspace, args: list[bytes]) -> bytes:
    """TYPE key."""
    return simple(ks.kind(args[1]) or "none")


def rename(ks: Keyspace, args: list[bytes]) -> bytes:
    """RENAME key newkey."""
    source, target = args[1], args[2]
    if ks.kind(source) is None:
        raise CommandError(NO_SUCH_KEY)
    _move(ks, source, target)
    return OK


def renamenx(ks: Keyspace, args: list[bytes]) -> bytes:
    """RENAMENX key newkey."""
    source, target = args[1], args[2]
    if ks.kind(source) is None:
        raise CommandError(NO_SUCH_KEY)
    if ks.kind(target) is not None:
        return ZERO
    _move(ks, source, target)
    return ONE


def _move(ks: Keyspace, source: bytes, target: bytes) -> None:
    if source == target:
        return
    ks.copy(source, target)
    ks.delete(source)
    if ks.wants_events:
        ks.event("rename_from", source)
        ks.event("rename_to", target)


def copy(ks: Keyspace, args: list[bytes]) -> bytes:
    """COPY source destination [DB 0] [REPLACE]; there is one database."""
    source, target = args[1], args[2]
    replace = _copy_options(args[3:])
    if source == target:
        raise CommandError(SAME_OBJECT)
    if ks.kind(source) is None or (ks.kind(target) is not None and not replace):
        return ZERO
    ks.copy(source, target)
    if ks.wants_events:
        ks.event("copy_to", target)
    return ONE


def _copy_options(words: list[bytes]) -> bool:
    replace = False
    rest = iter(words)
    for word in rest:
        if word.upper() == b"REPLACE":
            replace = True
        elif word.upper() == b"DB" and (number := next(rest, None)) is not None:
            if integer_argument(number) != 0:
                raise CommandError(DB_OUT_OF_RANGE)
        else:
            raise CommandError(SYNTAX)
    return replace


def object_encoding(ks: Keyspace, args: list[bytes]) -> bytes:
    """OBJECT ENCODING key."""
    name = encoding(ks, args[2])
    return NULL[ks.resp] if name is None else bulk(name)


def object_idletime(ks: Keyspace, args: list[bytes]) -> bytes:
    """OBJECT IDLETIME key: seconds since it was written or touched, or read where that is tracked."""
    if ks.kind(args[2]) is None:
        return NULL[ks.resp]
    if ks.frequency(args[2]) is not None:
        raise CommandError(_NO_IDLE_TIME)
    return integer(ks.idle_s(args[2]))


def object_freq(ks: Keyspace, args: list[bytes]) -> bytes:
    """OBJECT FREQ key: its counter of uses; refused where no policy goes by it."""
    if ks.kind(args[2]) is None:
        return NULL[ks.resp]
    frequency = ks.frequency(args[2])
    if frequency is None:
        raise CommandError(_NO_FREQUENCY)
    return integer(frequency)


def object_refcount(ks: Keyspace, args: list[bytes]) -> bytes:
    """OBJECT REFCOUNT key: 1, for values are never shared between keys."""
    return NULL[ks.resp] if ks.kind(args[2]) is None else ONE


def object_help(ks: Keyspace, args: list[bytes]) -> bytes:
    """OBJECT HELP."""
    return array([simple(line) for line in _OBJECT_HELP])
