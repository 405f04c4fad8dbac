"""What stands in a payload of each type code, as plain Python values; all but streams (`rdb_stream.py`).

Read are the codes of every version from Redis 2.6 to 7.4 and Valkey 9. Written is of each type the plainest,
a count and the elements, which is also the oldest; a hash whose fields expire needs Valkey 9's own.
"""

import struct
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from trio_dynomite.commands import rdb_listpack
from trio_dynomite.commands.numeric import INT64_MAX, parse_int64
from trio_dynomite.commands.rdb import BAD_FORMAT, Reader, length_bytes, require, string_bytes
from trio_dynomite.commands.rdb_stream import STREAM, StreamForm, read_stream
from trio_dynomite.commands.rdb_ziplist import unpack_intset, unpack_ziplist, unpack_zipmap
from trio_dynomite.commands.record import Hash, List, Scored, Set, SortedSet
from trio_dynomite.commands.scores import score_argument
from trio_dynomite.errors import CommandError

Loaded: TypeAlias = tuple[str, Any]
"""A type as TYPE names it, and: bytes; a list of bytes (list, set); of `Scored` (zset); of `Timed` (hash); a
`StreamBody`."""
Timed: TypeAlias = tuple[bytes, bytes, int]
"""A field, its value, and when it expires in Unix milliseconds; 0: never."""

STRING, LIST, SET, HASH, ZSET_2, HASH_2 = 0, 1, 2, 4, 5, 22
VERSIONS: Mapping[int, int] = {STRING: 6, LIST: 6, SET: 6, HASH: 6, ZSET_2: 8, STREAM: 10, HASH_2: 80}
"""Of the codes that we write the RDB version that first had them: who reads it reads the payload."""

_DOUBLE = struct.Struct("<d")
_WORDS = {253: b"nan", 254: b"inf", 255: b"-inf"}
_PLAIN_NODE = 1
_PACKED_NODE = 2
_NEVER = -1


def load(code: int, reader: Reader) -> Loaded:
    """The value of type `code` that stands next in `reader`. Raises CommandError at what is damaged."""
    require(code in _LOADERS)
    kind, read = _LOADERS[code]
    value = read(reader)
    require(value or kind in ("string", "stream"))
    return kind, value


def dump_list(elements: List) -> tuple[int, bytes]:
    """The type code and the bytes of a list."""
    return LIST, _counted(len(elements), map(string_bytes, elements))


def dump_set(members: Set) -> tuple[int, bytes]:
    """The type code and the bytes of a set."""
    return SET, _counted(len(members), map(string_bytes, members))


def dump_sorted_set(members: SortedSet) -> tuple[int, bytes]:
    """The type code and the bytes of a sorted set, the highest member first: so Redis fills it fastest."""
    size = len(members)
    pairs = members.slice(0, size, reverse=True)
    return ZSET_2, _counted(size, [string_bytes(member) + _DOUBLE.pack(score) for member, score in pairs])


def dump_hash(fields: Hash) -> tuple[int, bytes]:
    """The type code and the bytes of a hash."""
    pairs = list(fields.items())
    deadlines = [fields.deadline(field) for field, _ in pairs]
    if not any(deadlines):
        return HASH, _counted(len(pairs), [string_bytes(piece) for pair in pairs for piece in pair])
    pieces = [
        b"".join(
            (string_bytes(field), string_bytes(value), (at or _NEVER).to_bytes(8, "little", signed=True))
        )
        for (field, value), at in zip(pairs, deadlines, strict=True)
    ]
    return HASH_2, _counted(len(pairs), pieces)


def _counted(count: int, pieces: Iterable[bytes]) -> bytes:
    return length_bytes(count) + b"".join(pieces)


def _strings(reader: Reader) -> list[bytes]:
    return [reader.string() for _ in range(_count(reader))]


def _count(reader: Reader) -> int:
    """A number of elements, each of which takes a byte at least."""
    count = reader.length()
    require(count <= len(reader.data) - reader.at)
    return count


def _different(members: list[bytes]) -> list[bytes]:
    require(len(set(members)) == len(members))
    return members


def _timed(pairs: Iterable[Timed]) -> list[Timed]:
    found = list(pairs)
    _different([field for field, _, _ in found])
    return found


def _scored(pairs: Iterable[Scored]) -> list[Scored]:
    found = [(member, score + 0.0) for member, score in pairs]
    _different([member for member, _ in found])
    require(all(score == score for _, score in found))
    return found


def _in_pairs(elements: list[bytes]) -> Iterable[tuple[bytes, bytes]]:
    require(len(elements) % 2 == 0)
    return zip(elements[::2], elements[1::2], strict=True)


def _text_score(text: bytes) -> float:
    return score_argument(text, BAD_FORMAT)


