"""A million keys: bytes of memory per key beside redis-server's, and the longest garbage collector pause."""

import subprocess
import time

from attrs import frozen

from benchmarks import proc
from benchmarks.fill import ELEMENT, Fill, value_of
from benchmarks.load import RANDOM, Load, LoadError, Words
from benchmarks.servers import Server
from benchmarks.wire import Client, ReplyError, parse_info

KEYS = 1_000_000
VALUE_BYTES = 32
MEMORY_RATIO = 4.0
PAUSE_MS = 20.0
PAUSE_FIELD = "gc_pause_ms_max"
MIXED_S = 5.0


@frozen(kw_only=True)
class Crowd:
    """Many keys of one kind: how one is written, and two commands on random ones of them, run at once."""

    what: str
    words: Words
    mixed: tuple[Words, ...]
    judged: bool = False
    """Whether the targets count."""


STRINGS = Crowd(
    what="key",
    words=("SET", f"key:{ELEMENT}", value_of(VALUE_BYTES)),
    mixed=(("SET", f"key:{RANDOM}", "x" * VALUE_BYTES), ("GET", f"key:{RANDOM}")),
    judged=True,
)
_FIELDS = ("name", "mail", "city", "seen")
HASHES = Crowd(
    what=f"hash of {len(_FIELDS)} fields",
    words=(
        "HSET",
        f"hash:{ELEMENT}",
        *(word for field in _FIELDS for word in (field, value_of(VALUE_BYTES))),
    ),
    mixed=(("HSET", f"hash:{RANDOM}", "seen", "x" * VALUE_BYTES), ("HGET", f"hash:{RANDOM}", "mail")),
)


@frozen(kw_only=True)
class Heap:
    """What `keys` keys cost. Pauses: the longest since the node began; None when INFO has none."""

    what: str = STRINGS.what
    keys: int
    redis_bytes: float
    our_bytes: float
    load_pause_ms: float | None
    mixed_pause_ms: float | None
    judged: bool = True

    @property
    def ratio(self) -> float:
        """Our memory per key over redis-server's."""
        return self.our_bytes / self.redis_bytes

    @property
    def pause_ms(self) -> float | None:
        """The longest pause of all."""
        known = [pause for pause in (self.load_pause_ms, self.mixed_pause_ms) if pause is not None]
        return max(known, default=None)


def added_bytes(server: Server, fill: Fill) -> float:
    """Write `fill` to a server; the resident memory that this added, per element."""
    before = proc.resident_bytes(server.pid)
    fill.write(server.port)
    return (proc.resident_bytes(server.pid) - before) / fill.total


def longest_pause_ms(port: int) -> float | None:
    """The longest garbage collector pause that a node reports, or None when it reports none."""
    with Client(port) as client:
        try:
            text = client.call("INFO", "stats")
        except ReplyError:
            return None
    value = parse_info(text.decode()).get(PAUSE_FIELD)
    return None if value is None else float(value)


def _background(words: Words, port: int, keys: int) -> subprocess.Popen[bytes]:
    argv = Load(words=words, in_flight=16, random_keys=keys).argv(port, keys, forever=True)
    return subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def mixed_load(port: int, commands: tuple[Words, ...], keys: int, duration_s: float) -> None:
    """`commands` on random keys at once, 50 connections each and 16 in flight, for `duration_s`."""
    processes = [_background(words, port, keys) for words in commands]
    try:
        time.sleep(duration_s)
        ended = [process.args for process in processes if process.poll() is not None]
        if ended:
            raise LoadError(f"the load ended before its time: {ended}")
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def measure(
    redis: Server, node: Server, crowd: Crowd = STRINGS, *, keys: int = KEYS, mixed_s: float = MIXED_S
) -> Heap:
    """Load `keys` keys into both, which must be empty, and watch the node's pauses."""
    fill = Fill(words=crowd.words, elements=keys)
    redis_bytes = added_bytes(redis, fill)
    our_bytes = added_bytes(node, fill)
    load_pause_ms = longest_pause_ms(node.port)
    mixed_load(node.port, crowd.mixed, keys, mixed_s)
    return Heap(
        what=crowd.what,
        keys=keys,
        redis_bytes=redis_bytes,
        our_bytes=our_bytes,
        load_pause_ms=load_pause_ms,
        mixed_pause_ms=longest_pause_ms(node.port),
        judged=crowd.judged,
    )
