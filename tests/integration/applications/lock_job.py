"""redis-py's Lock: who holds it on one node holds it on all, and none is held twice."""

import threading

import redis
from place import HOST, PORTS
from redis.exceptions import LockError, LockNotOwnedError

nodes = [redis.Redis(HOST, port) for port in PORTS]
lock = nodes[0].lock("door", timeout=10)
assert lock.acquire()
assert not nodes[1].lock("door", timeout=10).acquire(blocking=False)
assert nodes[2].lock("door").locked()
assert lock.extend(20)
assert lock.reacquire()
lock.release()
try:
    lock.release()
except LockError:
    pass
else:
    raise AssertionError("a lock was released twice")

short = nodes[1].lock("short", timeout=0.05)
assert short.acquire()
taken = nodes[2].lock("short", timeout=10, sleep=0.01)
assert taken.acquire(blocking_timeout=5)
try:
    short.release()
except LockNotOwnedError:
    pass
else:
    raise AssertionError("a lock that had run out was released")


def count(node: redis.Redis) -> None:
    for _ in range(10):
        with node.lock("counting", timeout=10, sleep=0.001):
            node.set("counted", int(node.get("counted") or 0) + 1)


threads = [threading.Thread(target=count, args=(node,)) for node in nodes]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert nodes[0].get("counted") == b"30"
