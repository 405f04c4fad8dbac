"""The lives of a node: one, as a rule; when the server that keeps its records is lost, another follows."""

from collections.abc import Callable

import trio
from attrs import define

from trio_dynomite import durable
from trio_dynomite.config import Settings, kinds
from trio_dynomite.datastore import managed_server
from trio_dynomite.logs import get_logger
from trio_dynomite.node import NodeProcess
from trio_dynomite.storage.servers.managed import ManagedServer

_SHORT_S = 10.0
"""A life that was no longer is followed by the next after a pause."""
_PAUSE_S = 1.0

log = get_logger()


async def run(
    settings: Settings,
    name: str,
    *,
    stop: trio.Event | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run node `name` of `settings` until `stop` is set (then it ends in order) or it is cancelled."""
    stop = trio.Event() if stop is None else stop
    own = settings.of_node(name)
    if own.storage.engine not in kinds.SERVED:
        await NodeProcess(settings, name).run(stop, task_status)
        return
    managed = managed_server(own, durable.folder_of(own, name))
    async with trio.open_nursery() as nursery:
        if managed is not None:
            await _start(managed, nursery, stop)
        await _live_on(lambda: NodeProcess(settings, name, managed), stop, _FirstTime(task_status))
        nursery.cancel_scope.cancel()


async def _start(managed: ManagedServer, nursery: trio.Nursery, stop: trio.Event) -> None:
    """Have the server run: it may load for long, and is ended when `stop` is set meanwhile."""
    async with trio.open_nursery() as starting:
        starting.start_soon(_cancel_at, stop, nursery.cancel_scope)
        await nursery.start(managed.run)
        starting.cancel_scope.cancel()


async def _cancel_at(stop: trio.Event, scope: trio.CancelScope) -> None:
    await stop.wait()
    scope.cancel()


async def _live_on(begin: Callable[[], NodeProcess], stop: trio.Event, status: trio.TaskStatus[None]) -> None:
    """One life after the other, until `stop` is set."""
    while not stop.is_set():
        began_s = trio.current_time()
        life = begin()
        await life.run(stop, status)
        if life.service is not None and life.service.lost:
            log.warning(
                "the storage server is lost, and this life of the node with it", why=life.service.lost
            )
        if trio.current_time() < began_s + _SHORT_S:
            with trio.move_on_after(_PAUSE_S):
                await stop.wait()


@define
class _FirstTime:
    """A task's status that may be told more than once that the task has started."""

    status: trio.TaskStatus[None]
    is_told: bool = False

    def started(self, value: None = None) -> None:
        """It has."""
        if not self.is_told:
            self.is_told = True
            self.status.started()
