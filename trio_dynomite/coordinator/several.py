"""Commands on several keys, or on none: where they run.

Keys of one slot always have the same primary; others may have it. Where all keys of a command have one
route it runs there, atomically, as on a single server. Where they have not, a command that only reads (the
others) gets them gathered (`gather.py`), and any other is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trio_dynomite.commands.row import Gather as How
from trio_dynomite.commands.row import Row
from trio_dynomite.commands.sort_options import patterns
from trio_dynomite.coordinator import blocked, scatter
from trio_dynomite.coordinator.gather import Gather
from trio_dynomite.coordinator.internal import TRANSACTION, VERSIONS, pack_transaction
from trio_dynomite.protocol.replies import array, error

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Caller, Engine
    from trio_dynomite.coordinator.routes import Route

CROSS_SLOT = error("CROSSSLOT Keys in request don't hash to the same slot")


def submit(engine: Engine, row: Row, args: list[bytes], caller: Caller) -> bytes | None:
    """Route a command with several keys, with keys in places of their own, or one that may wait for a key."""
    if row.blocking is not None:
        return blocked.submit(engine, row, args, caller)
    routes = routes_of(engine, row.keys(args))
    if len(routes) > 1 or leads_on(engine, row, args):
        if row.gather is How.NO:
            return CROSS_SLOT
        return Gather.start(engine, row, args, caller)
    return run_on(engine, routes[0] if routes else None, row, args, caller)


def leads_on(engine: Engine, row: Row, args: list[bytes]) -> bool:
    """May it read further keys, which nobody knows yet, and which may live elsewhere?"""
    if row.leads_to is None or len(engine.table.routes) == 1:
        return False
    return any([b"*" in word for word in args[2:]])


def routes_of(engine: Engine, keys: list[bytes]) -> list[Route]:
    """The routes of some keys, each once, in their order. Of none: the only route there is, if so."""
    if not keys:
        return engine.table.routes if len(engine.table.routes) == 1 else []
    return list(dict.fromkeys(map(engine.table.of_key, keys)))


def run_on(engine: Engine, route: Route | None, row: Row, args: list[bytes], caller: Caller) -> bytes | None:
    """Run a command whose keys all belong to `route`; None: it has no keys, and may touch none."""
    before, engine.running = engine.running, route
    try:
        if route is not None:
            return engine.submit_to(route, row, args, caller)
        engine.keyspace.effects = None
        return engine.execute(row, args, caller.resp)
    finally:
        engine.running = before


def may_touch(engine: Engine, row: Row, args: list[bytes]) -> str | None:
    """Why a script that runs here may not give this command; None when it may."""
    if all(engine.table.of_key(key) is engine.running for key in row.keys(args)):
        return _leads_away(engine, row, args)
    return "ERR Attempted to access a non local key in a cluster node"


def _leads_away(engine: Engine, row: Row, args: list[bytes]) -> str | None:
    """Why SORT's patterns are not for a script or a transaction, whose keys must all be at one node."""
    if not leads_on(engine, row, args):
        return None
    position_of = engine.table.view.partitioner.position
    for word, pattern in patterns(args):
        places = {position_of(key) for key in (args[1], *(pattern.replace(b"*", x, 1) for x in (b"0", b"1")))}
        if len(places) > 1:
            return (
                f"ERR {word.decode()} option of SORT denied in cluster mode when keys formed by the pattern"
                " may be in different slots."
            )
    return None


def versions(engine: Engine, keys: list[bytes], caller: Caller) -> bytes | None:
    """Ask for the version of each key: an array of integers, 0 for an absent key."""
    return scatter.submit(engine, VERSIONS, [VERSIONS.name.encode(), *keys], caller)


def submit_transaction(
    engine: Engine,
    commands: list[tuple[Row | None, list[bytes] | bytes]],
    watched: list[tuple[bytes, int]],
    caller: Caller,
) -> bytes | None:
    """Run commands in one step on the primary of all their keys, if no watched key has changed since.

    What has no row is a reply known already."""
    keys = [key for key, _ in watched]
    requests: list[list[bytes] | bytes] = []
    for row, args in commands:
        refusal = None
        if row is not None and isinstance(args, list):
            keys += row.keys(args)
            refusal = _leads_away(engine, row, args)
        requests.append(args if refusal is None else error(refusal))
    packed = pack_transaction(watched, requests)
    request = [TRANSACTION.name.encode(), packed, *dict.fromkeys(keys)]
    if not keys and all(row is None for row, _ in commands):
        return array([args for _, args in commands if isinstance(args, bytes)])
    return submit(engine, TRANSACTION, request, caller)
