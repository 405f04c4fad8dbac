"""Do the judges see anything? Each test breaks one mechanism, and short storms must find it.

Half are found by the first ten seeds, none takes more than forty; `pytest -s` tells which finds each.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest

from trio_dynomite.coordinator import sending
from trio_dynomite.coordinator.batch import Batch
from trio_dynomite.coordinator.blocked import Blocked
from trio_dynomite.coordinator.engine import Engine
from trio_dynomite.coordinator.quorum import Comparison, VerifiedWrite
from trio_dynomite.coordinator.replica import Replica
from trio_dynomite.coordinator.routes import Route
from trio_dynomite.data import effect, elements, record
from trio_dynomite.data.cells import Cells
from trio_dynomite.data.record import STAMP, VALUE
from trio_dynomite.data.stamp import pack, unpack
from trio_dynomite.peers.delivery import Delivery
from trio_dynomite.repair.collection import Collection, Round
from trio_dynomite.storage import store
from trio_dynomite.storage.memory import MemoryStore
from trio_dynomite.testing.forms import SHORT
from trio_dynomite.testing.small_ring import small_ring
from trio_dynomite.testing.storms import STORMS

Plant = Callable[[pytest.MonkeyPatch], None]
SEEDS_MAX = int(os.environ.get("PLANTED_SEEDS", "250"))


def skip_the_repair(patch: pytest.MonkeyPatch) -> None:
    """A quorum read whose digests differ answers from its own copy."""
    patch.setattr(Comparison, "_all_compared", lambda self: self._finish(self.reply))


def count_an_acknowledgement_twice(patch: pytest.MonkeyPatch) -> None:
    honest = Batch.acked

    def acked(self: Batch) -> None:
        self.acks += 1
        honest(self)

    patch.setattr(Batch, "acked", acked)


def drop_the_stamp_check(patch: pytest.MonkeyPatch) -> None:
    """What arrives last wins."""

    def merge(a: record.Record, b: record.Record) -> record.Record:
        return b

    patch.setattr(store, "merge", merge)
    patch.setattr(effect, "merge", merge)


def forget_a_digest(patch: pytest.MonkeyPatch) -> None:
    """A put over an existing record does not update the slot's sum."""
    honest = MemoryStore.put

    def put(self: MemoryStore, slot: int, key: bytes, *rest: Any) -> None:
        before, known = self.sums[slot], key in self.records[slot]
        honest(self, slot, key, *rest)
        if known:
            self.sums[slot] = before

    patch.setattr(MemoryStore, "put", put)


def keep_the_older_side(patch: pytest.MonkeyPatch) -> None:
    """Records that peers tell are not joined."""
    patch.setattr(Replica, "join_records", lambda self, effects, cutoffs: 0)


def lead_without_agreement(patch: pytest.MonkeyPatch) -> None:
    """Whoever thinks that it is the primary acts as one, and replicas count its writes."""

    def check_ready(self: Route) -> None:
        self.is_ready = self.leads

    patch.setattr(Route, "check_ready", check_ready)
    patch.setattr(sending, "_token_for", lambda engine, route, peer: 0)


def deliver_no_hints(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Delivery, "deliver", lambda self, peer: None)


def remove_without_a_tombstone(patch: pytest.MonkeyPatch) -> None:
    """An element that is removed is forgotten."""
    honest = elements._put

    def put(body: Cells, names: list[bytes], new: record.Record) -> None:
        honest(body, names, new)
        for element in names:
            if new[VALUE] is None and body.get(element) is None:
                body.forget(element, new)

    patch.setattr(elements, "_put", put)


def tally_on_any_base(patch: pytest.MonkeyPatch) -> None:
    """A count is added to whatever the element holds."""
    honest = elements._count

    def count(body: Cells, reset: int, payload: Any) -> bool:
        held = body.cells.get(payload[1])
        base = pack(max(held[STAMP] if held else reset, unpack(payload[2])))
        return honest(body, reset, [*payload[:2], base, *payload[3:]])

    patch.setattr(elements, "_count", count)


def patch_any_parent(patch: pytest.MonkeyPatch) -> None:
    """An operation on a list, a stream or a string is carried out on whatever is there."""
    honest = effect._apply_patch

    def apply(known: record.Record, stamp: int, payload: Any, deadline_ms: int) -> record.Record | None:
        return honest(known, stamp, [pack(known[STAMP]), *payload[1:]], deadline_ms)

    patch.setattr(effect, "_apply_patch", apply)


def forget_an_elements_digest(patch: pytest.MonkeyPatch) -> None:
    """A cell that is written over does not change the body's sum."""
    honest = Cells.replace

    def replace(self: Cells, element: bytes, old: record.Record | None, cell: record.Record) -> None:
        before = self.sum
        honest(self, element, old, cell)
        if old is not None:
            self.sum = before

    patch.setattr(Cells, "replace", replace)


def tell_a_transaction_in_two_frames(patch: pytest.MonkeyPatch) -> None:
    """The first effect of a batch leaves at once, the others in the next turn."""
    honest = sending._replicate

    def replicate(engine: Engine, route: Route, batch: Batch) -> None:
        honest(engine, route, Batch(batch.effects[: effect.FIELDS]))
        batch.effects = batch.effects[effect.FIELDS :]
        if batch.effects:
            engine.soon(lambda: honest(engine, route, batch))
        else:
            honest(engine, route, batch)

    patch.setattr(sending, "_replicate", replicate)


def acknowledge_what_a_successor_overruled(patch: pytest.MonkeyPatch) -> None:
    """A write that is compared with replicas counts, though another node led in between."""
    patch.setattr(VerifiedWrite, "_finish", Comparison._finish)


def serve_a_waiter_twice(patch: pytest.MonkeyPatch) -> None:
    """Who is being served by one primary is served by another as well."""
    patch.setattr(Blocked, "is_busy", property(lambda self: self.is_trying))


def collect_without_the_replicas(patch: pytest.MonkeyPatch) -> None:
    """A tombstone goes when it is old enough, whoever has not heard of it."""
    honest = Collection._begin

    def begin(self: Collection) -> Round | None:
        peers, self.engine.roster.peers = self.engine.roster.peers, {}
        try:
            return honest(self)
        finally:
            self.engine.roster.peers = peers

    patch.setattr(Collection, "_begin", begin)


@pytest.mark.parametrize(
    ("plant", "kind"),
    [
        (skip_the_repair, "storm"),
        (count_an_acknowledgement_twice, "succession"),
        (drop_the_stamp_check, "storm"),
        (forget_a_digest, "storm"),
        (keep_the_older_side, "storm"),
        (lead_without_agreement, "storm"),
        (deliver_no_hints, "storm"),
        (remove_without_a_tombstone, "storm"),
        (tally_on_any_base, "parted"),
        (patch_any_parent, "parted"),
        (forget_an_elements_digest, "storm"),
        (tell_a_transaction_in_two_frames, "storm"),
        (acknowledge_what_a_successor_overruled, "succession"),
        (serve_a_waiter_twice, "parted"),
        (collect_without_the_replicas, "collecting"),
    ],
)
def test_a_planted_bug_is_found(plant: Plant, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with small_ring():
        for seed in range(SEEDS_MAX):
            if _is_found(kind, seed):
                print(f"{plant.__name__}: found by {kind} {seed}")
                return
    pytest.fail(f"{plant.__name__} was not found in {SEEDS_MAX} storms")


def _is_found(kind: str, seed: int) -> bool:
    try:
        return bool(STORMS[kind](seed, SHORT).run())
    except AssertionError:
        return True
