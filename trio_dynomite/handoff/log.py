"""The log of a target's hints: what is in the queue is in files, too, so that it outlives the process.

A turn's news are one block at the end of the newest segment, one write without a sync; once a second what was
written is synced. A segment goes when the target has all its keys, and all of them when the queue is empty.
When a write fails, or the files would grow beyond the queue's limit, nothing more is written: the queue in
memory goes on, and the log is **rewritten** from it, again and again until that succeeds. A rewritten log is
one new segment; the old ones go once that is whole. Whatever a crash leaves is a log: a hint that is told
twice does no harm.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from attrs import define, field

from trio_dynomite.handoff.block import MARK, Block, encode, read
from trio_dynomite.handoff.hints import HintQueue

_SEGMENT_BYTES = 4 << 20
_KEYS_A_BLOCK = 10_000
_SUFFIX = ".hints"
_RETRY_MS_MAX = 10_000


class Folder(Protocol):
    """The files of one log. Everything may raise OSError."""

    def names(self) -> list[str]:
        """All there are."""

    def read(self, name: str) -> bytes:
        """What is in one."""

    def append(self, name: str, data: bytes) -> None:
        """Write at the end of one, which is made if it is absent."""

    def write(self, name: str, parts: Iterable[bytes]) -> int:
        """Make a file of these parts, synced: all of it, or none; its size."""

    def sync(self, name: str) -> None:
        """What was appended is there even after the machine has lost its power."""

    def delete(self, name: str) -> None:
        """Delete one that may be there."""

    def release(self) -> None:
        """Let go of the file to which was appended last."""


@define(eq=False)
class HintLog:
    """The files of one queue."""

    target: str
    queue: HintQueue
    folder: Folder
    log: Callable[..., None]
    is_whole: bool = True
    """The files tell all that the queue knows."""
    is_working: bool = False
    """A job is under way in a thread."""
    needs_sync: bool = False
    write_errors: int = 0
    unread: int = 0
    """Bytes that told nothing when the log was opened."""
    _sizes: dict[int, int] = field(factory=dict)
    """Bytes by segment, in order."""
    _ends: dict[int, int] = field(factory=dict)
    """By segment, the number that the target must be at before it may go."""
    _stale: dict[int, int] = field(factory=dict)
    """Bytes of the segments that go when the rewriting succeeds."""
    _newest: int = 0
    _is_full: bool = True
    """Nothing more is written into the newest segment."""
    _retry_ms: int = 0
    _wait_ms: int = 0
    _has_failed: bool = False

    @property
    def size(self) -> int:
        """Bytes in all segments."""
        return sum(self._sizes.values())

    # Opening

    def open(self) -> None:
        """Read what an earlier life left, and begin anew with it."""
        self.queue.is_logged = True
        try:
            numbers = sorted(self._numbers())
            blocks = [block for number in numbers for block in self._read(number, number == numbers[-1])]
        except OSError as why:
            self.queue.is_incomplete = True
            self._failed(why)
            return
        if numbers:
            self._newest = numbers[-1]
            self.queue.restore(blocks)
            self.log("hints.restored", target=self.target, hints=len(self.queue))
            self._work(self._rewrite())

    def _read(self, number: int, is_last: bool) -> list[Block]:
        data = self.folder.read(_name(number))
        segment = read(data)
        self._sizes[number] = len(data)
        self.unread += segment.unread
        if segment.unread:
            self.queue.is_incomplete = True
            what = "torn" if is_last and not segment.is_damaged else "damaged"
            self.log(f"hints.{what}", target=self.target, segment=number, bytes=segment.unread)
        return segment.blocks

    def _numbers(self) -> Iterator[int]:
        for name in self.folder.names():
            stem = name.removesuffix(_SUFFIX)
            if stem != name and stem.isdecimal():
                yield int(stem)
            else:
                self.folder.delete(name)

    def _work(self, job: Callable[[], None]) -> None:
        try:
            job()
        except OSError as why:
            self.worked(why)
        else:
            self.worked(None)

    # Every turn

    def commit(self) -> None:
        """Write the news of a turn."""
        news = self.queue.take_news()
        if not self.is_whole:
            return
        if not len(self.queue):
            if not self.is_working:
                self._clear()
            return
        data = encode(news)
        if self.size + len(data) > self.queue.bytes_max:
            self.is_whole = False
            return
        try:
            self._append(news, data)
        except OSError as why:
            self._failed(why)
        else:
            self._let_go(news.acknowledged)

    def _append(self, news: Block, data: bytes) -> None:
        if self._is_full:
            self._newest, self._is_full = self._newest + 1, False
            data = MARK + data
        newest = self._newest
        self._sizes.setdefault(newest, 0)
        # A flush has no number: the target has it when it has the key behind it.
        self._ends[newest] = news.end + bool(news.flushes)
        self.folder.append(_name(newest), data)
        self._sizes[newest] += len(data)
        self._is_full = self._sizes[newest] >= _SEGMENT_BYTES
        self.needs_sync = True

    def _let_go(self, acknowledged: int) -> None:
        """Delete the segments of which the target has everything."""
        while len(self._sizes) > 1 and not self.is_working:
            oldest = next(iter(self._sizes))
            if self._ends[oldest] > acknowledged:
                return
            self._delete(oldest)

    def _clear(self) -> None:
        self._is_full, self.needs_sync = True, False
        self.folder.release()
        try:
            for number in list(self._sizes):
                self._delete(number)
        except OSError as why:
            self._failed(why)

    def _delete(self, number: int) -> None:
        self.folder.delete(_name(number))
        self._sizes.pop(number, None)
        self._ends.pop(number, None)

    def _failed(self, why: OSError) -> None:
        self.is_whole = False
        self.write_errors += 1
        if not self._has_failed:
            self._has_failed = True
            told = "hints are kept in memory only until it can be written again"
            self.log("hints.log_failed", target=self.target, reason=str(why), told=told)
        self._wait_ms = min(2 * self._wait_ms or 500, _RETRY_MS_MAX)
        self._retry_ms = self.queue.budget.now_ms + self._wait_ms

    # Now and then

    def job(self) -> Callable[[], None] | None:
        """What is to be done in a thread now, if anything; `worked` must be told of its end."""
        if self.is_working:
            return None
        if not self.is_whole and self.queue.budget.now_ms >= self._retry_ms:
            return self._rewrite()
        if self.needs_sync and self.is_whole:
            self.needs_sync, self.is_working, name = False, True, _name(self._newest)
            return lambda: self.folder.sync(name)
        return None

    def _rewrite(self) -> Callable[[], None]:
        """The job that writes the log anew; what turns tell meanwhile goes into a segment behind it."""
        self.is_whole = self.is_working = self._is_full = True
        self.folder.release()
        self._newest = number = self._newest + 1
        blocks = self.queue.known().parts(_KEYS_A_BLOCK)
        self._stale, self._sizes = self._sizes, {number: 0}
        self._ends = {number: blocks[-1].end + bool(blocks[0].flushes)}
        stale = list(self._stale)

        def parts() -> Iterator[bytes]:
            yield MARK
            for block in blocks:
                yield encode(block)

        def job() -> None:
            size = self.folder.write(_name(number), parts())
            for old in stale:
                self.folder.delete(_name(old))
            self._sizes[number] = size

        return job

    def worked(self, why: OSError | None) -> None:
        """A job has ended, or failed."""
        self.is_working = False
        if why is not None:
            self._sizes = {**self._stale, **self._sizes}
            self._failed(why)
        elif self.is_whole:
            self._wait_ms = 0
            if self._has_failed:
                self._has_failed = False
                self.log("hints.log_healed", target=self.target, hints=len(self.queue))
            if not len(self.queue):
                self._clear()
        self._stale = {}


def _name(number: int) -> str:
    return f"{number:012d}{_SUFFIX}"
