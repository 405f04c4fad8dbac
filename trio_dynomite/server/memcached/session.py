"""A memcached client's session: requests in, replies out in their order, with the machinery of Redis's
sessions.

What a request is for the coordinator is told in `requests.py`; what is said in Redis's words comes out in
memcached's.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

from attrs import define, field

from trio_dynomite.commands.memcached_rows import NAMES
from trio_dynomite.commands.row import Row
from trio_dynomite.errors import ProtocolError, TooMuchInputError
from trio_dynomite.model import Level
from trio_dynomite.protocol.memcached import RequestReader
from trio_dynomite.protocol.memcached_lines import Request
from trio_dynomite.server.memcached import permission, requests
from trio_dynomite.server.memcached.words import spoken
from trio_dynomite.server.modes import MONITORED, TIMED
from trio_dynomite.server.paced import QUEUE_MAX, TURN_BYTES, Paced
from trio_dynomite.server.place import Place

if TYPE_CHECKING:
    from trio_dynomite.access.user import User
    from trio_dynomite.coordinator.batch import Batch
    from trio_dynomite.server.memcached.service import Memcached

_ERROR = 45
"""The first byte of an error of Redis's protocol."""


@define(eq=False)
class MemcachedSession(Paced):
    """One client."""

    service: Memcached
    address: str
    """host:port of the client."""
    name: ClassVar[bytes] = b""
    """In the slow log; memcached's clients have none."""
    reader: RequestReader
    read_level: Level
    write_level: Level
    resp: int = 2
    hops: int = 0
    user: User = field(init=False)
    """Who it is: its permissions count at once when they are changed."""

    def received(self, data: bytes) -> None:
        """Bytes from the client: run every request in them."""
        mistake: ProtocolError | None = None
        try:
            found = self.reader.feed(data)
        except ProtocolError as error:
            found, mistake = getattr(error, "commands_before", []), error
        if found:
            self._run_or_wait(found, len(data))
        if mistake is not None and not self.is_closing:
            if isinstance(mistake, TooMuchInputError):
                self.server.too_much_input += 1
            else:
                self.server.protocol_errors += 1
            self._last_words = b""
            self._end_in_error()

    def _run(self, commands: list[Request]) -> None:
        out: list[bytes] = []
        queue, engine, service = self._queue, self.server.engine, self.service
        counts: dict[bytes, int] = {}
        watch = self.server.modes and self.server.modes & (MONITORED | TIMED)
        size, started = 0, perf_counter()
        for number, request in enumerate(commands):
            if (waits_for := self._must_wait_for(request)) is not None:
                self._put_off(commands[number:], waits_for)
                break
            verb = request.verb
            if verb in requests.ANSWERS:
                counts[verb] = counts.get(verb, 0) + 1
            reply = service.watched(self, request, self._answer) if watch else self._answer(request)
            if reply is None:
                if self._stall is not None or len(queue) > QUEUE_MAX or engine.is_loaded:
                    self._put_off(commands[number + 1 :])
                    break
                continue
            reply = spoken(reply)
            if queue:
                queue.append(Place(self, reply))
            elif reply:
                out.append(reply)
            size += len(reply)
            if size > TURN_BYTES:
                self._put_off(commands[number + 1 :])
                break
            if self.is_closing:
                break
        if counts:
            service.count(self, counts, commands, perf_counter() - started, is_counted=bool(watch))
        if out:
            self.pipe.write(b"".join(out))
        if self.is_closing:
            self.end()

    def _answer(self, request: Request) -> bytes | None:
        """The reply to a request, or None when a place in the queue was taken for it."""
        if request.reply and not request.words:
            return b"" if request.is_quiet else request.reply
        denial = None if self.user.is_all else permission.refusal(self, request)
        if denial is None and request.is_quiet:
            return self._unheard(request)
        return requests.ANSWERS[request.verb](self, request) if denial is None else denial

    def _unheard(self, request: Request) -> bytes | None:
        """Run a request that wants no reply."""
        reply = self.apart(lambda: requests.ANSWERS[request.verb](self, request))
        if reply is not None:
            return b""
        place = self._queue[-1]
        place.is_unheard = True
        place.batch = None
        return None

    def submit(self, row: Row, args: list[bytes]) -> bytes | None:
        """Have the coordinator run a command; its reply, or None when it comes later."""
        engine = self.server.engine
        return engine.submit_to(engine.table.locate(args[0]), row, [NAMES[row.name], *args], self)

    def wait_for(self, batch: Batch, need: int, reply: bytes) -> None:
        """`reply` may be sent when `batch` has `need` acknowledgements."""
        super().wait_for(batch, need, spoken(reply) if reply[0] == _ERROR else reply)

    def drain(self) -> None:
        """Send the replies at the head of the queue that have come."""
        for place in self._queue:
            if place.reply is None:
                break
            place.reply = spoken(place.reply)
        super().drain()

    def last_place(self) -> Place:
        """The place that the newest request has in the queue."""
        return self._queue[-1]

    def _must_wait_for(self, request: Request) -> Callable[[], object] | None:
        """What must be answered before this request, so that replies are as if they ran in order."""
        pause = self.server.pause
        if pause.is_on and (pause.is_for_all or requests.writes(request)):
            pause.held[self] = None
            return lambda: pause.is_on
        if self.pending_reads and requests.writes(request):
            return lambda: self.pending_reads
        if request.verb == b"flush_all" and self._queue and self.is_fetched_for:
            return lambda: self.is_waiting
        if self.remote_writes and request.verb == b"flush_all":
            return lambda: self.remote_writes
        return None

    def _forget(self) -> None:
        self.service.forget(self)