def _zset(reader: Reader) -> list[Scored]:
    return _scored([(reader.string(), _old_double(reader)) for _ in range(_count(reader))])


def _old_double(reader: Reader) -> float:
    size = reader.number(1)
    return _text_score(_WORDS[size] if size in _WORDS else reader.take(size))


def _zset_2(reader: Reader) -> list[Scored]:
    return _scored([(reader.string(), _double(reader)) for _ in range(_count(reader))])


def _double(reader: Reader) -> float:
    score: float = _DOUBLE.unpack(reader.take(_DOUBLE.size))[0]
    return score


def _hash(reader: Reader) -> list[Timed]:
    return _timed([(reader.string(), reader.string(), 0) for _ in range(_count(reader))])


def _hash_2(reader: Reader) -> list[Timed]:
    """Valkey 9: behind each value stands when its field expires, or -1."""
    return _timed([(reader.string(), reader.string(), _deadline(reader)) for _ in range(_count(reader))])


def _deadline(reader: Reader) -> int:
    at = reader.number(8, signed=True)
    require(at >= _NEVER)
    return 0 if at == _NEVER else max(at, 1)


def _hash_metadata(reader: Reader) -> list[Timed]:
    """Redis 7.4: before each field stands its deadline as 1 + what it is after the first one, or 0."""
    first = reader.number(8, signed=True)
    found = []
    for _ in range(_count(reader)):
        after = reader.length()
        at = first + after - 1 if after else 0
        require(0 <= at <= INT64_MAX)
        found.append((reader.string(), reader.string(), at))
    return _timed(found)


def _hash_listpack_ex(reader: Reader) -> list[Timed]:
    """Redis 7.4, small: after the first deadline a listpack of fields, values and deadlines."""
    reader.take(8)
    elements = rdb_listpack.unpack(reader.string())
    require(len(elements) % 3 == 0)
    return _timed(zip(elements[::3], elements[1::3], map(_text_deadline, elements[2::3]), strict=True))


def _text_deadline(text: bytes) -> int:
    at = parse_int64(text)
    if at is None or at < 0:
        raise CommandError(BAD_FORMAT)
    return at


def _hash_of(unpack: Callable[[bytes], list[bytes]]) -> Callable[[Reader], list[Timed]]:
    return lambda reader: _timed((*pair, 0) for pair in _in_pairs(unpack(reader.string())))


def _zset_of(unpack: Callable[[bytes], list[bytes]]) -> Callable[[Reader], list[Scored]]:
    return lambda reader: _scored(
        (member, _text_score(score)) for member, score in _in_pairs(unpack(reader.string()))
    )


def _quicklist(reader: Reader) -> list[bytes]:
    """Redis 3.2 to 6.2: a list of ziplists."""
    return [element for node in _strings(reader) for element in unpack_ziplist(node)]


def _quicklist_2(reader: Reader) -> list[bytes]:
    """Redis 7: a list of listpacks, and of single elements that are too long for those."""
    found: list[bytes] = []
    for _ in range(_count(reader)):
        container, node = reader.length(), reader.string()
        require(container in (_PLAIN_NODE, _PACKED_NODE))
        found += [node] if container == _PLAIN_NODE else rdb_listpack.unpack(node)
    return found


_LOADERS: Mapping[int, tuple[str, Callable[[Reader], Any]]] = MappingProxyType(
    {
        STRING: ("string", Reader.string),
        LIST: ("list", _strings),
        SET: ("set", lambda reader: _different(_strings(reader))),
        3: ("zset", _zset),
        HASH: ("hash", _hash),
        ZSET_2: ("zset", _zset_2),
        9: ("hash", _hash_of(unpack_zipmap)),
        10: ("list", lambda reader: unpack_ziplist(reader.string())),
        11: ("set", lambda reader: _different(unpack_intset(reader.string()))),
        12: ("zset", _zset_of(unpack_ziplist)),
        13: ("hash", _hash_of(unpack_ziplist)),
        14: ("list", _quicklist),
        15: ("stream", lambda reader: read_stream(reader, StreamForm.REDIS_5)),
        16: ("hash", _hash_of(rdb_listpack.unpack)),
        17: ("zset", _zset_of(rdb_listpack.unpack)),
        18: ("list", _quicklist_2),
        STREAM: ("stream", lambda reader: read_stream(reader, StreamForm.REDIS_7)),
        20: ("set", lambda reader: _different(rdb_listpack.unpack(reader.string()))),
        21: ("stream", lambda reader: read_stream(reader, StreamForm.REDIS_7_2)),
        HASH_2: ("hash", _hash_2),
        24: ("hash", _hash_metadata),
        25: ("hash", _hash_listpack_ex),
    }
)
