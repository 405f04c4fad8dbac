"""A load of messages: one connection publishes, many listen, and the next batch waits until all have this.

So nobody is ever behind, whatever the servers' speed, and a message that does not arrive ends the run.
"""

import select
import time
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import repeat

from attrs import frozen

from benchmarks.conversation import SILENCE_S, Talker, ready
from benchmarks.load import LoadResult, Words, summary
from benchmarks.wire import Client, pack

SUBSCRIBERS = 50


class Listener:
    """A subscriber. All messages are the same, so it is enough to count bytes, which is quick."""

    def __init__(self, client: Client, channel: str) -> None:
        self.client = client
        client.call("SUBSCRIBE", channel)
        self._due = client.received

    def expect(self, size: int) -> None:
        """So many bytes more will come."""
        self._due += size

    def receive(self) -> bool:
        """Take what has come; whether that is all."""
        self.client.receive()
        return self.client.received == self._due


@frozen(kw_only=True)
class FanOut:
    """`words` is the PUBLISH. The subscribers are spread over all servers, the publisher is on the first."""

    words: Words
    in_flight: int
    subscribers: int = SUBSCRIBERS

    @property
    def batch(self) -> int:
        """The operations that are under way at once: there is one publisher."""
        return self.in_flight

    @property
    def message_bytes(self) -> int:
        """What each subscriber gets of one message."""
        _, channel, message = self.words
        return len(pack(("message", channel, message)))

    @property
    def reply_bytes(self) -> int:
        """What the publisher gets: everybody is counted."""
        return len(f":{self.subscribers}\r\n")

    @property
    def request(self) -> bytes:
        """What is sent at once."""
        return pack(self.words) * self.in_flight

    def run(self, ports: Sequence[int], operations: int) -> LoadResult:
        """Publish `operations` messages in whole batches. A latency ends when the last subscriber has all."""
        with ExitStack() as stack:
            clients = [
                stack.enter_context(Client(ports[number % len(ports)], timeout_s=SILENCE_S))
                for number in range(self.subscribers + 1)
            ]
            publisher = Talker(clients[0], repeat(self.request), self.in_flight * self.reply_bytes)
            listeners = [Listener(client, self.words[1]) for client in clients[1:]]
            began_s = time.perf_counter()
            latencies = self._publish(publisher, listeners, operations // self.in_flight)
            return summary(latencies, operations, time.perf_counter() - began_s)

    def _publish(self, publisher: Talker, listeners: Sequence[Listener], batches: int) -> list[float]:
        latencies = []
        everybody: list[Talker | Listener] = [publisher, *listeners]
        by_descriptor = {each.client.socket.fileno(): each for each in everybody}
        size = self.in_flight * self.message_bytes
        with select.epoll() as poll:
            for descriptor in by_descriptor:
                poll.register(descriptor, select.EPOLLIN)
            for _ in range(batches):
                for listener in listeners:
                    listener.expect(size)
                publisher.send()
                unserved = len(everybody)
                while unserved:
                    unserved -= sum(by_descriptor[descriptor].receive() for descriptor in ready(poll))
                latencies.append(publisher.took_s)
        return latencies
