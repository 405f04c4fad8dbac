"""One node in the foreground: when it is ready, why it stops, and how it ends.

A node stops because of SIGINT, SIGTERM, or because its supervisor is gone; Linux's own way to learn the
last (PR_SET_PDEATHSIG) follows the thread that started the child and not the process, so a pipe is watched
instead. The first reason sets the `stop` event and gives the node `timeouts.stop` seconds; then, or at a
second signal, it is cancelled. All of this holds from the first moment of its start-up.
"""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol

import trio
from attrs import define, field

from trio_dynomite.config import Settings
from trio_dynomite.errors import ConfigError, DynomiteError, NoRoomError
from trio_dynomite.launch import exits, machine
from trio_dynomite.logs import get_logger

READY = b"ready\n"
SIGNALS = (signal.SIGINT, signal.SIGTERM)

log = get_logger()


class Serve(Protocol):
    """What runs a node: `trio_dynomite.node.run`."""

    async def __call__(
        self, settings: Settings, name: str, *, stop: trio.Event, task_status: trio.TaskStatus[Any]
    ) -> None:
        """Serve until `stop` is set, then end in order; call `task_status.started()` once it serves."""


@define
class ReadyNotice:
    """Tells the supervisor, if there is one, that the node serves now."""

    fd: int | None

    def started(self, value: object = None) -> None:
        """The node serves."""
        if self.fd is None:
            return
        fd, self.fd = self.fd, None
        try:
            os.write(fd, READY)
        except OSError:  # the supervisor is gone; watching its pipe says so too
            pass
        os.close(fd)


@define(kw_only=True)
class Stopper:
    """Turns reasons to stop into the `stop` event, and into cancellation when that took too long."""

    grace_s: float
    stop: trio.Event = field(factory=trio.Event)
    scope: trio.CancelScope = field(factory=trio.CancelScope)

    async def watch_signals(self, signals: AsyncIterator[int]) -> None:
        """Stop at the first signal, cancel at the second."""
        async for signum in signals:
            if self.stop.is_set():
                log.warning("stopping at once", signal=signal.Signals(signum).name)
                self.scope.cancel()
            else:
                self.begin(signal.Signals(signum).name)

    async def watch_parent(self, fd: int) -> None:
        """Stop when the other end of the pipe `fd` is closed."""
        async with trio.lowlevel.FdStream(fd) as pipe:
            while await pipe.receive_some(1):
                pass
        self.begin("the supervisor is gone")

    def begin(self, reason: str) -> None:
        """Ask the node to stop and start its deadline."""
        if not self.stop.is_set():
            log.info("stopping", reason=reason)
            self.stop.set()
            self.scope.deadline = min(self.scope.deadline, trio.current_time() + self.grace_s)


async def run(
    serve: Serve, settings: Settings, name: str, *, ready_fd: int | None = None, parent_fd: int | None = None
) -> int:
    """Run node `name` until it stops; returns the exit code.

    Args:
        serve: Runs the node.
        settings: The cluster's settings, in which `name` is a node.
        name: The node to run.
        ready_fd: Where to write `READY` once the node serves.
        parent_fd: A pipe that is closed at its other end when the supervisor is gone.
    """
    too_few = machine.raise_file_limit(settings.limits.clients)
    if too_few is not None:
        log.warning("open files allow fewer clients than limits.clients; raise ulimit -n", clients=too_few)
    stopper = Stopper(grace_s=settings.timeouts.stop)
    with trio.open_signal_receiver(*SIGNALS) as signals:
        async with trio.open_nursery() as watchers:
            watchers.start_soon(stopper.watch_signals, signals)
            if parent_fd is not None:
                watchers.start_soon(stopper.watch_parent, parent_fd)
            try:
                with stopper.scope:
                    await serve(settings, name, stop=stopper.stop, task_status=ReadyNotice(ready_fd))
                if stopper.scope.cancelled_caught:
                    log.warning("stopped before it had finished")
                code = exits.CLEAN
            except Exception as error:
                code = report(error)
            watchers.cancel_scope.cancel()
    if code == exits.CLEAN:
        log.info("stopped")
    return code


def report(error: Exception) -> int:
    """Log why a node ended: in words what its user can mend, in full what only we can; the exit code."""
    leaves = list(_leaves(error))
    if not all(isinstance(leaf, DynomiteError) for leaf in leaves):
        log.exception("crashed", exc_info=error)
        return exits.FAILED
    for leaf in leaves:
        log.error("cannot go on", reason=str(leaf))
    if any(isinstance(leaf, ConfigError) for leaf in leaves):
        return exits.MISUSE
    return exits.NO_ROOM if any(isinstance(leaf, NoRoomError) for leaf in leaves) else exits.FAILED


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
