"""CLUSTER MEET and FORGET: members that an operator brings in, or says will never come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trio_dynomite.commands.refusals import quoted
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import OK

if TYPE_CHECKING:
    from trio_dynomite.membership.member import Member
    from trio_dynomite.peers.members import Members
    from trio_dynomite.server.session import Session

_FIXED = "ERR the members are fixed by the configuration; give it cluster.seeds to let them come and go"


def meet(session: Session, args: list[bytes]) -> bytes:
    """CLUSTER MEET host port [peer-port]: one more seed. The last port is the one for other nodes."""
    members = _open_members(session)
    host, port = args[2].decode("utf-8", "replace"), args[-1]
    if len(args) > 5 or not port.isdigit() or not 1 <= int(port) <= 65535 or not host or " " in host:
        shown = f"{host}:{port.decode('utf-8', 'replace')}"
        raise CommandError(f"ERR Invalid node address specified: {shown}")
    members.meet((host, int(port)))
    return OK


def forget(session: Session, args: list[bytes]) -> bytes:
    """CLUSTER FORGET node-id: a node that is down never comes back; its part of the ring goes to others."""
    members = _open_members(session)
    member = _member(members, args[2])
    if member is None:
        raise CommandError(f"ERR Unknown node {quoted(args[2])}")
    if member.name == members.own.name:
        raise CommandError("ERR I tried hard but I can't forget myself...")
    reason = members.why_keep(member.name)
    if reason is not None:
        raise CommandError(f"ERR {reason}")
    session.server.engine.soon(lambda: members.forget(member.name))
    return OK


def _open_members(session: Session) -> Members:
    members = session.server.engine.roster.members
    if not members.is_open:
        raise CommandError(_FIXED)
    return members


def _member(members: Members, cluster_id: bytes) -> Member | None:
    for member in members.known.values():
        if member.node.cluster_id.encode() == cluster_id:
            return member
    return None
