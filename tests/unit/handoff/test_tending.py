"""The files of hints on a real disk, and the task that syncs and heals them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

from tests.unit.handoff.test_hints import effects
from trio_dynomite.handoff import folder as folder_module
from trio_dynomite.handoff.folder import DiskFolder
from trio_dynomite.handoff.hints import HintBudget, HintQueue
from trio_dynomite.handoff.keeper import HintKeeper
from trio_dynomite.handoff.tending import HintTask

EVERY_S = 0.01


class Subject:
    def __init__(self, path: Path) -> None:
        self.path, self.events = path, list[str]()
        self.queue = HintQueue(HintBudget(1 << 20, now_ms=1000), 1 << 20)
        self.queues = {"target": self.queue}
        self.keeper = HintKeeper(self.queue.budget, lambda target: DiskFolder(path / target), self._log)
        self.keeper.match(self.queues)
        self.task = HintTask(self.keeper, lambda: self.queues, self._turn, EVERY_S)

    def _log(self, event: str, **facts: object) -> None:
        self.events.append(event)

    def _turn(self, act: Callable[[], None]) -> None:
        self.queue.budget.now_ms += 1000
        act()
        self.keeper.commit()

    def miss(self, *keys: bytes) -> None:
        self._turn(lambda: self.queue.append(1, effects(*keys)))

    def pending(self) -> list[bytes]:
        return [*self.queue._taken, *self.queue._first, *self.queue._keys]

    def files(self) -> list[Path]:
        return sorted(self.path.glob("target/*"))


async def wait_until(happened: Callable[[], bool]) -> None:
    with trio.fail_after(30):
        while not happened():
            await trio.sleep(EVERY_S)


@contextmanager
def synced(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The calls of fsync."""
    calls: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(folder_module.os, "fsync", calls.append)
        yield calls


def test_what_was_missed_is_on_disk_when_the_turn_is_over(tmp_path: Path) -> None:
    subject = Subject(tmp_path)
    assert not subject.files(), "nothing is made before it is needed"
    subject.miss(b"a", b"b")
    subject.miss(b"c")
    assert Subject(tmp_path).pending() == [b"a", b"b", b"c"]
    (tmp_path / "target" / "000000000007.hints.tmp").write_bytes(b"left by a crash")
    again = Subject(tmp_path)
    assert again.pending() == [b"a", b"b", b"c"]
    assert [path.suffix for path in again.files()] == [".hints"]


async def test_what_was_written_is_synced_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = Subject(tmp_path)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(subject.task.run)
        with synced(monkeypatch) as calls:
            subject.miss(b"a")
            await wait_until(lambda: bool(calls))
            await trio.sleep(10 * EVERY_S)
            assert len(calls) == 1
        nursery.cancel_scope.cancel()


async def test_a_log_that_could_not_be_written_heals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = Subject(tmp_path)

    def full(self: DiskFolder, name: str, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(subject.task.run)
        with monkeypatch.context() as patch:
            patch.setattr(DiskFolder, "append", full)
            subject.miss(b"a", b"b")
            assert not subject.files()
        await wait_until(lambda: "hints.log_healed" in subject.events)
        subject.miss(b"c")
        nursery.cancel_scope.cancel()
    assert Subject(tmp_path).pending() == [b"a", b"b", b"c"]


async def test_a_target_that_comes_or_goes_for_good_is_noticed(tmp_path: Path) -> None:
    subject = Subject(tmp_path)
    subject.miss(b"a")
    later = HintQueue(subject.queue.budget, 1 << 20)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(subject.task.run)
        subject.queues = {"later": later}
        await wait_until(lambda: later.is_logged and not subject.files())
        nursery.cancel_scope.cancel()


async def test_it_can_be_ended_alone(tmp_path: Path) -> None:
    subject = Subject(tmp_path)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(subject.task.run)
        await trio.sleep(2 * EVERY_S)
        subject.task.scope.cancel()
    subject.miss(b"a")
    assert Subject(tmp_path).pending() == [b"a"], "turns go on writing"
