"""Do the judges see anything? Each test breaks one mechanism, and storms must find it within a few seeds."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from trio_dynomite.coordinator.batch import Batch
from trio_dynomite.coordinator.engine import Engine
from trio_dynomite.coordinator.quorum import Comparison
from trio_dynomite.coordinator.replica import Replica
from trio_dynomite.coordinator.routes import Route
from trio_dynomite.data import effect, record
from trio_dynomite.peers.roster import Roster
from trio_dynomite.storage import store
from trio_dynomite.storage.memory import MemoryStore
from trio_dynomite.testing.storm import Storm

Plant = Callable[[pytest.MonkeyPatch], None]
SEEDS_MAX = int(os.environ.get("PLANTED_SEEDS", "40"))


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
    patch.setattr(Replica, "join_records", lambda self, effects: 0)


def lead_without_agreement(patch: pytest.MonkeyPatch) -> None:
    """Whoever thinks that it is the primary acts as one, and replicas count its writes."""

    def check_ready(self: Route) -> None:
        self.is_ready = self.leads

    patch.setattr(Route, "check_ready", check_ready)
    patch.setattr(Engine, "token_for", lambda self, route, peer: 0)


def deliver_no_hints(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Roster, "deliver_hints", lambda self, peer: None)


@pytest.mark.parametrize(
    "plant",
    [
        skip_the_repair,
        count_an_acknowledgement_twice,
        drop_the_stamp_check,
        forget_a_digest,
        keep_the_older_side,
        lead_without_agreement,
        deliver_no_hints,
    ],
)
def test_a_planted_bug_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    for seed in range(SEEDS_MAX):
        if _is_found(seed):
            print(f"{plant.__name__}: found by seed {seed}")
            return
    pytest.fail(f"{plant.__name__} was not found in {SEEDS_MAX} storms")


def _is_found(seed: int) -> bool:
    try:
        return bool(Storm(seed).run())
    except AssertionError:
        return True
