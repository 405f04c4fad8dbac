"""A link: this node's requests and effects to one peer, and the peer's answers. No sockets, no clock.

The opener speaks first (HELLO) and asks; the other side (`acceptor`) answers. Many requests are under way at
once; what a turn collects leaves in one frame of each kind. Effects are acknowledged by a running count of
frames, so the oldest unacknowledged batches are always the ones that are answered next. When the link ends,
everything under way is resolved in the same turn: requests as failed, effects as hints.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import define, field

from trio_dynomite.data.effect import Flat
from trio_dynomite.errors import ProtocolError
from trio_dynomite.membership.member import encode_member
from trio_dynomite.peers.line import FrameLine, line_of
from trio_dynomite.protocol.frames import PROTOCOL, FrameReader, Kind, effects_head, encode, encode_body

if TYPE_CHECKING:
    from trio_dynomite.coordinator.batch import Batch
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.hub.channel import PeerPipe
    from trio_dynomite.peers.peer import Peer

_LONG_BYTES = 1 << 20
_MISTAKES = (ProtocolError, LookupError, TypeError, ValueError)
LOST = object()
"""The answer to a request whose link ended first."""
Answer = Callable[..., None]
"""Told the answer to a request, or LOST; to a command also the clock of its effects."""
DigestAnswer = Callable[[int | None, int], None]
"""Told the peer's digest (None when the link ended first) and ours as it was when the question left."""


