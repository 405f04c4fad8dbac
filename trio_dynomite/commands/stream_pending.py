"""What is delivered and not acknowledged: XPENDING looks at it, XCLAIM and XAUTOCLAIM hand it to another."""

from itertools import islice
from typing import Any

from attrs import define

from trio_dynomite.commands.numeric import INT64_MAX, integer_argument, parse_int64
from trio_dynomite.commands.refusals import SYNTAX, quoted
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.commands.stream_groups import find_group, see
from trio_dynomite.commands.stream_ids import end_argument, id_argument, parse_id, spelled, start_argument
from trio_dynomite.commands.streams import entries_reply
from trio_dynomite.data.entry_id import encode
from trio_dynomite.data.stream import StreamBody
from trio_dynomite.data.stream_groups import Group
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import (
    EMPTY_ARRAY,
    NULL,
    NULL_ARRAY,
    ZERO,
    array,
    bulk,
    bulk_array,
    integer,
)

_SCANNED_PER_CLAIM = 10
"""XAUTOCLAIM looks at so many pending entries for each that it may claim."""
_COUNT_MAX = INT64_MAX // 16


def xpending(ks: Keyspace, args: list[bytes]) -> bytes:
    """XPENDING key group [[IDLE min-idle-time] start end count [consumer]]."""
    if len(args) == 3:
        return _summary(ks, find_group(ks.stream_at(args[1]).body, args[1], args[2]))
    if not 6 <= len(args) <= 9:
        raise CommandError(SYNTAX)
    position, idle_ms = 3, 0
    if args[3].upper() == b"IDLE":
        position, idle_ms = 5, integer_argument(args[4])
        if len(args) < 8:
            raise CommandError(SYNTAX)
    count = max(integer_argument(args[position + 2]), 0)
    start, end = start_argument(args[position]), end_argument(args[position + 1])
    group = find_group(ks.stream_at(args[1]).body, args[1], args[2])
    ids: Any = group.pending
    if position + 3 < len(args):
        consumer = group.consumers.get(args[position + 3])
        if consumer is None:
            return EMPTY_ARRAY
        ids = consumer.pending
    chosen = ids.irange(start, end) if start <= end else ()
    replies = (
        _pending_reply(entry_id, *group.pending[entry_id], ks.now_ms)
        for entry_id in chosen
        if not idle_ms or ks.now_ms - group.pending[entry_id][1] >= idle_ms
    )
    return array(list(islice(replies, count)))


def _summary(ks: Keyspace, group: Group) -> bytes:
    """How many are pending, from which id to which, and how many for whom."""
    pending = group.pending
    if not pending:
        return array([ZERO, NULL[ks.resp], NULL[ks.resp], NULL_ARRAY[ks.resp]])
    owners = [
        bulk_array([name, b"%d" % len(consumer.pending)])
        for name, consumer in sorted(group.consumers.items())
        if consumer.pending
    ]
    first, last = pending.peekitem(0)[0], pending.peekitem(-1)[0]
    return array([integer(len(pending)), bulk(spelled(first)), bulk(spelled(last)), array(owners)])


def _pending_reply(entry_id: int, consumer: bytes, time_ms: int, count: int, now_ms: int) -> bytes:
    idle_ms = max(now_ms - time_ms, 0)
    return array([bulk(spelled(entry_id)), bulk(consumer), integer(idle_ms), integer(count)])


@define
class Claim:
    """The options of XCLAIM."""

    ids: list[int]
    now_ms: int
    time_ms: int
    """The time of delivery to note."""
    retrycount: int = -1
    """The number of deliveries to note; negative: one more than before."""
    force: bool = False
    justid: bool = False
    last_id: int = 0


def xclaim(ks: Keyspace, args: list[bytes]) -> bytes:
    """XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms] [TIME ms] [RETRYCOUNT n] [FORCE]
    [JUSTID] [LASTID id]."""
    key, name, consumer = args[1:4]
    stream = ks.stream_at(key)
    body = stream.body
    group = find_group(body, key, name)
    idle_ms = _idle(args[4], "XCLAIM")
    claim = _claim_options(args, ks.now_ms)
    taken, counts, lost = _claimable(body, group, claim, idle_ms)
    reply = _claimed_reply(body, taken, justid=claim.justid)
    if claim.last_id > group.last_id:
        stream.change(b"group", name, encode(claim.last_id), group.entries_read)
    see(ks, stream, key, name, consumer, ks.now_ms if taken else None)
    if lost:
        stream.change(b"ack", name, [encode(entry_id) for entry_id in lost])
    if counts:
        ids = [encode(entry_id) for entry_id in counts]
        stream.change(b"claim", name, consumer, ids, claim.time_ms, list(counts.values()))
    return reply


