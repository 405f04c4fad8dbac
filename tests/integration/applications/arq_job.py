"""arq: a worker does jobs that another node was given, one of them for later, one that is retried."""

import asyncio
from typing import Any

from arq import Retry, create_pool
from arq.connections import RedisSettings
from arq.worker import Worker
from place import HOST, PORTS


async def double(context: dict[str, Any], number: int) -> int:
    return 2 * number


async def stubborn(context: dict[str, Any]) -> int:
    if context["job_try"] < 3:
        raise Retry(defer=0.1)
    return int(context["job_try"])


async def main() -> None:
    pool = await create_pool(RedisSettings(HOST, PORTS[0]))
    jobs = [await pool.enqueue_job("double", number) for number in range(10)]
    jobs.append(await pool.enqueue_job("stubborn"))
    jobs.append(await pool.enqueue_job("double", 100, _defer_by=0.5))
    assert await pool.enqueue_job("double", 1, _job_id="once")
    assert await pool.enqueue_job("double", 1, _job_id="once") is None
    worker = Worker(
        [double, stubborn], redis_settings=RedisSettings(HOST, PORTS[2]), burst=True, poll_delay=0.1
    )
    await worker.main()
    assert [await job.result(timeout=10) for job in jobs] == [*range(0, 20, 2), 3, 200]
    await worker.close()
    await pool.aclose()


asyncio.run(main())
