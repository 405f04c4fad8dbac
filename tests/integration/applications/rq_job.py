"""rq: a worker takes jobs from two queues, one depends on another, one fails, one is for later."""

from datetime import timedelta

import redis
from place import HOST, PORTS, until
from rq import Queue, Worker
from rq.job import Job, JobStatus
from rq_tasks import double, fail

here, there = (redis.Redis(HOST, port) for port in (PORTS[0], PORTS[2]))
high, low = Queue("high", connection=here), Queue("low", connection=here)
first = high.enqueue(double, 21)
second = low.enqueue(double, 5, depends_on=first)
failing = low.enqueue(fail)
later = low.enqueue_in(timedelta(seconds=1), double, 7)
assert Worker(["high", "low"], connection=there).work(
    burst=True, with_scheduler=True, logging_level="WARNING"
)

assert Job.fetch(first.id, connection=here).return_value() == 42
assert second.return_value() == 10
assert failing.get_status() is JobStatus.FAILED
assert "on purpose" in failing.latest_result().exc_string
assert len(low.failed_job_registry) == 1


def done_later() -> int | None:
    Worker(["low"], connection=there).work(burst=True, with_scheduler=True, logging_level="WARNING")
    return later.return_value()  # type: ignore[no-any-return]


assert until(done_later, "the job for later") == 14
