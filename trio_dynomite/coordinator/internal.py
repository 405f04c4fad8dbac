"""Commands that only nodes give each other: rows that no client finds, routed and served like any other.

They make what concerns several keys out of what concerns one: the version of a key (WATCH), its whole record
(commands whose keys live apart), a transaction.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from trio_dynomite.commands.memcached_rows import MEMCACHED_ROWS
from trio_dynomite.commands.row import Row, Spread
from trio_dynomite.commands.table import find
from trio_dynomite.data.effect import pack_record
from trio_dynomite.data.record import DIGEST_MASK, digest, is_live, newest
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import NULL_ARRAY, OK, array, bulk, error, integer

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


def version(ks: Any, key: bytes) -> int:
    """A number that changes whenever `key` does, odd while it is there.

    Of an absent key it tells when it went: one that came and went again has changed. It is 0 where that is
    not remembered any more: the key went before a flush, or the tombstone was collected."""
    store = ks.store
    slot = store.slot_of(key)
    record = store.get(slot, key)
    if is_live(record, ks.now_ms):
        return int(digest(record) << 1 & DIGEST_MASK | 1)
    stamp = newest(record)
    return int(stamp << 1 & DIGEST_MASK) if stamp > store.bars[slot] else 0


def has_changed(ks: Any, key: bytes, seen: int) -> bool:
    """Has `key`, since it had the version `seen`? What was absent, and only forgotten since, has not."""
    now = version(ks, key)
    return now != seen and (now != 0 or seen & 1 == 1)


def _versions(ks: Any, args: list[bytes]) -> bytes:
    return array([integer(version(ks, key)) for key in args[1:]])


def _records(ks: Any, args: list[bytes]) -> bytes:
    store = ks.store
    return bulk(_encode([pack_record(store.get(store.slot_of(key), key)) for key in args[1:]]))


def _probe(ks: Any, args: list[bytes]) -> bytes:
    return OK


def _as_user(ks: Any, args: list[bytes]) -> bytes:
    """A request of a user who may not do everything: a script that it runs is held to that."""
    ks.user = args[1]
    try:
        return _run(ks, args[2:])
    finally:
        ks.user = b""


def _keys_as_user(args: list[bytes]) -> list[bytes]:
    row = find(args[2:])
    return [] if row is None else row.keys(args[2:])


def pack_transaction(watched: list[tuple[bytes, int]], commands: list[bytes | list[bytes]]) -> bytes:
    """A transaction as the argument of its row: what is watched, then requests, or replies known already."""
    return _encode([watched, commands])


def _transaction(ks: Any, args: list[bytes]) -> bytes:
    """Run all commands in one step, unless a watched key has changed."""
    watched, commands = _decode(args[1])
    if any(has_changed(ks, key, seen) for key, seen in watched):
        return NULL_ARRAY[ks.resp]
    return array([entry if isinstance(entry, bytes) else _run(ks, entry) for entry in commands])


def may_grow(args: list[bytes]) -> bool:
    """Is a command in this packed transaction that may take more memory?"""
    rows = [find(entry) for entry in _decode(args[1])[1] if isinstance(entry, list)]
    return any("denyoom" in row.flags for row in rows if row is not None)


def _run(ks: Any, args: list[bytes]) -> bytes:
    row = INTERNAL.get(args[0]) or find(args)
    if row is None or row.handler is None:
        return error("ERR this command cannot run in a transaction here")
    try:
        return row.handler(ks, args)
    except CommandError as refusal:
        return error(str(refusal))


def _row(name: str, flags: str, handler: Any, **more: Any) -> Row:
    return Row(
        name=name,
        arity=-2,
        flags=frozenset(flags.split()),  # type: ignore[arg-type]  # mypy knows no generic converter
        handler=handler,
        **more,
    )


VERSIONS = _row("\0versions", "write", _versions, first=1, last=-1, spread=Spread.GATHER)
"""Of each key its version at its primary."""
RECORDS = _row("\0records", "readonly", _records, first=1, last=-1)
"""All that is known of some keys."""
OWNED = _row("\0owned", "write", _records, first=1, last=-1)
"""As RECORDS, at the keys' primary."""
PROBE = _row("\0probe", "readonly", _probe, first=1, last=-1)
"""Nothing; at a quorum level this node's copy of the keys is right when it answers."""
TRANSACTION = _row("\0transaction", "write", _transaction, keys_of=lambda args: args[2:])
"""Arguments: the packed transaction, and every key of it."""
AS = _row("\0as", "write", _as_user, keys_of=_keys_as_user)
"""Arguments: a user's name, then its request, which runs a script."""

INTERNAL: Mapping[bytes, Row] = MappingProxyType(
    {row.name.encode(): row for row in (VERSIONS, RECORDS, OWNED, PROBE, TRANSACTION, AS, *MEMCACHED_ROWS)}
)


def unpack(reply: bytes) -> Any:
    """The value in an encoded bulk string of MessagePack."""
    return _decode(reply[reply.index(b"\n") + 1 : -2])
