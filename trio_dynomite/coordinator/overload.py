"""Overload: what a node says to one request too many.

Requests that wait for another node, and replies that wait for the word of a quorum, take memory for as long
as that takes. They are counted, and their bytes are. Clients who have something under way wait once half of
the bytes are used (`Engine.is_loaded`); when all are, or too many requests wait, the newest is refused and
nothing of it is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trio_dynomite.protocol.replies import error

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine


def refusal(engine: Engine) -> bytes | None:
    """The refusal of one request too many; None when there is room."""
    count = engine.in_flight + len(engine.parking)
    if count >= engine.in_flight_max:
        return _refuse(engine, f"{count} requests are", "requests_in_flight")
    if engine.waiting_bytes >= engine.waiting_bytes_max:
        return _refuse(engine, f"requests and replies of {engine.waiting_bytes} bytes are", "request_bytes")
    return None


def _refuse(engine: Engine, what: str, limit: str) -> bytes:
    engine.refused += 1
    return error(
        f"OVERLOADED {what} under way on this node, its limit (limits.{limit}); nothing was done, try again"
    )
