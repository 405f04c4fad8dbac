"""DUMP and RESTORE: a value as Redis serialises it (https://valkey.io/commands/dump).

A payload is a type code, the value as in an RDB file, the RDB version (two bytes) and a CRC-64 of all before
it (eight bytes), both little-endian. We write the oldest version that knows what we write, so that every
server since Redis 7, and of most types since 2.6, takes what we dump; and read everything up to Valkey 9.1,
Redis 7.4 among it. A value is decoded whole before the keyspace is touched.
"""

import struct
from typing import Any

import anycrc  # type: ignore[import-untyped]
from attrs import define

from trio_dynomite.commands.numeric import INT64_MAX, integer_argument
from trio_dynomite.commands.rdb import Reader, require, string_bytes
from trio_dynomite.commands.rdb_module import module_type
from trio_dynomite.commands.rdb_stream import STREAM, operations, stream_bytes
from trio_dynomite.commands.rdb_types import (
    HASH_2,
    STRING,
    VERSIONS,
    Loaded,
    dump_hash,
    dump_list,
    dump_set,
    dump_sorted_set,
    load,
)
from trio_dynomite.commands.refusals import SYNTAX
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import NULL, OK, bulk

_CRC64 = anycrc.Model("CRC64-REDIS")
_VERSION_MAX = 80
_REDIS_VERSIONS = range(12, 80)
"""Versions of Redis since 7.4, where a code may mean something else than in Valkey."""
_FOOTER = struct.Struct("<HQ")

_BAD_FOOTER = "ERR DUMP payload version or checksum are wrong"
_BUSY_KEY = "BUSYKEY Target key name already exists."
_BAD_TTL = "ERR Invalid TTL value, must be >= 0"
_BAD_IDLETIME = "ERR Invalid IDLETIME value, must be >= 0"
_BAD_FREQ = "ERR Invalid FREQ value, must be >= 0 and <= 255"


@define
class _Options:
    replace: bool = False
    absolute: bool = False
    idle_or_frequency: bytes = b""


def dump(ks: Keyspace, args: list[bytes]) -> bytes:
    """DUMP key."""
    key = args[1]
    match ks.kind(key):
        case "string":
            return bulk(encode(STRING, string_bytes(ks.get(key) or b"")))
        case "hash":
            return bulk(encode(*dump_hash(ks.hash_at(key))))
        case "list":
            return bulk(encode(*dump_list(ks.list_at(key))))
        case "set":
            return bulk(encode(*dump_set(ks.set_at(key))))
        case "zset":
            return bulk(encode(*dump_sorted_set(ks.sorted_set_at(key))))
        case "stream":
            return bulk(encode(STREAM, stream_bytes(ks.stream_at(key).body)))
    payload = ks.opaque(key)
    if payload is not None:
        return bulk(payload)
    return NULL[ks.resp]


def restore(ks: Keyspace, args: list[bytes]) -> bytes:
    """RESTORE key ttl payload [REPLACE] [ABSTTL] [IDLETIME s] [FREQ n]; the last two change nothing here."""
    key = args[1]
    options = _parse_options(args[4:])
    if not options.replace and ks.kind(key) is not None:
        raise CommandError(_BUSY_KEY)
    ttl_ms = integer_argument(args[2])
    base_ms = ks.now_ms if ttl_ms and not options.absolute else 0
    if not 0 <= ttl_ms <= INT64_MAX - base_ms:
        raise CommandError(_BAD_TTL)
    loaded = decode(args[3])
    deadline_ms = ttl_ms + base_ms
    if 0 < deadline_ms <= ks.now_ms:
        if ks.delete(key) and ks.wants_events:
            ks.event("del", key)
        return OK
    put_loaded(ks, key, loaded, deadline_ms)
    if ks.wants_events:
        ks.event("restore", key)
    return OK


def put_loaded(ks: Keyspace, key: bytes, loaded: Loaded, deadline_ms: int) -> None:
    """Make `key` hold what was loaded."""
    kind, value = loaded
    if kind == "string":
        ks.put(key, value, deadline_ms)
        return
    ks.delete(key)
    match kind:
        case "hash":
            _write_hash(ks, key, value)
        case "list":
            ks.list_at(key).push(value, left=False)
        case "set":
            ks.set_at(key).add(value)
        case "zset":
            ks.sorted_set_at(key).put(value)
        case "stream":
            stream = ks.stream_at(key)
            for operation in operations(value):
                stream.change(*operation)
        case _:
            ks.put_opaque(key, kind, value, deadline_ms)
            return
    if deadline_ms and ks.kind(key) is not None:
        ks.expire(key, deadline_ms)


def _write_hash(ks: Keyspace, key: bytes, fields: list[Any]) -> None:
    by_deadline: dict[int, list[tuple[bytes, bytes]]] = {}
    for field, value, deadline_ms in fields:
        by_deadline.setdefault(deadline_ms, []).append((field, value))
    for deadline_ms, pairs in by_deadline.items():
        ks.hash_at(key).put(pairs, deadline_ms)


def encode(code: int, value: bytes) -> bytes:
    """The payload for the serialised `value` of type `code`."""
    return sealed(bytes((code,)) + value, VERSIONS[code])


def sealed(body: bytes, version: int) -> bytes:
    """`body` with the footer: the RDB version in which it is written, and the checksum."""
    body += version.to_bytes(2, "little")
    return body + _crc64(body).to_bytes(8, "little")


def decode(payload: bytes) -> Loaded:
    """The type of what is in `payload`, and the value; of a module's the whole payload.

    Raises:
        CommandError: the checksum is wrong, or the version too new, or the value is damaged or of a type that
            we do not know.
    """
    body, version = unsealed(payload)
    if (type_ := module_type(body)) is not None:
        return type_, payload
    reader = Reader(body)
    code = reader.number(1)
    require(code != HASH_2 or version not in _REDIS_VERSIONS)
    loaded = load(code, reader)
    require(reader.at == len(reader.data))
    return loaded


def unsealed(payload: bytes) -> tuple[bytes, int]:
    """The body of `payload` and its version. Raises CommandError: a wrong checksum, or too new a version."""
    if len(payload) < _FOOTER.size:
        raise CommandError(_BAD_FOOTER)
    version, checksum = _FOOTER.unpack_from(payload, len(payload) - _FOOTER.size)
    if version > _VERSION_MAX or checksum != _crc64(payload[:-8]):
        raise CommandError(_BAD_FOOTER)
    return payload[: -_FOOTER.size], version


def _crc64(data: bytes) -> int:
    return int(_CRC64.calc(data))


def _parse_options(words: list[bytes]) -> _Options:
    options = _Options()
    rest = iter(words)
    for argument in rest:
        match word := argument.upper():
            case b"REPLACE":
                options.replace = True
            case b"ABSTTL":
                options.absolute = True
            case b"IDLETIME" | b"FREQ" if options.idle_or_frequency in (b"", word):
                _check_idle_or_frequency(word, next(rest, None))
                options.idle_or_frequency = word
            case _:
                raise CommandError(SYNTAX)
    return options


def _check_idle_or_frequency(word: bytes, text: bytes | None) -> None:
    if text is None:
        raise CommandError(SYNTAX)
    number = integer_argument(text)
    if word == b"IDLETIME" and number < 0:
        raise CommandError(_BAD_IDLETIME)
    if word == b"FREQ" and not 0 <= number <= 255:
        raise CommandError(_BAD_FREQ)
