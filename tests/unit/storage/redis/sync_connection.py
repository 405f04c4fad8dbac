"""A connection to a server for tests: what it is asked leaves, and is answered, when `pump` is called."""

import socket
from collections import deque
from collections.abc import Callable
from typing import Any

import hiredis

from trio_dynomite.protocol.resp_replies import ReplyScanner
from trio_dynomite.storage.servers.pipe import LOST


class SyncConnection:
    """`remote.driver.Connection`, and a plain client."""

    def __init__(self, wire: socket.socket, new_scanner: Callable[[], Any] = ReplyScanner) -> None:
        self._wire = wire
        self._scanner = new_scanner()
        self._unsent: list[bytes] = []
        self._waiting: deque[Callable[[Any], None]] = deque()
        self.sent = 0
        """Bytes."""
        self.closed: str | None = None
        self.requests: list[bytes] = []
        """The last that were sent."""

    def send(self, data: bytes, on_reply: Callable[[Any], None]) -> None:
        """Send a request with the next `pump`."""
        self._unsent.append(data)
        self._waiting.append(on_reply)

    def send_all(self, data: bytes, count: int, on_replies: Callable[[Any], None]) -> None:
        """Likewise; it has several replies."""
        replies: list[bytes] = []

        def replied(reply: Any) -> None:
            replies.append(reply)
            if len(replies) == count or reply is LOST:
                on_replies(reply if reply is LOST else replies)

        self._unsent.append(data)
        self._waiting += [replied] * count

    def close(self, reason: str = "") -> None:
        """The store has given up."""
        self.closed = reason

    def pump(self) -> None:
        """Send what is to be sent and wait for the replies, until nobody asks any more."""
        while self._waiting and self.closed is None:
            if self._unsent:
                self.requests, self._unsent = self._unsent, []
                data = b"".join(self.requests)
                self.sent += len(data)
                self._wire.sendall(data)
            for reply in self._scanner.feed(self._wire.recv(1 << 20)):
                self._waiting.popleft()(reply)
        assert self.closed is None, self.closed

    def cut(self, arriving: int, answered: int) -> None:
        """The connection ends: so many requests still arrive, and so many replies."""
        requests, self._unsent = self._unsent[:arriving], []
        self._wire.sendall(b"".join(requests))
        replies: list[bytes] = []
        while len(replies) < len(requests):
            replies += self._scanner.feed(self._wire.recv(1 << 20))
        for reply in replies[:answered]:
            self._waiting.popleft()(reply)
        self.lose()

    @property
    def is_idle(self) -> bool:
        """Does nobody wait for a reply?"""
        return not self._waiting

    def lose(self) -> None:
        """What is under way is lost: some of it may have been done."""
        self._unsent.clear()
        while self._waiting:
            self._waiting.popleft()(LOST)

    def ask_anew(self, *words: bytes | str | int) -> Any:
        """`ask`, though the store gave up."""
        self.lose()
        self.closed = None
        return self.ask(*words)

    def ask(self, *words: bytes | str | int) -> Any:
        """One request and its reply as a value; an error is raised."""
        answers: list[Any] = []
        self.send(hiredis.pack_command(words), answers.append)  # type: ignore[arg-type]
        self.pump()
        reader = hiredis.Reader()
        reader.feed(answers[0])
        answer = reader.gets()
        if isinstance(answer, Exception):
            raise answer
        return answer
