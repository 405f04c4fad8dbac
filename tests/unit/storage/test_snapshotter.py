"""The task that makes snapshots: whole files or none, in slices, and what it says of them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.unit.storage.test_snapshot import PARTITIONER, known, small
from trio_dynomite.coordinator.build import in_memory
from trio_dynomite.storage import files
from trio_dynomite.storage.snapshotter import DAMAGED, FILE, Snapshotter, restored
from trio_dynomite.storage.store import Store


def snapshotter(
    folder: Path, every_s: float = 1000.0
) -> tuple[Snapshotter, list[tuple[str, dict[str, Any]]]]:
    notes: list[tuple[str, dict[str, Any]]] = []

    def log(event: str, **facts: Any) -> None:
        notes.append((event, facts))

    def turn(act: Callable[[], None]) -> None:
        act()

    made = Snapshotter(
        store=small(),
        folder=folder,
        node="n1",
        partitioner=PARTITIONER.fingerprint,
        every_s=every_s,
        turn=turn,
        log=log,
    )
    return made, notes


def again(folder: Path) -> tuple[Store, list[str]]:
    events: list[str] = []
    store = restored(
        folder,
        lambda: in_memory(PARTITIONER),
        PARTITIONER.fingerprint,
        lambda event, **_: events.append(event),
    )
    return store, events


async def test_what_was_saved_is_found_again(tmp_path: Path) -> None:
    made, notes = snapshotter(tmp_path / "new")
    await made.take()
    store, events = again(tmp_path / "new")
    assert known(store) == known(made.store)
    assert (made.saves, made.failure, made.is_running, events) == (1, None, False, ["snapshot.restored"])
    assert [event for event, _ in notes] == ["snapshot.made"]
    assert os.listdir(tmp_path / "new") == [FILE]
    assert snapshotter(tmp_path / "new")[0].saved_ms > 0


async def test_without_a_file_a_node_starts_empty_and_says_nothing(tmp_path: Path) -> None:
    store, events = again(tmp_path)
    assert (known(store), events) == ({}, [])


async def test_a_damaged_one_is_set_aside(tmp_path: Path) -> None:
    made, _ = snapshotter(tmp_path)
    await made.take()
    data = bytearray((tmp_path / FILE).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / FILE).write_bytes(data)
    store, events = again(tmp_path)
    assert (known(store), events) == ({}, ["snapshot.refused"])
    assert (tmp_path / DAMAGED).read_bytes() == bytes(data)
    assert again(tmp_path)[1] == []


async def test_one_that_fails_leaves_the_last_and_tells_who_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, notes = snapshotter(tmp_path)
    await made.take()
    before = (tmp_path / FILE).read_bytes()

    def full(self: files.WholeFile, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    told: list[str | None] = []
    made.want(told.append)
    with monkeypatch.context() as patch:
        patch.setattr(files.WholeFile, "write", full)
        await made.take()
    assert told == ["[Errno 28] No space left on device"] == [made.failure]
    assert notes[-1][0] == "snapshot.failed"
    assert (tmp_path / FILE).read_bytes() == before
    assert os.listdir(tmp_path) == [FILE]
    made.want(told.append)
    await made.take()
    assert told[1:] == [None]


async def test_one_that_is_cancelled_leaves_the_last(tmp_path: Path) -> None:
    made, notes = snapshotter(tmp_path)
    await made.take()
    before = (tmp_path / FILE).read_bytes()
    with trio.CancelScope() as scope:
        scope.cancel()
        await made.last()
    assert scope.cancelled_caught
    assert notes[-1][0] == "snapshot.given_up"
    assert ((tmp_path / FILE).read_bytes(), os.listdir(tmp_path)) == (before, [FILE])
    assert not made.is_running


async def test_it_is_made_whenever_it_is_time(tmp_path: Path) -> None:
    made, _ = snapshotter(tmp_path, every_s=0.01)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(made.run)
        with trio.fail_after(30):
            while made.saves < 3:
                await trio.sleep(0.005)
        nursery.cancel_scope.cancel()


async def test_it_is_made_when_it_is_wanted(tmp_path: Path) -> None:
    made, _ = snapshotter(tmp_path)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(made.run)
        for count in (1, 2):
            told = trio.Event()
            made.want(lambda failure, told=told: told.set())  # type: ignore[misc]
            with trio.fail_after(30):
                await told.wait()
            assert made.saves == count
        nursery.cancel_scope.cancel()
