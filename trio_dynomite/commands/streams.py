"""The commands on the entries of a stream (https://valkey.io/commands/#stream); groups have modules too.

A handler decides the ids and the times and tells them to the stream as explicit operations
(`data/stream.py`), so that every replica does the very same.
"""

from collections.abc import Iterable
from itertools import islice

from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.commands.refusals import NO_SUCH_KEY, SYNTAX, wrong_arity
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.commands.stream_ids import end_argument, id_argument, id_arguments, spelled, start_argument
from trio_dynomite.commands.stream_trims import Options, add_options, cut, trim_options
from trio_dynomite.data.entry_id import ID_MAX, PART_MAX, SEQUENCE_BITS, encode
from trio_dynomite.data.stream import StreamBody
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import (
    EMPTY_ARRAY,
    NULL,
    NULL_ARRAY,
    OK,
    ZERO,
    array,
    bulk,
    bulk_array,
    integer,
)

_ZERO_ID = "ERR The ID specified in XADD must be greater than 0-0"
_SMALL_ID = "ERR The ID specified in XADD is equal or smaller than the target stream top item"
_NO_MORE_IDS = "ERR The stream has exhausted the last possible ID, unable to add more items"


def entry_reply(entry_id: int, fields: Iterable[bytes]) -> bytes:
    """An entry: its id, and its fields with their values."""
    return b"*2\r\n" + bulk(spelled(entry_id)) + bulk_array(fields)


def entries_reply(body: StreamBody, ids: Iterable[int]) -> bytes:
    """The entries with these ids, all of which are there."""
    entries = body.entries
    return array([entry_reply(entry_id, entries.get(entry_id)) for entry_id in ids])


def xadd(ks: Keyspace, args: list[bytes]) -> bytes:
    """XADD key [NOMKSTREAM] [MAXLEN | MINID [= | ~] threshold [LIMIT count]] <* | id> field value [...]."""
    options = add_options(args)
    fields = args[options.position + 1 :]
    if not fields or len(fields) % 2:
        raise CommandError(wrong_arity("xadd"))
    if options.entry_id == 0 and not options.chooses_sequence:
        raise CommandError(_ZERO_ID)
    key = args[1]
    stream = ks.stream_at(key)
    body = stream.body
    if body is None and options.nomkstream:
        return NULL[ks.resp]
    entry_id = _next_id(0 if body is None else body.last_id, options, ks.now_ms)
    end = cut(StreamBody() if body is None else body, options, entry_id) if options.trims else None
    trimmed = stream.change(b"add", encode(entry_id), fields, end)
    if ks.wants_events:
        ks.event("xadd", key)
        if trimmed:
            ks.event("xtrim", key)
    return bulk(spelled(entry_id))


def _next_id(last_id: int, options: Options, now_ms: int) -> int:
    """The id of the entry to add. Raises CommandError when it would not be greater than the last one."""
    if last_id == ID_MAX:
        raise CommandError(_NO_MORE_IDS)
    entry_id = options.entry_id
    if entry_id is None:
        return max(now_ms << SEQUENCE_BITS, last_id + 1)
    if options.chooses_sequence and entry_id >> SEQUENCE_BITS == last_id >> SEQUENCE_BITS:
        if last_id & PART_MAX == PART_MAX:
            raise CommandError(_SMALL_ID)
        return last_id + 1
    if entry_id <= last_id:
        raise CommandError(_SMALL_ID)
    return entry_id


def xlen(ks: Keyspace, args: list[bytes]) -> bytes:
    """XLEN key."""
    body = ks.stream_at(args[1]).body
    return ZERO if body is None else integer(len(body))


def xrange_(ks: Keyspace, args: list[bytes]) -> bytes:
    """XRANGE key start end [COUNT count]."""
    return _range(ks, args, start_argument(args[2]), end_argument(args[3]), reverse=False)


def xrevrange(ks: Keyspace, args: list[bytes]) -> bytes:
    """XREVRANGE key end start [COUNT count]."""
    start = start_argument(args[3])
    return _range(ks, args, start, end_argument(args[2]), reverse=True)


def _range(ks: Keyspace, args: list[bytes], start: int, end: int, *, reverse: bool) -> bytes:
    count = _count_option(args)
    body = ks.stream_at(args[1]).body
    if body is None:
        return EMPTY_ARRAY
    if count == 0:
        return NULL_ARRAY[ks.resp]
    ids = body.entries.irange(start, end, (True, True), reverse) if start <= end else ()
    return entries_reply(body, islice(ids, count))


def _count_option(args: list[bytes]) -> int | None:
    """The number after COUNT, at least 0; None when it was not given."""
    count = None
    for position in range(4, len(args), 2):
        if args[position].upper() != b"COUNT" or position + 1 == len(args):
            raise CommandError(SYNTAX)
        count = max(integer_argument(args[position + 1]), 0)
    return count


def xdel(ks: Keyspace, args: list[bytes]) -> bytes:
    """XDEL key id [id ...]; what is pending in groups stays there."""
    stream = ks.stream_at(args[1])
    body = stream.body
    if body is None:
        return ZERO
    found = [entry_id for entry_id in dict.fromkeys(id_arguments(args[2:])) if entry_id in body.entries]
    if found:
        stream.change(b"delete", [encode(entry_id) for entry_id in found])
        if ks.wants_events:
            ks.event("xdel", args[1])
    return integer(len(found))


def xtrim(ks: Keyspace, args: list[bytes]) -> bytes:
    """XTRIM key <MAXLEN | MINID> [= | ~] threshold [LIMIT count]."""
    options = trim_options(args)
    stream = ks.stream_at(args[1])
    body = stream.body
    end = None if body is None else cut(body, options)
    if end is None:
        return ZERO
    trimmed = stream.change(b"trim", end)
    if ks.wants_events:
        ks.event("xtrim", args[1])
    return integer(trimmed)


def xsetid(ks: Keyspace, args: list[bytes]) -> bytes:
    """XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]."""
    last_id = id_argument(args[2])
    added, max_deleted_id = _setid_options(args, last_id)
    stream = ks.stream_at(args[1])
    body = stream.body
    if body is None:
        raise CommandError(NO_SUCH_KEY)
    if last_id < body.max_deleted_id:
        raise CommandError("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id")
    if last_id < body.top_id:
        raise CommandError("ERR The ID specified in XSETID is smaller than the target stream top item")
    if added is not None and added < len(body):
        raise CommandError(
            "ERR The entries_added specified in XSETID is smaller than the target stream length"
        )
    counter = body.added if added is None else added
    stream.change(b"setid", encode(last_id), counter, encode(max_deleted_id or body.max_deleted_id))
    if ks.wants_events:
        ks.event("xsetid", args[1])
    return OK


def _setid_options(args: list[bytes], last_id: int) -> tuple[int | None, int]:
    """(entries added or None, greatest deleted id or 0)."""
    added, max_deleted_id = None, 0
    for position in range(3, len(args), 2):
        word = args[position].upper()
        if word not in (b"ENTRIESADDED", b"MAXDELETEDID") or position + 1 == len(args):
            raise CommandError(SYNTAX)
        if word == b"ENTRIESADDED":
            added = integer_argument(args[position + 1])
            if added < 0:
                raise CommandError("ERR entries_added must be positive")
        else:
            max_deleted_id = id_argument(args[position + 1])
            if last_id < max_deleted_id:
                raise CommandError(
                    "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"
                )
    return added, max_deleted_id
