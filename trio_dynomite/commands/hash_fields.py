"""HSETEX, HGETEX and HGETDEL: named fields read or written, and what becomes of them, in one command."""

from trio_dynomite.commands.events import removed
from trio_dynomite.commands.hash_options import fields_at, named_fields, only_fields
from trio_dynomite.commands.hashes import values_reply
from trio_dynomite.commands.options import GETEX_WORDS, HSETEX_WORDS, parse_options
from trio_dynomite.commands.record import Hash
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.protocol.replies import ONE, ZERO


def hsetex(ks: Keyspace, args: list[bytes]) -> bytes:
    """HSETEX key [NX | XX] [FNX | FXX] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] FIELDS n field value …

    All of them are set, or none: NX and XX ask for the key, FNX and FXX for every field. 1 when they are.
    """
    at = fields_at(args, 2)
    options = parse_options(args[:at], 2, HSETEX_WORDS)
    named = named_fields(args, at, width=2)
    key = args[1]
    view = ks.hash_at(key)
    if options.condition and (len(view) == 0) != (options.condition == b"NX"):
        return ZERO
    deadline_ms = options.deadline_ms(ks.now_ms, "hsetex", least=0)
    if not _fields_fit(view, named[::2], options.field_condition):
        return ZERO
    keeps = options.lifetime == b"KEEPTTL"
    pairs = dict(zip(named[::2], named[1::2], strict=True))
    view.put(list(pairs.items()), None if keeps else deadline_ms)
    if ks.wants_events:
        _tell_set(ks, key, deadline_ms)
    return ONE


def _fields_fit(view: Hash, fields: list[bytes], condition: bytes) -> bool:
    if not condition:
        return True
    return all((field in view) == (condition == b"FXX") for field in fields)


def _tell_set(ks: Keyspace, key: bytes, deadline_ms: int) -> None:
    ks.event("hset", key)
    if deadline_ms:
        ks.event("hexpire", key)
        if deadline_ms <= ks.now_ms:
            removed(ks, "hexpired", key)


def hgetex(ks: Keyspace, args: list[bytes]) -> bytes:
    """HGETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST] FIELDS number field [field ...]."""
    at = fields_at(args, 2)
    options = parse_options(args[:at], 2, GETEX_WORDS)
    fields = named_fields(args, at)
    view = ks.hash_at(args[1])
    deadline_ms = options.deadline_ms(ks.now_ms, "hgetex", least=0)
    if 0 < deadline_ms <= ks.now_ms:
        return _take(ks, args[1], fields, "hexpired")
    reply = values_reply([view.get(field) for field in fields], ks.resp)
    if options.lifetime:
        _move(ks, args[1], view, fields, deadline_ms)
    return reply


def _move(ks: Keyspace, key: bytes, view: Hash, fields: list[bytes], deadline_ms: int) -> None:
    moved = [
        field for field in dict.fromkeys(fields) if (field in view if deadline_ms else view.deadline(field))
    ]
    if moved:
        view.expire(moved, deadline_ms)
        if ks.wants_events:
            ks.event("hexpire" if deadline_ms else "hpersist", key)


def hgetdel(ks: Keyspace, args: list[bytes]) -> bytes:
    """HGETDEL key FIELDS number field [field ...]: the values of fields, which are then removed."""
    return _take(ks, args[1], only_fields(args), "hdel")


def _take(ks: Keyspace, key: bytes, fields: list[bytes], event: str) -> bytes:
    """The values of `fields`, which are then removed; of one named twice the second time null."""
    view = ks.hash_at(key)
    values = {field: view.get(field) for field in fields}
    reply = values_reply([values.pop(field, None) for field in fields], ks.resp)
    if view.remove(fields) and ks.wants_events:
        removed(ks, event, key)
    return reply
