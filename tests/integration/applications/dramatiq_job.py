"""dramatiq: a worker in this process does messages, with results, a retry, a delay and a group."""

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend
from place import HOST, PORTS

broker = RedisBroker(host=HOST, port=PORTS[0])
broker.add_middleware(Results(backend=RedisBackend(host=HOST, port=PORTS[2])))
dramatiq.set_broker(broker)
tried: list[int] = []


@dramatiq.actor(store_results=True)
def add(one: int, two: int) -> int:
    return one + two


@dramatiq.actor(store_results=True, max_retries=5, min_backoff=50, max_backoff=100)
def stubborn() -> int:
    tried.append(1)
    if len(tried) < 3:
        raise ValueError("once more")
    return len(tried)


worker = dramatiq.Worker(broker, worker_timeout=100, worker_threads=2)
worker.start()
assert add.send(1, 2).get_result(block=True, timeout=10_000) == 3
together = dramatiq.group([add.message(number, number) for number in range(10)]).run()
assert list(together.get_results(block=True, timeout=10_000)) == list(range(0, 20, 2))
assert stubborn.send().get_result(block=True, timeout=10_000) == 3
assert add.send_with_options(args=(2, 2), delay=200).get_result(block=True, timeout=10_000) == 4
broker.join("default", timeout=10_000)
worker.stop()
