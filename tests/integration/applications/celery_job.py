"""Celery: a worker in a process of its own does a chord, a retried task, a task for later, a revoked one."""

import subprocess
import sys

from celery import chord, group
from celery_tasks import add, app, stubborn, total

WORKER = ["worker", "--pool=solo", "--loglevel=warning", "--without-mingle", "--without-gossip"]

with subprocess.Popen([sys.executable, "-m", "celery", "-A", "celery_tasks", *WORKER]) as worker:
    try:
        assert add.delay(1, 2).get(timeout=20) == 3
        together = group(add.s(number, number) for number in range(10))
        assert together.apply_async().get(timeout=20) == [2 * number for number in range(10)]
        assert chord([add.s(number, 1) for number in range(10)])(total.s()).get(timeout=20) == 55
        assert (add.s(1, 1) | add.s(3)).apply_async().get(timeout=20) == 5
        assert stubborn.delay().get(timeout=20) == 3
        assert add.apply_async((4, 4), countdown=0.3).get(timeout=20) == 8
        pong = app.control.inspect(timeout=1).ping()
        assert [list(answer) for answer in pong.values()] == [["ok"]]
    finally:
        worker.terminate()
