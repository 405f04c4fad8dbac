"""The task that does what takes long for the logs of hints, in a thread: syncs them, and writes them anew."""

from collections.abc import Callable, Mapping

import trio

from trio_dynomite.handoff.hints import HintQueue
from trio_dynomite.handoff.keeper import HintKeeper
from trio_dynomite.handoff.log import HintLog

_EVERY_S = 1.0


async def tend(
    keeper: HintKeeper,
    queues: Callable[[], Mapping[str, HintQueue]],
    turn: Callable[[Callable[[], None]], object],
) -> None:
    """Look after the logs of `queues`, once a second, until cancelled."""
    while True:
        await trio.sleep(_EVERY_S)
        turn(lambda: keeper.match(queues()))
        for log in list(keeper.logs.values()):
            job = log.job()
            if job is not None:
                await _work(log, job, turn)


async def _work(log: HintLog, job: Callable[[], None], turn: Callable[[Callable[[], None]], object]) -> None:
    failure: OSError | None = None
    try:
        await trio.to_thread.run_sync(job)
    except OSError as why:
        failure = why
    turn(lambda: log.worked(failure))
