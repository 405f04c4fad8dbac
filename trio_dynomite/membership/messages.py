"""Datagrams: what nodes gossip, and the bytes of it.

    1 byte 0xD7 | 1 byte version | 8 bytes of the cluster | MessagePack

The eight bytes are a hash of the cluster's name and its partitioner, so that what strays in from another
cluster is known at once. Every message has the same beginning: its kind, who sends it, the sender's
incarnation, and rumours: whole members, then mere statuses. Unknown trailing fields are ignored.
"""

import enum
from typing import Annotated, Any

import msgspec
import xxhash

from trio_dynomite.errors import ProtocolError
from trio_dynomite.membership.member import (
    Incarnation,
    Member,
    Status,
    Text,
    WireMember,
)
from trio_dynomite.membership.suspicion import ACCUSERS_MAX

VERSION = 1
DATAGRAM_MAX = 60_000
"""Longest datagram that is looked at."""
DIGEST_BYTES = 8
HASH_MAX = (1 << 64) - 1
_MAGIC = 0xD7
_HEAD = 10

Address = tuple[str, int]
"""Host and port of a datagram."""


class Kind(enum.IntEnum):
    """What a datagram says, besides its rumours."""

    PING = 1  # [number, name]: are you there, and are you `name`?
    ACK = 2  # [number]
    NACK = 3  # [number]: I asked for you and got no answer
    ASK = 4  # [number, name]: ping `name` for me
    TELL = 5  # []: only rumours
    COMPARE = 6  # [digests]: of all I know, 8 bytes for each equal part of the names' hashes
    PAGE = 7  # [first, last, [[member, age]…], is answer]: all I know in these hashes


class ForeignError(ProtocolError):
    """A datagram of another cluster, or no gossip at all."""


class Told(msgspec.Struct, array_like=True, frozen=True):
    """A member's status without the member."""

    name: Text
    incarnation: Incarnation
    status: Status
    accusers: Annotated[tuple[Text, ...], msgspec.Meta(max_length=ACCUSERS_MAX)] = ()


_Number = Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]
_Hash = Annotated[bytes, msgspec.Meta(min_length=8, max_length=8)]
_Age = Annotated[float, msgspec.Meta(ge=0)]


class Message(msgspec.Struct, array_like=True, frozen=True):
    """What every datagram begins with."""

    sender: Text
    incarnation: Incarnation
    members: tuple[WireMember, ...]
    told: tuple[Told, ...]


class Ping(Message, array_like=True, frozen=True, tag=int(Kind.PING)):
    """Are you there?"""

    number: _Number
    name: Annotated[str, msgspec.Meta(max_length=255)]
    """Who is meant; "" for whoever it is."""


class Ack(Message, array_like=True, frozen=True, tag=int(Kind.ACK)):
    """Here, or who you asked for is."""

    number: _Number


class Nack(Message, array_like=True, frozen=True, tag=int(Kind.NACK)):
    """Who you asked for has not answered me yet."""

    number: _Number


class Ask(Message, array_like=True, frozen=True, tag=int(Kind.ASK)):
    """Ping this one for me."""

    number: _Number
    name: Text


class Tell(Message, array_like=True, frozen=True, tag=int(Kind.TELL)):
    """Only rumours."""


class Compare(Message, array_like=True, frozen=True, tag=int(Kind.COMPARE)):
    """Digests of all that the sender knows."""

    digests: Annotated[bytes, msgspec.Meta(min_length=DIGEST_BYTES, max_length=DIGEST_BYTES * 4096)]


class Page(Message, array_like=True, frozen=True, tag=int(Kind.PAGE)):
    """All that the sender knows with hashes from `first` to `last`; an answer: what it knows better."""

    first: _Hash
    last: _Hash
    entries: tuple[tuple[WireMember, _Age], ...]
    is_answer: bool


AnyMessage = Ping | Ack | Nack | Ask | Tell | Compare | Page

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[AnyMessage] = msgspec.msgpack.Decoder(AnyMessage)


def cluster_head(cluster: str, fingerprint: str) -> bytes:
    """How every datagram of this cluster begins; `fingerprint` is the partitioner's."""
    hashed = xxhash.xxh64_digest(f"{cluster}\0{fingerprint}".encode())
    return bytes([_MAGIC, VERSION]) + bytes(hashed)


def encode_told(member: Member, accusers: tuple[str, ...]) -> bytes:
    """A rumour of a member's status."""
    return _encoder.encode((member.name, member.incarnation, member.status, accusers))


def encode(
    head: bytes, kind: Kind, me: Member, members: list[bytes], told: list[bytes], fields: tuple[Any, ...]
) -> bytes:
    """A whole datagram; the rumours are encoded already."""
    raw = msgspec.Raw
    rumours = ([raw(data) for data in members], [raw(data) for data in told])
    return head + _encoder.encode((kind, me.name, me.incarnation, *rumours, *fields))


def decode(head: bytes, data: bytes) -> AnyMessage:
    """The message in a datagram. Raises ForeignError, ProtocolError."""
    if data[:_HEAD] != head:
        raise ForeignError("not of this cluster")
    if len(data) > DATAGRAM_MAX:
        raise ProtocolError(f"a datagram of {len(data)} bytes")
    try:
        return _decoder.decode(memoryview(data)[_HEAD:])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"not gossip: {error}") from None


def place(name: str) -> int:
    """Where a name stands when all are compared: its hash."""
    return int(xxhash.xxh64_intdigest(name.encode()))
