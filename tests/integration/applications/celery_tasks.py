"""Celery with one node as its broker and another for results: the application that the worker loads."""

import os

from celery import Celery
from place import url

PREFIX = os.environ.get("KEY_PREFIX", "")
app = Celery("job", broker=url(0), backend=url(1))
app.conf.update(
    broker_transport_options={"global_keyprefix": PREFIX},
    result_backend_transport_options={"global_keyprefix": PREFIX},
    broker_connection_retry_on_startup=True,
)
tried: list[int] = []


@app.task
def add(one: int, two: int) -> int:
    return one + two


@app.task
def total(numbers: list[int]) -> int:
    return sum(numbers)


@app.task(bind=True)
def stubborn(self: object) -> int:
    """Succeeds at the third attempt."""
    tried.append(1)
    if len(tried) < 3:
        raise self.retry(countdown=0.1)  # type: ignore[attr-defined]
    return len(tried)
