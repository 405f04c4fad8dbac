"""Probes: one member after the other is asked whether it is there, by us and then by others for us (SWIM).

Members are taken from a shuffled list, so that each is probed once a round, at the latest after two. A
probe that is not answered in `probe_timeout_s` is repeated, and made by a few others as well, each of which
says as well when it had no answer (a nack): whoever hears nothing at all should doubt itself (`health.py`).
Its end after `interval_s` is a suspicion. All times stretch with this node's own health.
"""

from typing import TYPE_CHECKING

from attrs import define, field

from trio_dynomite.membership.member import Member
from trio_dynomite.membership.messages import Ack, Address, Ask, Kind, Nack, Ping
from trio_dynomite.membership.outbox import Outbox
from trio_dynomite.membership.table import Table, address_of

if TYPE_CHECKING:
    import random

RELAYS_MAX = 256
"""Probes that are made for others at once; more are refused, and counted."""
PINGS_MAX = 1024
"""Pings whose answers are waited for; the oldest are given up."""
NACK_SHARE = 0.6
"""The part of `probe_timeout_s` after which a probe for somebody else counts as unanswered."""
MISSED_POINTS_MAX = 3


@define
class Probe:
    """The probe of this round."""

    name: str
    number: int
    ask_at_s: float
    ends_at_s: float
    asked: int = -1
    """How many were asked to help; -1 before that."""
    nacks: int = 0
    is_answered: bool = False


@define
class Relay:
    """A ping for somebody else."""

    number: int
    """The asker's number of it."""
    asker: Address
    asker_name: str
    nack_at_s: float
    ends_at_s: float
    is_nacked: bool = False


