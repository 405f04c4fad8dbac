"""A million keys: bytes of memory per key beside redis-server's, and the longest garbage collector pause."""

import subprocess
import time

from attrs import frozen

from benchmarks import proc
from benchmarks.load import Load
from benchmarks.servers import Server
from benchmarks.wire import Client, ReplyError, fill, parse_info

KEYS = 1_000_000
VALUE_BYTES = 32
KEY_PATTERN = "key:%012d"
MEMORY_RATIO = 4.0
PAUSE_MS = 20.0
PAUSE_FIELD = "gc_pause_ms_max"
MIXED_S = 5.0


@frozen(kw_only=True)
class Heap:
    """What `keys` keys cost. Pauses: the longest since the node began; None when INFO has none."""

    keys: int
    redis_bytes: float
    our_bytes: float
    load_pause_ms: float | None
    mixed_pause_ms: float | None

    @property
    def ratio(self) -> float:
        """Our memory per key over redis-server's."""
        return self.our_bytes / self.redis_bytes

    @property
    def pause_ms(self) -> float | None:
        """The longest pause of all."""
        known = [pause for pause in (self.load_pause_ms, self.mixed_pause_ms) if pause is not None]
        return max(known, default=None)


def bytes_per_key(server: Server, keys: int) -> float:
    """Load `keys` keys of 16 bytes into an empty server; resident memory that they added, per key."""
    before = proc.resident_bytes(server.pid)
    fill(server.port, KEY_PATTERN, keys, VALUE_BYTES)
    return (proc.resident_bytes(server.pid) - before) / keys


def longest_pause_ms(port: int) -> float | None:
    """The longest garbage collector pause that a node reports, or None when it reports none."""
    with Client(port) as client:
        try:
            text = client.call("INFO", "stats")
        except ReplyError:
            return None
    value = parse_info(text.decode()).get(PAUSE_FIELD)
    return None if value is None else float(value)


def _background(op: str, port: int, keys: int) -> subprocess.Popen[bytes]:
    work = Load(op=op, key="key:__rand_int__", value_bytes=VALUE_BYTES, in_flight=16, random_keys=keys)
    argv = work.argv(port, keys, forever=True)
    return subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def mixed_load(port: int, keys: int, duration_s: float) -> None:
    """GET and SET of random keys at once, 50 connections each and 16 in flight, for `duration_s`."""
    processes = [_background(op, port, keys) for op in ("SET", "GET")]
    try:
        time.sleep(duration_s)
        ended = [process.args for process in processes if process.poll() is not None]
        if ended:
            raise RuntimeError(f"the load ended before its time: {ended}")
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def measure(redis: Server, node: Server, *, keys: int = KEYS, mixed_s: float = MIXED_S) -> Heap:
    """Load `keys` keys into both, which must be empty, and watch the node's pauses."""
    redis_bytes = bytes_per_key(redis, keys)
    our_bytes = bytes_per_key(node, keys)
    load_pause_ms = longest_pause_ms(node.port)
    mixed_load(node.port, keys, mixed_s)
    return Heap(
        keys=keys,
        redis_bytes=redis_bytes,
        our_bytes=our_bytes,
        load_pause_ms=load_pause_ms,
        mixed_pause_ms=longest_pause_ms(node.port),
    )
