"""Changes: what a node does when peers come or go, or the ring changes: work out anew who leads what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trio_dynomite.data.effect import Flat
from trio_dynomite.model import NodeState

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.coordinator.routes import RouteTable


def routes_changed(engine: Engine) -> None:
    """A peer came, went or changed its state: work the routes out anew."""
    table = engine.table
    table.refresh(engine.node.name, is_normal=engine.state is NodeState.NORMAL, is_warm=engine.is_warm)
    leaders = [engine.node.name if route.leads else route.leader_name for route in table.routes]
    if leaders != engine.leaders:
        _leaders_changed(engine, leaders)
    retry_all(engine)


def _leaders_changed(engine: Engine, leaders: list[str]) -> None:
    engine.view_number += 1
    engine.leaders = leaders
    for route, leader in zip(engine.table.routes, leaders, strict=True):
        if route.led_by != leader:
            route.led_by, route.led_since = leader, engine.view_number
    for peer in engine.roster.peers.values():
        peer.synced = False
    synced(engine)
    engine.roster.tell_state()


def synced(engine: Engine) -> None:
    """This node has learned what a peer knows, or a peer's word has become fresh or old."""
    for route in engine.table.routes:
        route.check_ready()
    retry_all(engine)


def retry_all(engine: Engine) -> None:
    """Something may be possible that was not."""
    engine.soon(engine.parking.retry)
    engine.soon(engine.blocking.reroute)


def set_table(engine: Engine, table: RouteTable) -> None:
    """The members have changed: this table is in force from now on.

    What was written so far goes to those who were replicas. Where the ring is another one nothing that was
    agreed upon holds any more; whoever waits is routed again."""
    engine.send_batches()
    held = engine.replica.own_slots()
    before, engine.table = engine.table, table
    kept = set(table.routes)
    for route in before.routes:
        if route not in kept:
            route.retire()
    engine.replica.forget_shared()
    if table.view.ring != before.view.ring:
        engine.is_warm = False
        engine.replica.regained |= engine.replica.own_slots() - held
        engine.arrivals.forget()
        engine.repair.ring_changed()
        engine.leaders = []
        engine.roster.ring_changed()
    routes_changed(engine)


def late_hints(engine: Engine, datacenter: str, origin: int, effects: Flat) -> None:
    """A gateway went away, and the ring has changed since it was told: its datacenter's replicas of today
    may have missed these effects."""
    for route, group in engine.replica.by_route(effects).items():
        for peer in route.remote.get(datacenter, ()):
            peer.hints.append(origin, group)
