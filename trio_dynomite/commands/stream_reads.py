"""XREAD and XREADGROUP: what is new in streams, for anybody or for a consumer of a group.

A request with BLOCK that finds nothing answers BLOCKED and runs again when a key changes. `$` would mean
something else then, so `settle` puts the id in its place that it means now.
"""

from itertools import islice

from trio_dynomite.commands.record import Stream
from trio_dynomite.commands.row import BLOCKED, Keyspace
from trio_dynomite.commands.stream_counters import read_after
from trio_dynomite.commands.stream_groups import no_group, see
from trio_dynomite.commands.stream_ids import id_argument, spelled
from trio_dynomite.commands.stream_read_options import Reading, parse
from trio_dynomite.commands.streams import entries_reply, entry_reply
from trio_dynomite.data.entry_id import ID_MAX, encode
from trio_dynomite.data.stream import StreamBody
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import NULL_ARRAY, array, bulk, mapping

_GREATER_WITHOUT_GROUP = (
    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."
)


def _meaningless(symbol: str) -> CommandError:
    return CommandError(
        f"ERR The {symbol} ID is meaningless in the context of XREADGROUP: you want to read the history of"
        " this consumer by specifying a proper ID, or use the > ID to get new messages. The"
        f" {symbol} ID would just return an empty result set."
    )


def settle(ks: Keyspace, args: list[bytes]) -> list[bytes]:
    """XREAD's arguments with the ids in place of every `$` that it means now: to run again later."""
    reading = parse(args)
    if b"$" not in reading.ids:
        return args
    ids = []
    for key, text in zip(reading.keys, reading.ids, strict=True):
        ids.append(spelled(_last_id(ks.stream_at(key).body)) if text == b"$" else text)
    return args[: -len(ids)] + ids


def _last_id(body: StreamBody | None) -> int:
    return 0 if body is None else body.last_id


def _answer(ks: Keyspace, reading: Reading, found: list[tuple[bytes, bytes]]) -> bytes:
    """The reply with what was `found`, (key, entries) of each stream that has something."""
    if not found:
        return BLOCKED if reading.block_ms is not None and ks.may_block else NULL_ARRAY[ks.resp]
    if ks.resp == 3:
        return mapping([(bulk(key), entries) for key, entries in found], 3)
    return array([b"*2\r\n" + bulk(key) + entries for key, entries in found])


def xread(ks: Keyspace, args: list[bytes]) -> bytes:
    """XREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]."""
    reading = parse(args)
    asked = []
    for key, text in zip(reading.keys, reading.ids, strict=True):
        body = ks.stream_at(key).body
        asked.append((key, body, _after(body, text)))
    found = []
    for key, body, after in asked:
        if body is not None and body.top_id > after:
            ids = islice(body.entries.irange(after + 1), reading.count)
            found.append((key, entries_reply(body, ids)))
    return _answer(ks, reading, found)


def _after(body: StreamBody | None, text: bytes) -> int:
    """The id that XREAD shall read after."""
    if text == b"$":
        return _last_id(body)
    if text == b"+":
        return max(_last_id(body) - 1, 0)
    if text == b">":
        raise CommandError(_GREATER_WITHOUT_GROUP)
    return id_argument(text)


def xreadgroup(ks: Keyspace, args: list[bytes]) -> bytes:
    """XREADGROUP GROUP group consumer [COUNT n] [BLOCK ms] [NOACK] STREAMS key [key ...] id [id ...]."""
    reading = parse(args)
    group = reading.group or b""
    asked, is_served = [], False
    for key, text in zip(reading.keys, reading.ids, strict=True):
        body = ks.stream_at(key).body
        if body is None or group not in body.groups:
            raise no_group(key, group, " in XREADGROUP with GROUP option")
        after = _after_in_group(text)
        asked.append((key, after))
        is_served = is_served or after != ID_MAX or body.top_id > body.groups[group].last_id
    waits = not is_served and reading.block_ms is not None and ks.may_block
    found = []
    for key, after in asked:
        entries = _serve(ks, reading, key, after, waits=waits)
        if entries is not None:
            found.append((key, entries))
    return _answer(ks, reading, found)


def _after_in_group(text: bytes) -> int:
    """The id after which a consumer reads in its own history; ID_MAX for `>`, what is new to the group."""
    if text == b">":
        return ID_MAX
    if text in (b"$", b"+"):
        raise _meaningless(text.decode())
    return id_argument(text)


def _serve(ks: Keyspace, reading: Reading, key: bytes, after: int, *, waits: bool) -> bytes | None:
    """Deliver to the consumer what there is for it in one stream; None when that is nothing."""
    stream, group = ks.stream_at(key), reading.group or b""
    if after != ID_MAX:
        see(ks, stream, key, group, reading.consumer)
        return _history(ks, reading, stream, after)
    body = stream.body
    last_id = body.groups[group].last_id
    if body.top_id <= last_id:
        _ask(ks, reading, stream, key, waits=waits)
        return None
    ids = list(islice(body.entries.irange(last_id + 1), reading.count))
    reply = entries_reply(body, ids)
    _deliver(ks, reading, stream, key, ids)
    return reply


def _ask(ks: Keyspace, reading: Reading, stream: Stream, key: bytes, *, waits: bool) -> None:
    """The consumer finds nothing. It was seen all the same, once for the time that it is going to wait.

    A request that waits runs again whenever the stream changes; if it changed the stream then, those that
    wait for the same stream would keep each other running."""
    consumer = stream.body.groups[reading.group].consumers.get(reading.consumer)
    if consumer is not None and waits and not 0 < (reading.block_ms or 0) <= ks.now_ms - consumer.seen_ms:
        return
    see(ks, stream, key, reading.group or b"", reading.consumer)


def _deliver(ks: Keyspace, reading: Reading, stream: Stream, key: bytes, ids: list[int]) -> None:
    """The entries, new to the group, are the consumer's."""
    name, consumer = reading.group or b"", reading.consumer
    group = stream.body.groups[name]
    entries_read = read_after(stream.body, group, ids)
    is_new = consumer not in group.consumers
    if reading.noack:
        stream.change(b"see", name, consumer, ks.now_ms, None)
        stream.change(b"group", name, encode(ids[-1]), entries_read)
    else:
        stream.change(
            b"read", name, consumer, [encode(entry_id) for entry_id in ids], ks.now_ms, entries_read
        )
    if is_new and ks.wants_events:
        ks.event("xgroup-createconsumer", key)


def _history(ks: Keyspace, reading: Reading, stream: Stream, after: int) -> bytes:
    """What is pending for the consumer after an id; the entries that are still there are delivered again."""
    name, consumer = reading.group or b"", reading.consumer
    body = stream.body
    group = body.groups[name]
    own = group.consumers[consumer].pending
    replies, ids, counts = [], [], []
    for entry_id in islice(own.irange(after + 1), reading.count):
        fields = body.entries.get(entry_id)
        if fields is None:
            replies.append(b"*2\r\n" + bulk(spelled(entry_id)) + NULL_ARRAY[ks.resp])
        else:
            replies.append(entry_reply(entry_id, fields))
            ids.append(encode(entry_id))
            counts.append(group.pending[entry_id][2] + 1)
    if ids:
        stream.change(b"claim", name, consumer, ids, ks.now_ms, counts)
    return array(replies)
