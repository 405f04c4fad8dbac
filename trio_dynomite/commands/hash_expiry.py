"""When fields of a hash expire: HEXPIRE and its kind, HTTL and its kind, HPERSIST.

As with keys, a deadline is an absolute moment (https://valkey.io/topics/hash-field-expiration). Each answers
an array with a number for each field. A field that is named twice meets the second time what was done to it
the first time, but the hash is changed once, at the end.
"""

from trio_dynomite.commands.events import removed
from trio_dynomite.commands.expiry import conditions, conditions_hold, time_reply
from trio_dynomite.commands.hash_options import fields_at, named_fields, only_fields
from trio_dynomite.commands.options import deadline_ms
from trio_dynomite.commands.refusals import SYNTAX
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.protocol.replies import MINUS_ONE, MINUS_TWO, ONE, ZERO, array, integer

_REMOVED = integer(2)


def hexpire(ks: Keyspace, args: list[bytes]) -> bytes:
    """HEXPIRE key seconds [NX | XX | GT | LT] FIELDS number field [field ...]."""
    return _expire(ks, args, b"EX", "hexpire")


def hpexpire(ks: Keyspace, args: list[bytes]) -> bytes:
    """HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS number field [field ...]."""
    return _expire(ks, args, b"PX", "hpexpire")


def hexpireat(ks: Keyspace, args: list[bytes]) -> bytes:
    """HEXPIREAT key unix-time-seconds [NX | XX | GT | LT] FIELDS number field [field ...]."""
    return _expire(ks, args, b"EXAT", "hexpireat")


def hpexpireat(ks: Keyspace, args: list[bytes]) -> bytes:
    """HPEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] FIELDS number field [field ...]."""
    return _expire(ks, args, b"PXAT", "hpexpireat")


def _expire(ks: Keyspace, args: list[bytes], unit: bytes, name: str) -> bytes:
    at = fields_at(args, 3)
    words = conditions(args[3:at])
    fields = named_fields(args, at)
    when_ms = deadline_ms(unit, args[2], ks.now_ms, name, least=0)
    return array(_move(ks, args[1], fields, words, when_ms))


def _move(ks: Keyspace, key: bytes, fields: list[bytes], words: set[bytes], when_ms: int) -> list[bytes]:
    view = ks.hash_at(key)
    is_past = when_ms <= ks.now_ms
    moved: dict[bytes, None] = {}
    replies = []
    for field in fields:
        if field not in view or (is_past and field in moved):
            replies.append(MINUS_TWO)
        elif not conditions_hold(words, when_ms, when_ms if field in moved else view.deadline(field)):
            replies.append(ZERO)
        else:
            moved[field] = None
            replies.append(_REMOVED if is_past else ONE)
    if moved:
        view.expire(list(moved), when_ms)
        _tell_moved(ks, key, is_past=is_past)
    return replies


def _tell_moved(ks: Keyspace, key: bytes, *, is_past: bool) -> None:
    if not ks.wants_events:
        return
    if is_past:
        removed(ks, "hexpired", key)
    else:
        ks.event("hexpire", key)


def httl(ks: Keyspace, args: list[bytes]) -> bytes:
    """HTTL key FIELDS number field [field ...]: seconds left, to the nearest; -1: for ever; -2: no field."""
    return _times(ks, args, origin_ms=ks.now_ms, unit_ms=1000)


def hpttl(ks: Keyspace, args: list[bytes]) -> bytes:
    """HPTTL key FIELDS number field [field ...]: milliseconds left, or as HTTL."""
    return _times(ks, args, origin_ms=ks.now_ms, unit_ms=1)


def hexpiretime(ks: Keyspace, args: list[bytes]) -> bytes:
    """HEXPIRETIME key FIELDS number field [field ...]: the deadlines in Unix seconds, or as HTTL."""
    return _times(ks, args, origin_ms=0, unit_ms=1000)


def hpexpiretime(ks: Keyspace, args: list[bytes]) -> bytes:
    """HPEXPIRETIME key FIELDS number field [field ...]: the deadlines in Unix milliseconds, or as HTTL."""
    return _times(ks, args, origin_ms=0, unit_ms=1)


def _times(ks: Keyspace, args: list[bytes], *, origin_ms: int, unit_ms: int) -> bytes:
    fields = only_fields(args, refusal=SYNTAX)
    view = ks.hash_at(args[1])
    return array(
        [
            time_reply(view.deadline(field), origin_ms=origin_ms, unit_ms=unit_ms)
            if field in view
            else MINUS_TWO
            for field in fields
        ]
    )


def hpersist(ks: Keyspace, args: list[bytes]) -> bytes:
    """HPERSIST key FIELDS number field [field ...]: 1: has no deadline now; -1: had none; -2: no field."""
    fields = only_fields(args)
    view = ks.hash_at(args[1])
    freed: dict[bytes, None] = {}
    replies = []
    for field in fields:
        if field not in view:
            replies.append(MINUS_TWO)
        elif field in freed or not view.deadline(field):
            replies.append(MINUS_ONE)
        else:
            freed[field] = None
            replies.append(ONE)
    if freed:
        view.expire(list(freed), 0)
        if ks.wants_events:
            ks.event("hpersist", args[1])
    return array(replies)
