"""limits: every strategy, on the plain and on the cluster client; two nodes count together."""

from limits import RateLimitItemPerMinute
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, SlidingWindowCounterRateLimiter
from place import HOST, PORTS, url

LIMIT = RateLimitItemPerMinute(6)
for name, addresses in {
    "plain": (url(0), url(2)),
    "cluster": [f"redis+cluster://{HOST}:{port}" for port in (PORTS[0], PORTS[2])],
}.items():
    storages = [storage_from_string(address) for address in addresses]
    for strategy in (FixedWindowRateLimiter, MovingWindowRateLimiter, SlidingWindowCounterRateLimiter):
        here, there = (strategy(storage) for storage in storages)
        who = (name, strategy.__name__)
        allowed = [limiter.hit(LIMIT, *who) for _ in range(4) for limiter in (here, there)]
        assert allowed == [True] * 6 + [False] * 2, who
        assert here.get_window_stats(LIMIT, *who).remaining == 0
        here.clear(LIMIT, *who)
        assert there.hit(LIMIT, *who)
