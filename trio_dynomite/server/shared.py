"""Users are common to all nodes: this joins their keeper to what carries such things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trio_dynomite.coordinator.common import Told, Topic
from trio_dynomite.server import permission

if TYPE_CHECKING:
    from trio_dynomite.server.server import Server

USERS = b"users"


def share(server: Server) -> None:
    """From now on changes go to all nodes, and theirs come here."""

    def join_users(told: Told) -> int:
        changed = server.users.join(told)
        permission.after_change(server, changed)
        return server.users.newest

    common = server.engine.common
    common.topics[USERS] = Topic(server.users.told, join_users)
    server.share_users = lambda then: common.tell(USERS, server.users.told(), then)
