"""The answers to the commands about the connection and the node: one function a row of `session_rows`.

An answer is given at once and needs nobody else: `(session, args) → encoded reply`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from trio_dynomite.server.answers import clients, cluster, configuration, connection, node
from trio_dynomite.server.answers.answer import Answer
from trio_dynomite.server.answers.information import info

ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        **connection.ANSWERS,
        **clients.ANSWERS,
        **node.ANSWERS,
        **configuration.ANSWERS,
        **cluster.ANSWERS,
        "info": info,
    }
)
"""By the row's name."""

__all__ = ["ANSWERS"]