def _claimable(
    body: StreamBody, group: Group, claim: Claim, idle_ms: int
) -> tuple[list[int], dict[int, int], list[int]]:
    """(ids to answer, id → number of deliveries, ids that are pending and no longer in the stream)."""
    taken: list[int] = []
    counts: dict[int, int] = {}
    lost: dict[int, None] = {}
    for entry_id in claim.ids:
        pending = group.pending.get(entry_id)
        if entry_id not in body.entries:
            if pending is not None:
                lost[entry_id] = None
            continue
        if entry_id in counts:  # named twice: it is ours already
            pending = (b"", claim.time_ms, counts[entry_id])
        if pending is None and not claim.force:
            continue
        if pending is not None and idle_ms and claim.now_ms - pending[1] < idle_ms:
            continue
        delivered = 1 if pending is None else pending[2]
        counts[entry_id] = delivered + (not claim.justid) if claim.retrycount < 0 else claim.retrycount
        taken.append(entry_id)
    return taken, counts, list(lost)


def _claim_options(args: list[bytes], now_ms: int) -> Claim:
    position = 5
    while position < len(args) and parse_id(args[position]) is not None:
        position += 1
    claim = Claim([parse_id(text) or 0 for text in args[5:position]], now_ms, now_ms)
    rest = iter(args[position:])
    for text in rest:
        word = text.upper()
        if word == b"FORCE":
            claim.force = True
        elif word == b"JUSTID":
            claim.justid = True
        elif word not in (b"IDLE", b"TIME", b"RETRYCOUNT", b"LASTID") or (value := next(rest, None)) is None:
            raise CommandError(f"ERR Unrecognized XCLAIM option '{quoted(text, len(text))}'")
        else:
            _take_claim_option(claim, word, value)
    if not 0 <= claim.time_ms <= now_ms:
        claim.time_ms = now_ms
    return claim


def _take_claim_option(claim: Claim, word: bytes, value: bytes) -> None:
    if word == b"LASTID":
        claim.last_id = id_argument(value)
        return
    number = parse_int64(value)
    if number is None:
        raise CommandError(f"ERR Invalid {word.decode()} option argument for XCLAIM")
    if word == b"RETRYCOUNT":
        claim.retrycount = number
    else:
        claim.time_ms = number if word == b"TIME" else claim.now_ms - number


def _idle(text: bytes, command: str) -> int:
    idle_ms = parse_int64(text)
    if idle_ms is None:
        raise CommandError(f"ERR Invalid min-idle-time argument for {command}")
    return max(idle_ms, 0)


def _claimed_reply(body: StreamBody, ids: list[int], *, justid: bool) -> bytes:
    if justid:
        return bulk_array([spelled(entry_id) for entry_id in ids])
    return entries_reply(body, ids)


def xautoclaim(ks: Keyspace, args: list[bytes]) -> bytes:
    """XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]."""
    idle_ms = _idle(args[4], "XAUTOCLAIM")
    start = start_argument(args[5])
    count, justid = _autoclaim_options(args)
    key, name, consumer = args[1:4]
    stream = ks.stream_at(key)
    body = stream.body
    group = find_group(body, key, name)
    latest_ms = ks.now_ms - idle_ms if idle_ms else INT64_MAX
    taken, lost, cursor = _scan(body, group, start, count, latest_ms)
    counts = [group.pending[entry_id][2] + (not justid) for entry_id in taken]
    reply = _claimed_reply(body, taken, justid=justid)
    see(ks, stream, key, name, consumer, ks.now_ms if taken else None)
    if lost:
        stream.change(b"ack", name, [encode(entry_id) for entry_id in lost])
    if taken:
        stream.change(b"claim", name, consumer, [encode(i) for i in taken], ks.now_ms, counts)
    dead = bulk_array([spelled(entry_id) for entry_id in lost])
    return array([bulk(spelled(cursor)), reply, dead])


def _scan(
    body: StreamBody, group: Group, start: int, count: int, latest_ms: int
) -> tuple[list[int], list[int], int]:
    """(ids to claim, ids no longer in the stream, id to go on from or 0) of what is pending from `start`."""
    taken: list[int] = []
    lost: list[int] = []
    pending = group.pending
    for seen, entry_id in enumerate(pending.irange(start)):
        if seen == count * _SCANNED_PER_CLAIM or len(taken) + len(lost) == count:
            return taken, lost, entry_id
        if entry_id not in body.entries:
            lost.append(entry_id)
        elif pending[entry_id][1] <= latest_ms:
            taken.append(entry_id)
    return taken, lost, 0


def _autoclaim_options(args: list[bytes]) -> tuple[int, bool]:
    count, justid = 100, False
    rest = iter(args[6:])
    for text in rest:
        word = text.upper()
        if word == b"COUNT" and (value := next(rest, None)) is not None:
            number = parse_int64(value)
            if number is None or not 1 <= number <= _COUNT_MAX:
                raise CommandError("ERR COUNT must be > 0")
            count = number
        elif word == b"JUSTID":
            justid = True
        else:
            raise CommandError(SYNTAX)
    return count, justid
