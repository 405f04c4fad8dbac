"""Settled: from what is told of members to the nodes of the ring, the same wherever the same is known."""

from collections.abc import Iterable

from attrs import evolve

from trio_dynomite.membership.member import Member, Status
from trio_dynomite.model import Node


def nodes_of(members: Iterable[Member]) -> list[Node]:
    """The nodes that have their part in the ring, by name: all that were not forgotten, the dead as well.

    Where two nodes of a rack give one token, as neither knew of the other, the first by name keeps it."""
    taken: set[tuple[str, str, int]] = set()
    nodes = []
    for member in sorted(members, key=lambda member: member.name):
        if member.status is Status.FORGOTTEN:
            continue
        place = (member.datacenter, member.rack)
        tokens = [token for token in member.tokens if (*place, token) not in taken]
        taken.update([(*place, token) for token in tokens])
        nodes.append(evolve(member.node, tokens=tuple(tokens)))
    return nodes


def is_on_ring(member: Member, ring_size: int) -> bool:
    """Are all its tokens places on the ring?"""
    return all(0 <= token < ring_size for token in member.tokens)


def why_not_beside(member: Member, others: Iterable[Member], ring_size: int) -> str | None:
    """Why `member` cannot be in a ring with `others`; None when it can."""
    if not is_on_ring(member, ring_size):
        return f"a token of {member.name!r} is not on the ring: they are 0 to {ring_size - 1}"
    for other in others:
        if other.name == member.name or other.status is Status.FORGOTTEN:
            continue
        if other.node.id == member.node.id:
            return (
                f"{member.name!r} has the same 32-bit id as {other.name!r} by bad luck; choose another name"
            )
        shared = set(other.tokens) & set(member.tokens)
        if shared and (other.datacenter, other.rack) == (member.datacenter, member.rack):
            return (
                f"token {min(shared)} in {other.datacenter}/{other.rack} is {other.name}'s: give nodes that"
                " share a rack tokens of their own, or forget the other with CLUSTER FORGET"
            )
    return None
