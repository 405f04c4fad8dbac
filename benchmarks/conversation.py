"""A load of several commands to an operation, which redis-benchmark cannot send: transactions.

Fifty connections each keep one batch of operations under way. So that the loader has less to do than the
server, batches are made before the clock starts and answers are only counted: the first is read with care,
and the others must be of its size.
"""

import random
import select
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import cycle

from attrs import frozen

from benchmarks.load import CONNECTIONS, RANDOM, RANDOM_KEYS, LoadError, LoadResult, Words, summary
from benchmarks.wire import Client, pack

SILENCE_S = 10.0
"""A server that says nothing for so long is given up."""
_PREPARED = 8192  # operations, which are sent again and again


class Talker:
    """One connection with one batch under way."""

    def __init__(self, client: Client, batches: Iterator[bytes], answer_bytes: int) -> None:
        self.client = client
        self._batches = batches
        self._answer_bytes = answer_bytes
        self._due = client.received
        self._began_s = 0.0

    def send(self) -> None:
        """Send the next batch."""
        request = next(self._batches)
        self._due += self._answer_bytes
        self._began_s = time.perf_counter()
        self.client.socket.sendall(request)

    def receive(self) -> bool:
        """Take what has come; whether the batch is answered."""
        self.client.receive()
        return self.client.received == self._due

    @property
    def took_s(self) -> float:
        """Time since the batch was sent."""
        return time.perf_counter() - self._began_s


@frozen(kw_only=True)
class Conversation:
    """An operation of several commands; `RANDOM` is the same number in all of them.

    Answers must always have the same size, as those of `GET` on values of one size or of `EXPIRE`."""

    commands: tuple[Words, ...]
    in_flight: int
    random_keys: int = RANDOM_KEYS

    @property
    def batch(self) -> int:
        """The operations that are under way at once."""
        return CONNECTIONS * self.in_flight

    def run(self, ports: Sequence[int], operations: int) -> LoadResult:
        """Do `operations`, in whole batches, on the server that listens on the first of `ports`."""
        with ExitStack() as stack:
            requests = list(self.requests(_PREPARED // self.in_flight, random.Random(operations)))
            answer_bytes = self._answer_bytes(requests[0], ports[0])
            talkers = [
                Talker(
                    stack.enter_context(Client(ports[0], timeout_s=SILENCE_S)),
                    cycle(requests[number:] + requests[:number]),
                    answer_bytes,
                )
                for number in range(CONNECTIONS)
            ]
            began_s = time.perf_counter()
            latencies = talk(talkers, operations // self.in_flight)
            return summary(latencies, operations, time.perf_counter() - began_s)

    def requests(self, count: int, chance: random.Random) -> Iterator[bytes]:
        """`count` batches, each of as many operations as are in flight."""
        for _ in range(count):
            yield b"".join(self._operation(chance.randrange(self.random_keys)) for _ in range(self.in_flight))

    def _answer_bytes(self, request: bytes, port: int) -> int:
        """The size of the answer to a batch. Raises ReplyError when there is an error in it."""
        with Client(port, timeout_s=SILENCE_S) as client:
            client.call_all(request, self.in_flight * len(self.commands))
            return client.received

    def _operation(self, number: int) -> bytes:
        numbered = f"{number:012d}"
        return b"".join(
            pack(tuple(word.replace(RANDOM, numbered) for word in words)) for words in self.commands
        )


def talk(talkers: Sequence[Talker], batches: int) -> list[float]:
    """Keep every talker busy until so many batches are answered; how long each took, in seconds."""
    latencies: list[float] = []
    talkers = talkers[:batches]
    by_descriptor = {talker.client.socket.fileno(): talker for talker in talkers}
    with select.epoll() as poll:
        for descriptor in by_descriptor:
            poll.register(descriptor, select.EPOLLIN)
        for talker in talkers:
            talker.send()
        unsent = batches - len(talkers)
        while len(latencies) < batches:
            for descriptor in ready(poll):
                talker = by_descriptor[descriptor]
                if not talker.receive():
                    continue
                latencies.append(talker.took_s)
                if unsent:
                    unsent -= 1
                    talker.send()
    return latencies


def ready(poll: select.epoll) -> list[int]:
    """The descriptors that have something. Raises LoadError when nothing comes."""
    found = [descriptor for descriptor, _ in poll.poll(SILENCE_S)]
    if not found:
        raise LoadError(f"no answer within {SILENCE_S:g} s")
    return found
