"""The answers to the commands about the connection and the node: one function a row of `session_rows`.

Most are given at once and need nobody else: `(session, args) → encoded reply`. One that does, as PUBLISH,
takes a place in the session's queue and gives None.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from trio_dynomite.server.answers import (
    acl,
    administration,
    authentication,
    clients,
    cluster,
    configuration,
    connection,
    debug,
    latency,
    memory,
    node,
    pubsub,
    saving,
    scripts,
    slowlog,
    tracking,
    transaction,
)
from trio_dynomite.server.answers.answer import Answer
from trio_dynomite.server.answers.information import info

ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        **connection.ANSWERS,
        **authentication.ANSWERS,
        **acl.ANSWERS,
        **clients.ANSWERS,
        **node.ANSWERS,
        **configuration.ANSWERS,
        **cluster.ANSWERS,
        **pubsub.ANSWERS,
        **administration.ANSWERS,
        **saving.ANSWERS,
        **debug.ANSWERS,
        **latency.ANSWERS,
        **memory.ANSWERS,
        **slowlog.ANSWERS,
        **tracking.ANSWERS,
        **transaction.ANSWERS,
        **scripts.ANSWERS,
        "info": info,
    }
)
"""By the row's name."""

__all__ = ["ANSWERS"]
