"""XDELEX and XACKDEL of Redis 8.2 and Valkey 9.2: deleting entries with a word about their groups.

KEEPREF leaves what is pending in groups as it is, DELREF takes it away as well, and ACKED deletes an entry
only when no group needs it any more: none has it pending, and none has still to read it.
https://redis.io/docs/latest/commands/xdelex/
"""

from collections.abc import Iterable

from attrs import define, field

from trio_dynomite.commands.numeric import parse_int64
from trio_dynomite.commands.record import Stream
from trio_dynomite.commands.refusals import SYNTAX
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.commands.stream_ids import id_arguments
from trio_dynomite.data.entry_id import encode
from trio_dynomite.data.stream import StreamBody
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import MINUS_ONE, ONE, array, integer

_POLICIES = (b"KEEPREF", b"DELREF", b"ACKED")
_KEPT = integer(2)
"""There is such an entry, and a group needs it."""


@define
class _Deletion:
    """What is found out before anything is changed."""

    replies: list[bytes] = field(factory=list)
    entries: dict[int, None] = field(factory=dict)
    """The ids of entries to delete."""
    acknowledged: dict[bytes, dict[int, None]] = field(factory=dict)
    """Group → ids that are pending in it no longer."""

    def is_pending(self, body: StreamBody, name: bytes, entry_id: int) -> bool:
        """Will it be pending in this group?"""
        return entry_id in body.groups[name].pending and entry_id not in self.acknowledged.get(name, ())

    def acknowledge(self, names: Iterable[bytes], body: StreamBody, entry_id: int) -> None:
        """It is pending in these groups no longer."""
        for name in names:
            if entry_id in body.groups[name].pending:
                self.acknowledged.setdefault(name, {})[entry_id] = None

    def settle(self, body: StreamBody, entry_id: int, policy: bytes) -> bool:
        """Note the entry's end, if the policy lets it end."""
        if policy == b"ACKED" and any(
            self.is_pending(body, name, entry_id) or group.last_id < entry_id
            for name, group in body.groups.items()
        ):
            return False
        if policy == b"DELREF":
            self.acknowledge(body.groups, body, entry_id)
        if entry_id in body.entries:
            self.entries[entry_id] = None
        return True


def _arguments(rest: list[bytes]) -> tuple[bytes, list[int]]:
    """(policy, ids) of `[KEEPREF | DELREF | ACKED] IDS numids id [id ...]`."""
    policy, ids = b"", None
    while rest:
        word = rest[0].upper()
        if word in _POLICIES and not policy:
            policy, rest = word, rest[1:]
        elif word == b"IDS" and len(rest) > 1 and ids is None:
            number = parse_int64(rest[1])
            if number is None or number < 1:
                raise CommandError("ERR Number of IDs must be a positive integer")
            if number > len(rest) - 2:
                raise CommandError("ERR The `numids` parameter must match the number of arguments")
            ids, rest = rest[2 : 2 + number], rest[2 + number :]
        else:
            raise CommandError(SYNTAX)
    if ids is None:
        raise CommandError("ERR IDS option is required")
    return policy or b"KEEPREF", id_arguments(ids)


def xdelex(ks: Keyspace, args: list[bytes]) -> bytes:
    """XDELEX key [KEEPREF | DELREF | ACKED] IDS numids id [id ...]: of each id -1 (there is no such entry),
    1 (it is deleted) or 2 (a group needs it)."""
    policy, ids = _arguments(args[2:])
    stream = ks.stream_at(args[1])
    body = stream.body
    if body is None:
        return array([MINUS_ONE] * len(ids))
    deletion = _Deletion()
    for entry_id in ids:
        is_there = entry_id in body.entries and entry_id not in deletion.entries
        # DELREF removes references to what is gone, too.
        ends = (is_there or policy == b"DELREF") and deletion.settle(body, entry_id, policy)
        deletion.replies.append((ONE if ends else _KEPT) if is_there else MINUS_ONE)
    _carry_out(ks, stream, args[1], deletion)
    return array(deletion.replies)


def xackdel(ks: Keyspace, args: list[bytes]) -> bytes:
    """XACKDEL key group [KEEPREF | DELREF | ACKED] IDS numids id [id ...]: of each id -1 (it is not pending
    in the group), 1 (acknowledged, and deleted) or 2 (acknowledged, and another group needs it)."""
    policy, ids = _arguments(args[3:])
    stream, name = ks.stream_at(args[1]), args[2]
    body = stream.body
    if body is None or name not in body.groups:
        return array([MINUS_ONE] * len(ids))
    deletion = _Deletion()
    for entry_id in ids:
        if deletion.is_pending(body, name, entry_id):
            deletion.acknowledge([name], body, entry_id)
            deletion.replies.append(ONE if deletion.settle(body, entry_id, policy) else _KEPT)
        else:
            deletion.replies.append(MINUS_ONE)
    _carry_out(ks, stream, args[1], deletion)
    return array(deletion.replies)


def _carry_out(ks: Keyspace, stream: Stream, key: bytes, deletion: _Deletion) -> None:
    for name, ids in deletion.acknowledged.items():
        stream.change(b"ack", name, [encode(entry_id) for entry_id in ids])
    if deletion.entries:
        stream.change(b"delete", [encode(entry_id) for entry_id in deletion.entries])
        if ks.wants_events:
            ks.event("xdel", key)
