"""The task that does what takes long for the logs of hints, in a thread: syncs them, and writes them anew."""

from collections.abc import Callable, Mapping

import trio
from attrs import define, field

from trio_dynomite.handoff.hints import HintQueue
from trio_dynomite.handoff.keeper import HintKeeper
from trio_dynomite.handoff.log import HintLog

_EVERY_S = 1.0


@define(eq=False)
class HintTask:
    """Looks after the logs of one node's hints."""

    keeper: HintKeeper
    queues: Callable[[], Mapping[str, HintQueue]]
    """The targets that there are now."""
    turn: Callable[[Callable[[], None]], object]
    every_s: float = _EVERY_S
    scope: trio.CancelScope = field(factory=trio.CancelScope)
    """Ends this task alone: turns go on to write what is missed, and nobody syncs or heals it."""

    async def run(self) -> None:
        """Again and again, until cancelled."""
        with self.scope:
            while True:
                await trio.sleep(self.every_s)
                self.turn(lambda: self.keeper.match(self.queues()))
                for log in list(self.keeper.logs.values()):
                    job = log.job()
                    if job is not None:
                        await self._work(log, job)

    async def _work(self, log: HintLog, job: Callable[[], None]) -> None:
        failure: OSError | None = None
        try:
            await trio.to_thread.run_sync(job)
        except OSError as why:
            failure = why
        self.turn(lambda: log.worked(failure))
