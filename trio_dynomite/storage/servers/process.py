"""One process of a server: started so that it cannot outlive the node, watched and ended without blocking.

The kernel kills it when the node dies (PR_SET_PDEATHSIG). That holds for the thread that starts it, so it is
started by the main one, where Trio runs. A short Python asks for it and then becomes the server: code between
fork and exec of a large process would cost the node a copy of its page tables, and this does not. Its end is
seen through a pidfd, which nothing can mistake for another process.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

import trio
from attrs import define, field

from trio_dynomite.storage.servers.folder import ServerFolder

_BECOME = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, int(signal.SIGKILL), 0, 0, 0)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the node is gone")
os.execv(sys.argv[2], sys.argv[2:])
"""


@define(eq=False)
class ServerProcess:
    """A server that was started."""

    process: "subprocess.Popen[bytes]"
    _pidfd: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._pidfd = os.pidfd_open(self.process.pid)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def is_running(self) -> bool:
        """Has it not ended?"""
        return self.process.poll() is None

    @property
    def ended_with(self) -> str:
        """How it ended, in words."""
        code = self.process.returncode
        if code is None:
            return "runs"
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"code {code}"

    async def wait(self) -> None:
        """Wait for its end."""
        while self.is_running:
            await trio.lowlevel.wait_readable(self._pidfd)

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()

    async def stop(self, grace_s: float) -> None:
        """End it, within `grace_s` in order, else at once; nothing cancels this."""
        with trio.CancelScope(shield=True):
            try:
                self.process.terminate()
                with trio.move_on_after(grace_s):
                    await self.wait()
                self.process.kill()
                await self.wait()
            finally:
                os.close(self._pidfd)


def start(program: str, arguments: Sequence[str], folder: ServerFolder, lock: int) -> ServerProcess:
    """Start a server in its directory; it inherits `lock`. Raises OSError."""
    log = folder.open_log()
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _BECOME, str(os.getpid()), program, *arguments],
            cwd=folder.path,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock,),
            process_group=0,  # Ctrl-C in a terminal is for the node, which then stops it
        )
    finally:
        os.close(log)
    return ServerProcess(process)


async def end_others(folder: ServerFolder, grace_s: float) -> list[int]:
    """End what an earlier life left running in this directory; returns the process ids."""
    pids = folder.holders()
    pidfds = [fd for pid in pids if (fd := _opened(pid)) >= 0]
    try:
        for sent in (signal.SIGTERM, signal.SIGKILL):
            for fd in pidfds:
                _send(fd, sent)
            with trio.move_on_after(grace_s):
                for fd in pidfds:
                    await trio.lowlevel.wait_readable(fd)
                break
    finally:
        for fd in pidfds:
            os.close(fd)
    return pids


def _opened(pid: int) -> int:
    try:
        return os.pidfd_open(pid)
    except OSError:  # it has gone meanwhile
        return -1


def _send(pidfd: int, sent: signal.Signals) -> None:
    try:
        signal.pidfd_send_signal(pidfd, sent)
    except OSError:
        pass
