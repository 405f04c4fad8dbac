"""A member: what gossip tells of one node, and its bytes.

Of two things told of one node the one with the higher `precedence` stands: a higher incarnation, which only
the node itself gives; of one incarnation the worse status. A node that hears ill of itself contradicts with a
higher incarnation. They begin with the wall clock, so that a restarted node supersedes its former life.
"""

import enum
from typing import Annotated

import msgspec
from attrs import astuple, frozen

from trio_dynomite.errors import ProtocolError
from trio_dynomite.model import Node, NodeState

TEXT_MAX = 255
"""Characters of a name or host that are believed."""
TOKENS_MAX = 4096
"""Tokens of one member that are believed."""


class Status(enum.IntEnum):
    """What the cluster holds of a member. Of one incarnation the higher number stands."""

    ALIVE = 0
    SUSPECT = 1
    """Somebody could not reach it; it may contradict."""
    DEAD = 2
    """It did not contradict in time."""
    LEFT = 3
    """It said that it stops."""
    FORGOTTEN = 4
    """An operator said that it never comes back: its part of the ring goes to others."""


@frozen(kw_only=True)
class Member:
    """One node, as gossip tells it. What is not its status is said by the node itself only."""

    name: str
    datacenter: str
    rack: str
    tokens: tuple[int, ...]
    host: str
    """The address that it announces."""
    client_port: int
    peer_port: int
    admin_port: int
    incarnation: int
    status: Status = Status.ALIVE
    state: NodeState = NodeState.UNKNOWN
    """Where it stands in its life, by its own word."""
    memcached_port: int = 0

    @classmethod
    def of(cls, node: Node, incarnation: int, state: NodeState = NodeState.UNKNOWN) -> "Member":
        """`node` as a member that lives."""
        return cls(
            name=node.name,
            datacenter=node.datacenter,
            rack=node.rack,
            tokens=node.tokens,
            host=node.host,
            client_port=node.client_port,
            peer_port=node.peer_port,
            admin_port=node.admin_port,
            incarnation=incarnation,
            state=state,
            memcached_port=node.memcached_port,
        )

    @property
    def node(self) -> Node:
        """The node without what changes from moment to moment."""
        return Node(
            name=self.name,
            datacenter=self.datacenter,
            rack=self.rack,
            tokens=self.tokens,
            host=self.host,
            client_port=self.client_port,
            peer_port=self.peer_port,
            admin_port=self.admin_port,
            memcached_port=self.memcached_port,
        )

    @property
    def precedence(self) -> tuple[int, int]:
        """What is told of a member replaces what has less of this."""
        return self.incarnation, self.status

    @property
    def is_here(self) -> bool:
        """Does it take part, as far as is known? A suspect does."""
        return self.status <= Status.SUSPECT


Text = Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_MAX)]
_Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
_Token = Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]
_Tokens = Annotated[tuple[_Token, ...], msgspec.Meta(max_length=TOKENS_MAX)]
Incarnation = Annotated[int, msgspec.Meta(ge=0, lt=1 << 62)]


class WireMember(msgspec.Struct, array_like=True, frozen=True):
    """The fields of `Member`, in its order, as they are sent; unknown ones after them are ignored."""

    name: Text
    datacenter: Text
    rack: Text
    tokens: _Tokens
    host: Text
    client_port: _Port
    peer_port: _Port
    admin_port: _Port
    incarnation: Incarnation
    status: Status
    state: NodeState
    memcached_port: _Port = 0

    def member(self) -> Member:
        """The value that this is."""
        return Member(**msgspec.structs.asdict(self))


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(WireMember)


def encode_member(member: Member) -> bytes:
    """`member` as MessagePack."""
    return _encoder.encode(astuple(member, recurse=False))


def decode_member(data: bytes) -> Member:
    """The member that these bytes are. Raises ProtocolError."""
    try:
        return _decoder.decode(data).member()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"not a member: {error}") from None
