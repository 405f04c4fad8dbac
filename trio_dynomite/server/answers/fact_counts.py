"""What INFO counts: connections, requests, errors, and each command's calls and times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trio_dynomite.repair.read_repair import Sampling
from trio_dynomite.server.answers.facts import Facts

if TYPE_CHECKING:
    from trio_dynomite.server.server import Server
    from trio_dynomite.server.tallies import Tally


def count_facts(server: Server) -> Facts:
    """# Stats."""
    engine = server.engine
    own: Facts = {
        "total_connections_received": server.connections,
        "total_commands_processed": server.commands,
        "instantaneous_ops_per_sec": server.commands_per_s,
        "rejected_connections": server.rejected,
        "protocol_errors": server.protocol_errors,
        "peer_connections_closed": engine.roster.strangers.closed,
        "expired_keys": engine.expired_keys,
        "evicted_keys": engine.eviction.evicted,
        "evicted_clients": 0,
        "sync_full": 0,
        "sync_partial_ok": 0,
        "sync_partial_err": 0,
        "latest_fork_usec": 0,
        "total_forks": 0,
        "pubsub_channels": len(server.pubsub.channels),
        "pubsub_patterns": len(server.pubsub.patterns),
        "pubsubshard_channels": len(server.pubsub.shards),
        "tracking_total_keys": len(server.tracking.readers),
        "tracking_total_items": sum(map(len, server.tracking.readers.values())),
        "tracking_total_prefixes": len(server.tracking.prefixes),
        "total_error_replies": server.tallies.error_replies,
        "client_query_buffer_limit_disconnections": server.too_much_input,
        "client_output_buffer_limit_disconnections": server.cut_off,
        "requests_in_flight": engine.in_flight,
        "requests_parked": len(engine.parking),
        "request_bytes": engine.waiting_bytes,
        "requests_forwarded": engine.forwarded,
        "requests_refused": engine.refused,
        "internal_errors": engine.internal_errors,
        "read_repairs": engine.read_repairs,
        "background_read_repairs": engine.compared if isinstance(engine, Sampling) else 0,
        "gaps_filled": engine.gaps_filled,
        "repair_comparisons": engine.repair.compared,
        "repair_records": engine.repair.repaired,
        "digests_drifted": engine.repair.drifted,
        "warm_up_slots_left": sum([sync.slots_left for sync in engine.roster.syncs]),
        "warm_up_records": sum([sync.records for sync in engine.roster.syncs]),
        "clock_ahead_ms": engine.roster.clocks.beyond_ms,
        "clock_is_off": int(engine.roster.clocks.is_off),
        "tombstones": sum(engine.keyspace.store.dead),
        "tombstones_collected": engine.repair.collection.collected,
        "tombstone_rounds": engine.repair.collection.rounds,
        "tombstones_held_by": ",".join(engine.repair.collection.held_by),
        **hint_facts(server),
    }
    more = {name: value() if callable(value) else value for name, value in server.statistics.items()}
    return {**own, **more}


def hint_facts(server: Server) -> Facts:
    """What peers that are away have missed."""
    engine = server.engine
    hints = list(engine.roster.hint_queues().values())
    return {
        "hints": sum(map(len, hints)),
        "hints_bytes": engine.roster.hints.used,
        "hints_oldest_s": max([queue.age_s for queue in hints], default=0),
        "hints_refused": sum([queue.refused for queue in hints]),
        "hints_expired": sum([queue.expired for queue in hints]),
        "hints_delivered": sum([queue.delivered for queue in hints]),
        "hints_delivered_bytes": engine.roster.delivery.sent_bytes,
        "hints_yielded": engine.roster.delivery.yielded,
    }


def command_facts(server: Server) -> Facts:
    """# Commandstats: each command that was run. Those of a pipeline share its time equally."""
    return {f"cmdstat_{name}": _of_command(tally) for name, tally in server.tallies.all().items()}


def _of_command(tally: Tally) -> str:
    per_call = tally.usec / tally.calls if tally.calls else 0
    times = f"calls={tally.calls},usec={tally.usec:.0f},usec_per_call={per_call:.2f}"
    return f"{times},rejected_calls={tally.rejected},failed_calls={tally.failed}"


def error_facts(server: Server) -> Facts:
    """# Errorstats: errors by their first words."""
    return {f"errorstat_{word}": f"count={count}" for word, count in server.tallies.errors.items()}


def latency_facts(server: Server) -> Facts:
    """# Latencystats: microseconds within which such a share of a command's calls was done."""
    tallies = server.tallies.all() if server.tells_latency else {}
    return {
        f"latency_percentiles_usec_{name}": _percentiles(tally, server.percentiles)
        for name, tally in tallies.items()
        if tally.spans
    }


def _percentiles(tally: Tally, shares: tuple[float, ...]) -> str:
    return ",".join([f"p{share:g}={_within(tally, share):.3f}" for share in shares])


def _within(tally: Tally, share: float) -> float:
    """The upper end of the span in which the call stands that `share` percent are not slower than."""
    wanted, seen = tally.calls * share / 100, 0
    for span in sorted(tally.spans):
        seen += tally.spans[span]
        if seen >= wanted:
            break
    return 2.0**span
