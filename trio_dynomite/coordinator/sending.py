"""Sending: a primary's batches on their way to the replicas, at the end of a turn.

The racks of this datacenter get a batch from here, every other datacenter through one gateway, which passes
it on. Who is away gets a hint. A frame to a replica here carries the token with which that replica counts it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from trio_dynomite.coordinator.batch import Batch
from trio_dynomite.coordinator.changes import late_hints
from trio_dynomite.data.effect import Flat
from trio_dynomite.peers.link import encode_effects

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.coordinator.routes import Route
    from trio_dynomite.peers.peer import Peer

NOT_AGREED = 0xFFFF_FFFF
"""A token that no view has: the peer joins the effects, and does not count."""


def send_batches(engine: Engine, route: Route) -> None:
    """Send what was written on `route`."""
    batch, direct = route.batch, route.direct
    if batch.effects:
        route.batch = Batch()
        _replicate(engine, route, batch)
    if direct.effects:
        route.direct = Batch()
        _send(engine, direct, route, list(route.everywhere()), [])
    for sent in (batch, direct):
        if sent.waiting:
            engine.watch(sent)


def _replicate(engine: Engine, route: Route, batch: Batch) -> None:
    """Send a batch to our racks, and to one gateway in every other datacenter."""
    gateways: list[Peer] = []
    for peers in route.remote.values():
        gateway = next((peer for peer in peers if peer.is_open), None)
        if gateway is not None:
            gateways.append(gateway)
        else:
            for peer in peers:
                peer.hints.append(engine.node.id, batch.effects)
    _send(engine, batch, route, route.copies, gateways)


def _send(engine: Engine, batch: Batch, route: Route, peers: list[Peer], gateways: list[Peer]) -> None:
    if not peers and not gateways:
        return
    effects, origin = batch.effects, engine.node.id
    body = encode_effects(origin, effects)
    for peer in peers:
        if peer.is_open:
            assert peer.link is not None
            token = _token_for(engine, route, peer)
            peer.link.send_effects(body, batch, origin, effects, token=token)
        else:
            peer.hints.append(origin, effects)
    for peer in gateways:
        assert peer.link is not None
        relayed = Batch(on_settled=_hint_if_lost(engine, route, peer, origin, effects))
        peer.link.send_effects(body, relayed, origin, effects, relay=True)


def _token_for(engine: Engine, route: Route, peer: Peer) -> int:
    """What makes `peer` count our write on `route`: the number of the view in which it agreed."""
    if peer.node.datacenter != engine.node.datacenter:
        return 0
    return peer.token if route.number in peer.agreed else NOT_AGREED


def _hint_if_lost(
    engine: Engine, route: Route, gateway: Peer, origin: int, effects: Flat
) -> Callable[[bool], None]:
    """When a gateway goes away its whole datacenter may have missed what it was to pass on."""
    datacenter = gateway.node.datacenter

    def settled(complete: bool) -> None:
        if not complete and route.is_retired:
            late_hints(engine, datacenter, origin, effects)
        elif not complete:
            for peer in route.remote[datacenter]:
                peer.hints.append(origin, effects)

    return settled
