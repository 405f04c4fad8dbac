"""The supervisor: all nodes of this machine, each in a process of its own.

It stops when it is told to, when a node finds the configuration wrong, or when no node runs any more.
Stopping is asking every node (SIGTERM), waiting, and at last SIGKILL. A node that was given up leaves the
others running: a cluster without one of its nodes still serves.
"""

import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from random import Random

import trio
from attrs import define, field

from trio_dynomite.launch.backoff import Backoff
from trio_dynomite.launch.child import Child
from trio_dynomite.launch.foreground import SIGNALS
from trio_dynomite.logs import get_logger

KILL_MARGIN_S = 2.0
"""How much longer than the nodes' own deadline the supervisor waits before it kills them."""

log = get_logger()


@define(kw_only=True)
class Supervisor:
    """Runs `commands`: a node's name and the command that runs it, to which two options are added."""

    commands: Mapping[str, Sequence[str]]
    grace_s: float
    """The nodes' own deadline for stopping."""
    on_all_ready: Callable[[Mapping[str, int]], None]
    """Called once, with the process id of each node, when all have become ready."""
    new_backoff: Callable[[], Backoff] = field(default=lambda: Backoff(rng=Random()))
    stop: trio.Event = field(factory=trio.Event, init=False)
    children: list[Child] = field(factory=list, init=False)
    ready: dict[str, int] = field(factory=dict, init=False)

    async def run(self) -> int:
        """Supervise until all nodes have ended; returns the exit code."""
        parent_fd, alive_fd = os.pipe()
        self.children = [self._child(name, parent_fd) for name in self.commands]
        try:
            with trio.open_signal_receiver(*SIGNALS) as signals:
                async with trio.open_nursery() as watchers:
                    watchers.start_soon(self._watch_signals, signals)
                    watchers.start_soon(self._kill_stragglers)
                    async with trio.open_nursery() as nodes:
                        for child in self.children:
                            nodes.start_soon(child.keep_running)
                    watchers.cancel_scope.cancel()
        finally:
            os.close(parent_fd)
            os.close(alive_fd)
        return max(child.code for child in self.children)

    def _child(self, name: str, parent_fd: int) -> Child:
        return Child(
            name=name,
            command=tuple(self.commands[name]),
            backoff=self.new_backoff(),
            parent_fd=parent_fd,
            stop=self.stop,
            on_ready=self._child_is_ready,
        )

    def _child_is_ready(self, name: str, pid: int) -> None:
        log.info("ready", child=name)
        first_time = len(self.ready) < len(self.commands)
        self.ready[name] = pid
        if first_time and len(self.ready) == len(self.commands) and not self.stop.is_set():
            self.on_all_ready(self.ready)

    async def _watch_signals(self, signals: AsyncIterator[int]) -> None:
        async for signum in signals:
            if self.stop.is_set():
                log.warning("stopping at once", signal=signal.Signals(signum).name)
                for child in self.children:
                    child.terminate()
            else:
                log.info("stopping all nodes", signal=signal.Signals(signum).name)
                self.stop.set()

    async def _kill_stragglers(self) -> None:
        await self.stop.wait()
        await trio.sleep(self.grace_s + KILL_MARGIN_S)
        for child in self.children:
            child.kill()