@define(eq=False)
class Link:
    """The opener's end of a connection to a peer."""

    engine: Engine
    peer: Peer
    pipe: PeerPipe
    is_open: bool = False
    """The peer has welcomed us."""
    is_closed: bool = False
    was_welcome: bool = False
    on_closed: Callable[[], None] = lambda: None
    """Told when everything under way is resolved."""
    heard_s: float = 0.0
    """Monotonic time of the last sign of life: bytes from the peer, or that it took of a long frame."""
    ponged_s: float = 0.0
    """Monotonic time of its last answer to a ping."""
    unacked_bytes: int = 0
    _room_made: int = 0
    """As it was when we last looked."""
    _asked_s: deque[float] = field(factory=deque)
    """When the greeting and the pings left that are not answered yet."""
    _reader: FrameReader = field(factory=FrameReader)
    _unacked: deque[tuple[Batch, Flat, int, int]] = field(factory=deque)
    """(batch, effects, origin, bytes) of the frames that the peer has not acknowledged."""
    _acked: int = 0
    _answers: dict[int, Answer] = field(factory=dict)
    _next_id: int = 1
    _runs: list[Any] = field(factory=list)
    _digest_keys: list[Any] = field(factory=list)
    _digest_answers: list[DigestAnswer] = field(factory=list)
    _digests: deque[tuple[list[DigestAnswer], list[int]]] = field(factory=deque)
    """Who asked, and our own digests, per DIGEST frame under way."""
    _line: FrameLine | None = field(init=False)
    """Where frames wait, if storage is on a server."""

    def __attrs_post_init__(self) -> None:
        self._line = line_of(self.engine, self.pipe, self._handle_late)

    def start(self) -> None:
        """Say who we are."""
        engine, node = self.engine, self.engine.node
        self.heard_s = engine.mono_s
        self._asked_s.append(engine.mono_s)
        self.pipe.write(
            encode(
                Kind.HELLO,
                PROTOCOL,
                engine.roster.settings.cluster,
                engine.roster.settings.fingerprint,
                node.name,
                node.datacenter,
                node.rack,
                *engine.self_report(),
                encode_member(engine.roster.members.own),
            )
        )

    # What this node says

    def send_effects(
        self, body: bytes, batch: Batch, origin: int, effects: Flat, *, relay: bool = False, token: int = 0
    ) -> None:
        """Send an encoded [origin, effects]; `batch` hears of its acknowledgement or loss."""
        head = effects_head(Kind.RELAY if relay else Kind.EFFECTS, token, len(body))
        if len(body) > _LONG_BYTES:  # it goes behind its head as it is, without a copy
            self.pipe.write(head)
            self.pipe.write(body)
        else:
            self.pipe.write(head + body)
        self._unacked.append((batch, effects, origin, len(body)))
        self.unacked_bytes += len(body)
        batch.outstanding += 1

    @property
    def has_unacknowledged(self) -> bool:
        """Are effects under way?"""
        return bool(self._unacked)

    @property
    def bytes_behind(self) -> int:
        """Bytes of unacknowledged effects behind the oldest frame, which may be long by itself."""
        return self.unacked_bytes - (self._unacked[0][3] if self._unacked else 0)

    def look_at_pipe(self) -> None:
        """A peer that takes a long frame bit by bit lives, though our pings wait behind the frame."""
        if self.pipe.room_made != self._room_made:
            self._room_made = self.pipe.room_made
            self.heard_s = self.engine.mono_s

    def run(self, fields: list[Any], answer: Answer) -> None:
        """Ask the peer to serve a command: [read level, write level, protocol, scope, args]."""
        self._runs.append([self._ask(answer), *fields])
        self.engine.touch_link(self)

    def ask_digest(self, keys: bytes | list[bytes], answer: DigestAnswer) -> None:
        """Ask for the digest of a key, or the joint digest of several."""
        self._digest_keys.append(keys)
        self._digest_answers.append(answer)
        self.engine.touch_link(self)

    def fetch(self, keys: list[bytes], answer: Answer) -> None:
        """Ask for all that the peer knows of some keys."""
        self.pipe.write(encode(Kind.FETCH, self._ask(answer), keys))

    def sync(self, slots: list[int], digests: list[int], answer: Answer) -> None:
        """Ask for what the peer knows of the slots whose digests differ from ours."""
        self.pipe.write(encode(Kind.SYNC, self._ask(answer), slots, digests))

    def ping(self) -> None:
        """Ask for a sign of life, and tell our state."""
        self._asked_s.append(self.engine.mono_s)
        self.pipe.write(encode(Kind.PING, *self.engine.self_report()))

    def flush(self) -> None:
        """Send what the turn collected."""
        if self._runs:
            self.pipe.write(encode(Kind.RUN, self._runs))
            self._runs = []
        if self._digest_keys:
            self.pipe.write(encode(Kind.DIGEST, self._digest_keys))
            # Ours now: the effects of this turn left before, so the peer will have joined them.
            ours = [self.engine.replica.digest_of(keys) for keys in self._digest_keys]
            self._digests.append((self._digest_answers, ours))
            self._digest_keys, self._digest_answers = [], []

    def _ask(self, answer: Answer) -> int:
        number = self._next_id
        self._next_id = number + 1
        self._answers[number] = answer
        return number

    # What the peer answers

    def received(self, data: bytes) -> None:
        """Bytes from the peer."""
        self.heard_s = self.engine.mono_s
        handle = self._handle if self._line is None else self._line.take
        try:
            for kind, fields in self._reader.feed(data):
                handle(kind, fields)
        except _MISTAKES as error:
            self.close(f"{self.peer.name} broke the peer protocol: {error!r}")

    def _handle_late(self, kind: int, fields: list[Any]) -> None:
        """A frame that had to wait."""
        try:
            self._handle(kind, fields)
        except _MISTAKES as error:
            self.close(f"{self.peer.name} broke the peer protocol: {error!r}")

    def _handle(self, kind: int, fields: list[Any]) -> None:
        if self.is_closed:
            return
        if kind == Kind.ACK:
            self._on_ack(fields[0], fields[1])
        elif kind == Kind.RESULTS:
            for number, reply, clock in fields[0]:
                run_answer = self._answers.pop(number, None)
                if run_answer is not None:
                    run_answer(reply, clock)
        elif kind == Kind.DIGESTS:
            for answer, ours, theirs in zip(*self._digests.popleft(), fields[0], strict=True):
                answer(theirs, ours)
        elif kind in (Kind.RECORDS, Kind.SLOTS):
            self._answer(fields[0], fields[1:])
        elif kind == Kind.GAP:
            self.engine.replica.fill_gaps(self, fields[0])
        elif kind == Kind.PONG:
            self.ponged_s = self.engine.mono_s
            self.engine.roster.vouch(self.peer, self._asked_s.popleft())
            self.engine.roster.peer_said(self.peer, *fields)
        elif kind == Kind.REPORT:
            self.engine.roster.peer_said(self.peer, *fields)
        elif kind == Kind.WELCOME:
            self._on_welcome(fields)
        elif kind in (Kind.REFUSE, Kind.GOODBYE):
            self.close(f"{self.peer.name} said: {fields[0]}")

    def _on_welcome(self, fields: list[Any]) -> None:
        name, *report = fields
        if name != self.peer.name:
            self.close(f"expected {self.peer.name} there, found {name}")
            return
        self.is_open = self.was_welcome = True
        self.engine.roster.vouch(self.peer, self._asked_s.popleft())
        self.engine.roster.peer_said(self.peer, *report)
        self.engine.roster.link_opened(self.peer)

    def _on_ack(self, frames: int, doubted: list[int]) -> None:
        while self._acked < frames:
            self._acked += 1
            batch, _, _, size = self._unacked.popleft()
            self.unacked_bytes -= size
            if doubted and self._acked in doubted:
                # It joined them, and may have followed another primary, which had not heard of them.
                self.engine.roster.disagree(self.peer)
                batch.lost()
            else:
                batch.acked()

    def _answer(self, number: int, value: Any) -> None:
        answer = self._answers.pop(number, None)
        if answer is not None:
            answer(value)

    def give_up_waiting(self) -> None:
        """Whoever waits for the peer to have something is told that its outcome is unknown."""
        for batch, *_ in self._unacked:
            batch.expire()

    # The end

    def close(self, reason: str) -> None:
        """End the link."""
        self.pipe.close(reason)

    def drained(self) -> None:
        """Nothing waits for room here."""

    def closed(self, reason: str) -> None:
        """The connection has ended: everything under way is resolved now."""
        if self.is_closed:
            return
        self.is_closed, self.is_open = True, False
        self.engine.roster.link_lost(self.peer, self, reason)
        lost = list(self._unacked)
        self._unacked.clear()
        for batch, effects, origin, _ in lost:
            if not batch.is_owed:
                self.peer.hints.append(origin, effects)
            batch.lost()
        for answer in list(self._answers.values()):
            answer(LOST)
        self._answers.clear()
        self.forget_digests()
        self.on_closed()

    def forget_digests(self) -> None:
        """Those who asked for digests get none, as if the link had ended; what comes is not heard."""
        asked = [answer for answers, _ in self._digests for answer in answers] + self._digest_answers
        self._digests = deque([([_unheard] * len(answers), ours) for answers, ours in self._digests])
        self._digest_keys, self._digest_answers = [], []
        for digest_answer in asked:
            digest_answer(None, 0)


def _unheard(theirs: int | None, ours: int) -> None:
    """Nobody waits for this digest any more."""


def encode_effects(origin: int, effects: Flat) -> bytes:
    """The body of an EFFECTS or RELAY frame; the same bytes go to every replica."""
    return encode_body([origin, effects])
