"""A task that keeps a server of the node's own running: it starts it, watches it, and starts it again.

Ready is when the server answers and has loaded what it keeps. One that ends is started again with back-off,
and for ever once it has served: the node steps aside meanwhile. One that does not come up at first is a
mistake that the node ends with. Cancelling the task stops the server in order.
"""

import os
import random
import subprocess
from collections.abc import Callable, Sequence

import trio
from attrs import define, field

from trio_dynomite.errors import DynomiteError
from trio_dynomite.storage.servers import process
from trio_dynomite.storage.servers.folder import ServerFolder, tail_of
from trio_dynomite.storage.servers.process import ServerProcess
from trio_dynomite.storage.servers.versions import Version, kind_of, shown, version_of

BACKOFF_FIRST_S = 0.1
BACKOFF_MAX_S = 10.0
FORGIVEN_AFTER_S = 30.0
"""A server that ran for so long is no longer blamed for how it ended before."""
FIRST_ATTEMPTS = 4
"""Starts in a row without an answer after which a node that never had one gives up."""
_ASK_FIRST_S, _ASK_MAX_S = 0.01, 0.25
_ANSWER_S = 1.0
_LOCK_ATTEMPTS = 5
_SILENT_S = 60.0
"""A server that takes no connection for so long after its start is started again."""


@define(eq=False, kw_only=True)
class ManagedServer:
    """A server of this node's own."""

    program: str
    arguments: Sequence[str]
    folder: ServerFolder
    ask: bytes
    """What a server that is ready answers, once it has loaded everything, with `answer`."""
    answer: bytes
    mistake: Callable[[str, Version], str]
    """Why a kind and version will not do; "" if they will."""
    log: Callable[..., None]
    on_ready: Callable[[], None] = lambda: None
    """Told whenever the server can be connected to."""
    grace_s: float = 1.5
    """How long it may take to stop: less than the node's supervisor waits for the node. One that is killed
    has lost nothing that it answered: what it wrote to its file is the kernel's."""
    version: str = ""
    pid: int | None = None
    """While it runs."""
    starts: int = 0
    crashes: int = 0
    """Ends in a row that nobody here asked for."""
    last_end: str = ""
    """How it ended, and what it said last, if it did."""
    _was_ready: bool = False
    _backoff_s: float = field(default=BACKOFF_FIRST_S, init=False)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep it running until cancelled; started when it first is ready.

        Raises DynomiteError: it is none that will do, or does not come up."""
        await self._check_version()
        self.folder.claim()
        try:
            while True:
                await self._once(task_status)
                await trio.sleep(self._backoff_s * random.uniform(0.5, 1.0))
                self._backoff_s = min(self._backoff_s * 2, BACKOFF_MAX_S)
        finally:
            self.folder.release()

    @property
    def keeps_crashing(self) -> bool:
        """Has it ended so often in a row that it will not help to start it again?"""
        return self.crashes >= FIRST_ATTEMPTS

    async def _check_version(self) -> None:
        try:
            with trio.fail_after(10):
                said = await trio.run_process(
                    [self.program, "--version"], capture_stdout=True, stderr=subprocess.DEVNULL, check=False
                )
        except trio.TooSlowError as why:
            raise DynomiteError(f"{self.program} --version has not ended after 10 s") from why
        except OSError as why:
            raise DynomiteError(f"{self.program} cannot be run: {why}") from why
        text = said.stdout.decode("utf-8", "replace")
        kind, version = kind_of(text), version_of(text)
        if mistake := self.mistake(kind, version):
            raise DynomiteError(f"{self.program} {mistake}")
        self.version = f"{kind} {shown(version)}"

    async def _once(self, task_status: trio.TaskStatus[None]) -> None:
        """Start it and wait for its end."""
        lock = await self._take_lock()
        log_size = self.folder.log.stat().st_size if self.folder.log.exists() else 0
        started_s = trio.current_time()
        try:
            server = process.start(self.program, self.arguments, self.folder, lock)
        finally:
            os.close(lock)
        self.pid = server.pid
        self.starts += 1
        try:
            if await self._became_ready(server):
                self._ready(server.pid, trio.current_time() - started_s, task_status)
                await server.wait()
        finally:
            self.pid = None
            await server.stop(self.grace_s)
        self._ended(server, trio.current_time() - started_s, log_size)

    async def _take_lock(self) -> int:
        """The server's lock; whoever of an earlier life still has it is ended."""
        for _ in range(_LOCK_ATTEMPTS):
            lock = self.folder.lock()
            if lock >= 0:
                return lock
            pids = await process.end_others(self.folder, self.grace_s)
            self.log("ended what an earlier server left running", pids=pids)
            await trio.sleep(_ASK_MAX_S)
        raise DynomiteError(f"{self.folder.path} is held by a process that cannot be ended")

    def _ready(self, pid: int, took_s: float, task_status: trio.TaskStatus[None]) -> None:
        self.log("storage server ready", pid=pid, version=self.version, took_s=round(took_s, 2))
        if not self._was_ready:
            self._was_ready = True
            task_status.started()
        self.on_ready()

    def _ended(self, server: ServerProcess, ran_s: float, log_size: int) -> None:
        self.last_end = f"{server.ended_with}: {tail_of(self.folder.log, log_size)}"
        if ran_s >= FORGIVEN_AFTER_S:
            self.crashes, self._backoff_s = 0, BACKOFF_FIRST_S
        self.crashes += 1
        if self.keeps_crashing and not self._was_ready:
            raise DynomiteError(f"{self.program} does not start, {self.last_end} (see {self.folder.log})")
        what = "storage server keeps crashing" if self.keeps_crashing else "storage server crashed"
        self.log(what, crashes=self.crashes, ran_s=round(ran_s, 1), ended_with=self.last_end)

    async def _became_ready(self, server: ServerProcess) -> bool:
        """Ask until it answers; it may end meanwhile."""
        pause_s, heard_s = _ASK_FIRST_S, trio.current_time()
        while server.is_running:
            reply = await self._asked()
            if reply.startswith(self.answer):
                return True
            now_s = trio.current_time()
            if reply:
                heard_s = now_s
            elif now_s - heard_s > _SILENT_S:
                self.log("storage server takes no connection", for_s=_SILENT_S)
                server.kill()
            await trio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _ASK_MAX_S)
        return False

    async def _asked(self) -> bytes:
        """What it answers now; nothing if it does not."""
        with trio.move_on_after(_ANSWER_S):
            try:
                async with await trio.open_unix_socket(self.folder.socket) as stream:
                    await stream.send_all(self.ask)
                    return bytes(await stream.receive_some(100))
            except (OSError, RuntimeError, trio.BrokenResourceError):
                pass
        return b""
