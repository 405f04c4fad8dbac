"""huey: consumers in this process do tasks, one for later, one that is retried, one with a lock."""

from typing import Any

from huey import PriorityRedisHuey, RedisHuey
from place import HOST, PORTS, until


def make(kind: Any, port: int) -> tuple[Any, list[Any], list[int]]:
    """A queue, what it was given to do, and the attempts at a task that succeeds at the third."""
    huey = kind(f"job-{kind.__name__}", host=HOST, port=port, read_timeout=0.2)
    tried: list[int] = []

    @huey.task()
    def add(one: int, two: int) -> int:
        return one + two

    @huey.task(retries=2)
    def stubborn() -> None:
        tried.append(len(tried))
        if len(tried) < 3:
            raise ValueError("once more")

    @huey.task()
    def locked() -> str:
        with huey.lock_task("alone"):
            return "locked"

    stubborn()
    results = [add(number, number) for number in range(10)]
    return huey, [*results, locked(), add.schedule((1, 1), delay=1)], tried


queues = [make(RedisHuey, PORTS[0]), make(PriorityRedisHuey, PORTS[1])]
consumers = [huey.create_consumer(workers=2, periodic=False, initial_delay=0.02) for huey, _, _ in queues]
for consumer in consumers:
    consumer.start()
for huey, results, tried in queues:
    got = [result.get(blocking=True, timeout=15) for result in results]
    assert got == [*range(0, 20, 2), "locked", 2], got
    until(lambda tried=tried: len(tried) == 3, "the task that was tried again")
    until(lambda huey=huey: huey.pending_count() == 0, "nothing is left")
for consumer in consumers:
    consumer.stop(graceful=True)
