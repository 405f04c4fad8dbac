"""One supervised node: a process that is started, watched, and started again when it crashes.

The child leads a process group of its own, so that Ctrl-C in a terminal reaches only the supervisor, which
passes it on once. It inherits two pipes: one to say that it is ready, one that ends when the supervisor
does.
"""

import os
import subprocess
from collections.abc import Callable

import trio
from attrs import define, field

from trio_dynomite.launch import exits
from trio_dynomite.launch.backoff import Backoff
from trio_dynomite.launch.foreground import READY
from trio_dynomite.logs import get_logger

log = get_logger()


@define(kw_only=True)
class Child:
    """Keeps one node running until `stop` is set; `code` is then what came of it (`launch.exits`)."""

    name: str
    command: tuple[str, ...]
    backoff: Backoff
    parent_fd: int
    """The reading end of the pipe whose writing end only the supervisor has."""
    stop: trio.Event
    on_ready: Callable[[str, int], None]
    """Called with name and process id each time the node serves."""
    code: int = exits.CLEAN
    process: trio.Process | None = field(default=None, init=False)

    async def keep_running(self) -> None:
        """Run the node, again after each crash, until it stops in order or is given up."""
        while not self.stop.is_set():
            started_at = trio.current_time()
            returncode = await self._run_once()
            if self.stop.is_set() or not self._crashed(returncode):
                return
            ran_s = trio.current_time() - started_at
            delay_s = self.backoff.next_delay_s(ran_s, may_pass=returncode == exits.NO_ROOM)
            if delay_s is None:
                log.error("given up", child=self.name, crashes=self.backoff.crashes)
                self.code = exits.FAILED
                return
            log.warning("starting again", child=self.name, in_s=round(delay_s, 2))
            with trio.move_on_after(delay_s):
                await self.stop.wait()

    def terminate(self) -> None:
        """Tell the process once more to stop, which makes it stop at once."""
        if self.process is not None:
            self.process.terminate()

    def kill(self) -> None:
        """End a process that did not stop in time."""
        if self.process is not None and self.process.poll() is None:
            log.error("did not stop in time, killed", child=self.name, pid=self.process.pid)
            self.process.kill()
            self.code = exits.FAILED

    async def _run_once(self) -> int:
        """Start the process and wait for its end; returns its return code."""
        ready_fd, write_fd = os.pipe()
        command = [*self.command, "--ready-fd", str(write_fd), "--parent-fd", str(self.parent_fd)]
        try:
            self.process = await trio.lowlevel.open_process(
                command, stdin=subprocess.DEVNULL, pass_fds=(write_fd, self.parent_fd), process_group=0
            )
        except BaseException:
            os.close(ready_fd)
            raise
        finally:
            os.close(write_fd)
        log.info("started", child=self.name, pid=self.process.pid)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._terminate_on_stop, self.process)
            nursery.start_soon(self._wait_ready, ready_fd, self.process.pid)
            returncode = await self.process.wait()
            nursery.cancel_scope.cancel()
        return returncode

    async def _terminate_on_stop(self, process: trio.Process) -> None:
        await self.stop.wait()
        process.terminate()

    async def _wait_ready(self, ready_fd: int, pid: int) -> None:
        received = b""
        async with trio.lowlevel.FdStream(ready_fd) as pipe:
            async for some in pipe:
                received += some
        if received == READY:
            self.on_ready(self.name, pid)

    def _crashed(self, returncode: int) -> bool:
        """Whether the end of the process, which nobody here asked for, calls for another start."""
        if returncode == exits.CLEAN:
            log.info("stopped by itself, not started again", child=self.name)
            return False
        if returncode == exits.MISUSE:
            self.code = exits.MISUSE
            self.stop.set()
            return False
        how = f"signal {-returncode}" if returncode < 0 else f"code {returncode}"
        log.error("crashed", child=self.name, ended_with=how)
        return True
