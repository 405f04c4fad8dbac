"""XINFO: what a stream, its groups and their consumers are like.

Redis also tells the size of its radix tree; here there is none, and what is answered is how many nodes of a
hundred entries there would be, each a leaf below the root.
"""

from itertools import islice

from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.commands.refusals import NO_SUCH_KEY
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.commands.stream_counters import lag
from trio_dynomite.commands.stream_groups import no_such_group, wrong_subcommand
from trio_dynomite.commands.stream_ids import spelled
from trio_dynomite.commands.streams import entries_reply, entry_reply
from trio_dynomite.data.stream import StreamBody
from trio_dynomite.data.stream_groups import Consumer, Group
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import MINUS_ONE, NULL, array, bulk, integer, mapping, simple

_FULL_COUNT = 10
_NODE = 100
_XINFO_HELP = (
    "XINFO <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "CONSUMERS <key> <groupname>",
    "    Show consumers of <groupname>.",
    "GROUPS <key>",
    "    Show the stream consumer groups.",
    "STREAM <key> [FULL [COUNT <count>]",
    "    Show information about the stream.",
    "HELP",
    "    Print this help.",
)


def xinfo_help(ks: Keyspace, args: list[bytes]) -> bytes:
    """XINFO HELP."""
    return array([simple(line) for line in _XINFO_HELP])


def _body(ks: Keyspace, key: bytes) -> StreamBody:
    body: StreamBody | None = ks.stream_at(key).body
    if body is None:
        raise CommandError(NO_SUCH_KEY)
    return body


def _facts(resp: int, **facts: bytes) -> bytes:
    """A map of names, in which `_` stands for `-`, to encoded replies."""
    return mapping([(bulk(name.replace("_", "-").encode()), fact) for name, fact in facts.items()], resp)


def _optional(number: int | None, resp: int) -> bytes:
    return NULL[resp] if number is None else integer(number)


def xinfo_stream(ks: Keyspace, args: list[bytes]) -> bytes:
    """XINFO STREAM key [FULL [COUNT count]]."""
    body = _body(ks, args[2])
    count = _full_option(args)
    nodes = -(-len(body) // _NODE)
    facts = {
        "length": integer(len(body)),
        "radix_tree_keys": integer(nodes),
        "radix_tree_nodes": integer(nodes + 1),
        "last_generated_id": bulk(spelled(body.last_id)),
        "max_deleted_entry_id": bulk(spelled(body.max_deleted_id)),
        "entries_added": integer(body.added),
        "recorded_first_entry_id": bulk(spelled(body.first_id)),
    }
    if count is None:
        facts["groups"] = integer(len(body.groups))
        for name, entry_id in (("first_entry", body.first_id), ("last_entry", body.top_id)):
            fields = body.entries.get(entry_id)
            facts[name] = NULL[ks.resp] if fields is None else entry_reply(entry_id, fields)
        return _facts(ks.resp, **facts)
    most = count or None
    facts["entries"] = entries_reply(body, islice(body.entries.irange(), most))
    facts["groups"] = array(
        [_full_group(body, name, group, most, ks.resp) for name, group in sorted(body.groups.items())]
    )
    return _facts(ks.resp, **facts)


def _full_option(args: list[bytes]) -> int | None:
    """How many of everything FULL shall show (0: all); None without FULL."""
    if len(args) == 3:
        return None
    if len(args) not in (4, 6) or args[3].upper() != b"FULL":
        raise wrong_subcommand(args)
    if len(args) == 4:
        return _FULL_COUNT
    if args[4].upper() != b"COUNT":
        raise wrong_subcommand(args)
    count = integer_argument(args[5])
    return _FULL_COUNT if count < 0 else count


def _full_group(body: StreamBody, name: bytes, group: Group, most: int | None, resp: int) -> bytes:
    pending = [
        array([bulk(spelled(entry_id)), bulk(consumer), integer(time_ms), integer(count)])
        for entry_id, (consumer, time_ms, count) in islice(group.pending.items(), most)
    ]
    consumers = [
        _full_consumer(group, consumer, most, resp) for _, consumer in sorted(group.consumers.items())
    ]
    return _facts(
        resp,
        name=bulk(name),
        last_delivered_id=bulk(spelled(group.last_id)),
        entries_read=_optional(group.entries_read, resp),
        lag=_optional(lag(body, group), resp),
        pel_count=integer(len(group.pending)),
        pending=array(pending),
        consumers=array(consumers),
    )


def _full_consumer(group: Group, consumer: Consumer, most: int | None, resp: int) -> bytes:
    pending = []
    for entry_id in islice(consumer.pending, most):
        _, time_ms, count = group.pending[entry_id]
        pending.append(array([bulk(spelled(entry_id)), integer(time_ms), integer(count)]))
    return _facts(
        resp,
        name=bulk(consumer.name),
        seen_time=integer(consumer.seen_ms),
        active_time=MINUS_ONE if consumer.active_ms is None else integer(consumer.active_ms),
        pel_count=integer(len(consumer.pending)),
        pending=array(pending),
    )


def xinfo_groups(ks: Keyspace, args: list[bytes]) -> bytes:
    """XINFO GROUPS key."""
    body = _body(ks, args[2])
    return array(
        [
            _facts(
                ks.resp,
                name=bulk(name),
                consumers=integer(len(group.consumers)),
                pending=integer(len(group.pending)),
                last_delivered_id=bulk(spelled(group.last_id)),
                entries_read=_optional(group.entries_read, ks.resp),
                lag=_optional(lag(body, group), ks.resp),
            )
            for name, group in sorted(body.groups.items())
        ]
    )


def xinfo_consumers(ks: Keyspace, args: list[bytes]) -> bytes:
    """XINFO CONSUMERS key group."""
    group = _body(ks, args[2]).groups.get(args[3])
    if group is None:
        raise no_such_group(args[2], args[3])
    return array([_consumer(consumer, ks) for _, consumer in sorted(group.consumers.items())])


def _consumer(consumer: Consumer, ks: Keyspace) -> bytes:
    inactive = MINUS_ONE if consumer.active_ms is None else integer(ks.now_ms - consumer.active_ms)
    return _facts(
        ks.resp,
        name=bulk(consumer.name),
        pending=integer(len(consumer.pending)),
        idle=integer(max(ks.now_ms - consumer.seen_ms, 0)),
        inactive=inactive,
    )