@define(eq=False)
class Prober:
    """The probes of one node."""

    table: Table
    outbox: Outbox
    rng: "random.Random"
    relays_refused: int = 0
    probe: Probe | None = None
    urgent: dict[str, None] = field(factory=dict)
    """Members to be probed before all others."""
    next_s: float = 0.0
    """When the next probe begins."""
    _order: list[str] = field(factory=list)
    _numbers: int = 0
    _pings: dict[int, str] = field(factory=dict)
    """Number → who was pinged."""
    _relays: dict[int, Relay] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self._numbers = self.rng.getrandbits(31)

    def ping(self, member: Member) -> int:
        """Ask a member whether it is there; the number of the ping."""
        return self.ping_at(address_of(member), member.name)

    def ping_at(self, address: Address, name: str) -> int:
        """Ask whoever is at `address` whether it is `name`; the number of the ping."""
        self._numbers = (self._numbers + 1) % (1 << 32)
        self._pings[self._numbers] = name
        if len(self._pings) > PINGS_MAX:
            del self._pings[next(iter(self._pings))]
        self.outbox.send(address, Kind.PING, self._numbers, name, to=name)
        return self._numbers

    def doubt(self, known: Member, told: Member) -> None:
        """Somebody holds this member for dead: let it know, and see for ourselves as soon as may be."""
        self.urgent[known.name] = None
        self.outbox.tell_of(address_of(known), told)

    @property
    def is_waiting(self) -> bool:
        """Is an answer outstanding, to us or to somebody else?"""
        return bool(self._relays) or (self.probe is not None and not self.probe.is_answered)

    # Time

    def tick(self, now_s: float) -> str | None:
        """Go on with probes; the name of a member that did not answer."""
        self._tick_relays(now_s)
        failed = None
        probe = self.probe
        if probe is not None and probe.asked < 0 and now_s >= probe.ask_at_s and not probe.is_answered:
            self._ask_others(probe)
        if probe is not None and now_s >= probe.ends_at_s:
            self.probe = None
            if not probe.is_answered:
                failed = self._judge(probe)
        if self.probe is None and now_s >= self.next_s:
            self._start(now_s)
        return failed

    def _start(self, now_s: float) -> None:
        interval_s = self.table.settings.interval_s * self.table.health.stretch
        # A little chance, so that the nodes of a cluster do not fall into step.
        self.next_s = now_s + self.table.settings.interval_s * self.rng.uniform(0.9, 1.1)
        member = self._next_member()
        if member is None:
            return
        number = self.ping(member)
        timeout_s = self.table.settings.probe_timeout_s * self.table.health.stretch
        self.probe = Probe(member.name, number, now_s + timeout_s, now_s + interval_s)

    def _next_member(self) -> Member | None:
        """The next of the shuffled list who still takes part; newcomers get a place in it by chance."""
        if self._order:
            for name in self.table.fresh:
                self._order.insert(self.rng.randint(0, len(self._order)), name)
        self.table.fresh.clear()
        for _ in range(2):
            while self.urgent or self._order:
                name = next(iter(self.urgent)) if self.urgent else self._order.pop()
                self.urgent.pop(name, None)
                member = self.table.get(name)
                if member is not None and member.is_here and member.name != self.table.me:
                    return member
            self._order = self.table.names()
            self.rng.shuffle(self._order)
        return None

    def _ask_others(self, probe: Probe) -> None:
        helpers = self.table.draw(self.rng, self.table.settings.indirect_probes, probe.name)
        for helper in helpers:
            self.outbox.send(address_of(helper), Kind.ASK, probe.number, probe.name, to=helper.name)
        probe.asked = len(helpers)
        member = self.table.get(probe.name)
        if member is not None:
            self.outbox.send(address_of(member), Kind.PING, probe.number, probe.name, to=probe.name)

    def _judge(self, probe: Probe) -> str | None:
        """Nobody had an answer: whose fault is it?"""
        silent = max(probe.asked, 0) - probe.nacks
        self.table.health.missed(min(silent, MISSED_POINTS_MAX) if probe.asked > 0 else 1)
        member = self.table.get(probe.name)
        return probe.name if member is not None and member.is_here else None

    def skip(self) -> None:
        """This node was paused: the probe under way says nothing, and others wait for theirs no more."""
        self.probe = None
        self._relays.clear()

    # Answers

    def pinged(self, message: Ping, address: Address) -> bool:
        """Somebody asks whether we are there. False when it means somebody else."""
        is_our_own = message.sender == self.table.me and message.number in self._pings
        if is_our_own or message.name not in ("", self.table.me):
            return False
        self.outbox.send(address, Kind.ACK, message.number, to=message.sender)
        return True

    def acked(self, message: Ack) -> str | None:
        """A ping was answered: by whom, or for whom."""
        name = self._pings.pop(message.number, None)
        relay = self._relays.pop(message.number, None)
        if relay is not None:
            self.outbox.send(relay.asker, Kind.ACK, relay.number, to=relay.asker_name)
        probe = self.probe
        if probe is not None and probe.number == message.number and not probe.is_answered:
            probe.is_answered = True
            self.table.health.answered()
        return name

    def nacked(self, message: Nack) -> None:
        """Somebody who was asked to help is there, but had no answer."""
        if self.probe is not None and self.probe.number == message.number:
            self.probe.nacks += 1

    def asked(self, message: Ask, address: Address, now_s: float) -> None:
        """Ping somebody for somebody else."""
        member = self.table.get(message.name)
        if member is None or len(self._relays) >= RELAYS_MAX:
            self.relays_refused += 1
            return
        timeout_s = self.table.settings.probe_timeout_s
        self._relays[self.ping(member)] = Relay(
            message.number, address, message.sender, now_s + NACK_SHARE * timeout_s, now_s + 4 * timeout_s
        )

    def _tick_relays(self, now_s: float) -> None:
        for number, relay in list(self._relays.items()):
            if now_s >= relay.ends_at_s:
                del self._relays[number]
            elif now_s >= relay.nack_at_s and not relay.is_nacked:
                relay.is_nacked = True
                self.outbox.send(relay.asker, Kind.NACK, relay.number, to=relay.asker_name)
