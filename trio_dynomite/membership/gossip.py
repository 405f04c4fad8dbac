"""Gossip: the machine of one node, from datagrams and the time to datagrams, events and the membership.

SWIM (probes, indirect probes, suspicion with incarnations, rumours that ride on probes) with Lifeguard
(this node doubts itself first), and an exchange of all that is known. Fresh news is also told to a few at
once, so that a cluster knows of a death in little more than the time that its suspicion takes. A node that
was paused, which it sees by its own clock, holds nothing against anybody that it did not hear meanwhile.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from trio_dynomite.errors import ProtocolError
from trio_dynomite.membership.events import Event
from trio_dynomite.membership.exchange import Exchange
from trio_dynomite.membership.hearing import Hearing
from trio_dynomite.membership.member import Member, Status
from trio_dynomite.membership.messages import (
    Ack,
    Address,
    AnyMessage,
    Ask,
    Compare,
    ForeignError,
    Kind,
    Nack,
    Page,
    Ping,
    cluster_head,
    decode,
)
from trio_dynomite.membership.names import Names
from trio_dynomite.membership.outbox import Outbox
from trio_dynomite.membership.prober import Prober
from trio_dynomite.membership.settings import GossipSettings
from trio_dynomite.membership.suspicion import Suspicion
from trio_dynomite.membership.table import Table, address_of
from trio_dynomite.membership.view import Membership
from trio_dynomite.model import NodeState

if TYPE_CHECKING:
    import random

LEAVE_FANOUT = 10
"""How many are told at once that we leave."""
_FORGET_EVERY_S = 60.0


@define
class Counters:
    """What went in and out."""

    datagrams_in: int = 0
    datagrams_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    foreign: int = 0
    """Datagrams of another cluster, or no gossip at all."""
    malformed: int = 0
    misdirected: int = 0
    """Meant for another node, which was at our address."""


@define(eq=False)
class Gossip:
    """Gossip as one node does it."""

    settings: GossipSettings
    head: bytes
    table: Table
    outbox: Outbox
    hearing: Hearing
    names: Names
    prober: Prober
    exchange: Exchange
    rng: "random.Random"
    contacts: tuple[Address, ...] = ()
    """Where to ask when nobody is known, and now and then besides."""
    counters: Counters = field(factory=Counters)
    now_s: float = 0.0
    """When it was last called."""
    _curious_at_s: float = 0.0
    """Not before this time compare with somebody unexpected again."""
    _exchange_at_s: float = 0.0
    _bury_at_s: float = 0.0
    _forget_at_s: float = 0.0

    @property
    def membership(self) -> Membership:
        """Who is known now."""
        return self.table.view

    def take_events(self) -> list[Event]:
        """What happened since this was last asked."""
        taken, self.table.events = self.table.events, []
        return taken

    def take_datagrams(self) -> list[tuple[Address, bytes]]:
        """What has to be sent now."""
        taken = self.outbox.take()
        if self.names.is_refused:
            return []
        self.counters.datagrams_out += len(taken)
        self.counters.bytes_out += sum(len(data) for _, data in taken)
        return taken

    # What this node says of itself

    def announce(self, now_s: float, *, state: NodeState) -> None:
        """Where this node stands in its life now."""
        me = self.table.my
        if me.state is not state and me.status is Status.ALIVE:
            self.table.put(evolve(me, state=state, incarnation=me.incarnation + 1), now_s)

    def leave(self, now_s: float) -> None:
        """This node stops: tell some at once, who tell the others."""
        me = self.table.my
        if me.status is not Status.ALIVE:
            return
        self.table.put(evolve(me, status=Status.LEFT), now_s)
        self._tell(LEAVE_FANOUT)

    def meet(self, member: Member, now_s: float) -> None:
        """Somebody is known from elsewhere; what it says of itself will stand over this."""
        if member.name not in self.table.records:
            self.table.put(member, now_s, spread=False)

    def check(self, name: str) -> None:
        """Ask this member whether it is there; `acked_s` tells when it last answered."""
        member = self.table.get(name)
        if member is not None and name != self.table.me:
            self.prober.ping(member)

    def acked_s(self, name: str) -> float:
        """When this member last answered a ping of ours itself."""
        record = self.table.records.get(name)
        return float("-inf") if record is None else record.acked_s

    # Time

    @property
    def quiet_s(self) -> float:
        """For how long nothing will happen by itself; 0 while something is under way."""
        if self.table.rumours or self.table.suspicions or self.names.claims or self.prober.is_waiting:
            return 0.0
        return max(0.0, self.prober.next_s - self.now_s)

    def tick(self, now_s: float) -> None:
        """Called a few dozen times a second."""
        self._wake(now_s)
        if self.names.is_refused:
            return
        failed = self.prober.tick(now_s)
        if failed is not None:
            self._accuse(failed, now_s)
        for name, suspicion in list(self.table.suspicions.items()):
            self._judge(name, suspicion, now_s)
        self.names.tick(now_s)
        self._exchange(now_s)
        self._bury(now_s)
        if self.table.rumours:
            self._tell(self.settings.fanout)

    def _wake(self, now_s: float) -> None:
        """Notice when this node itself was paused."""
        lapse_s = now_s - self.now_s
        self.now_s = max(now_s, self.now_s)
        if lapse_s <= self.settings.interval_s:
            return
        self.prober.skip()
        self.table.health.missed(min(3, int(lapse_s / self.settings.interval_s)))
        for suspicion in self.table.suspicions.values():
            suspicion.pause(lapse_s, now_s + 2 * self.settings.interval_s)

    def _accuse(self, name: str, now_s: float) -> None:
        """A probe of ours failed: suspect the member, or say it again, and tell it so itself."""
        member = self.table.records[name].member
        self.table.suspect(name, member.incarnation, self.table.me, now_s)
        self.table.tell(self.table.records[name].member)
        self.outbox.send(address_of(member), Kind.TELL, to=name)

    def _judge(self, name: str, suspicion: Suspicion, now_s: float) -> None:
        """A suspect who does not contradict in time is dead; shortly before, it is asked once more."""
        wait_s = self.settings.probe_timeout_s
        deadline_s = suspicion.deadline_s
        if suspicion.asked_s is None:
            if now_s >= deadline_s - wait_s:
                suspicion.asked_s = now_s
                self.check(name)
        elif now_s >= max(deadline_s, suspicion.asked_s + wait_s):
            self.table.put(evolve(self.table.records[name].member, status=Status.DEAD), now_s)

    def _tell(self, count: int) -> None:
        """Tell what is new to a few random members at once."""
        for member in self.table.draw(self.rng, count):
            if not self.table.rumours:
                return
            self.outbox.send(address_of(member), Kind.TELL, to=member.name)

    def _exchange(self, now_s: float) -> None:
        if self.exchange.brought_news:
            self.exchange.brought_news = False
            self.table.tell(self.table.my)  # whoever is news to us has perhaps not heard of us
            self._exchange_at_s = min(self._exchange_at_s, now_s + self.settings.interval_s)
        if now_s < self._exchange_at_s:
            return
        self._exchange_at_s = now_s + self.settings.exchange_interval_s * self.rng.uniform(0.8, 1.2)
        for member in self.table.draw(self.rng, 1):
            self.exchange.start(address_of(member), member.name)
        if not self.table.names():
            self._exchange_at_s = now_s + self.settings.interval_s
            self._ask_contact()

    def _ask_contact(self) -> None:
        mine = address_of(self.table.my)
        contacts = [address for address in self.contacts if address != mine]
        if contacts:
            self.exchange.start(self.rng.choice(contacts))

    def _bury(self, now_s: float) -> None:
        """Look for somebody dead, or for a contact that nobody knows: we may have been parted."""
        if now_s >= self._bury_at_s:
            self._bury_at_s = now_s + self.settings.dead_interval_s * self.rng.uniform(0.8, 1.2)
            if self.table.dead:
                self.check(self.rng.choice(sorted(self.table.dead)))
            self._ask_stranger()
        if now_s >= self._forget_at_s:
            self._forget_at_s = now_s + _FORGET_EVERY_S
            self.table.forget(now_s)

    def _ask_stranger(self) -> None:
        """Compare with a contact that is nobody we know, if there is one."""
        if not self.contacts:
            return
        known = {address_of(record.member) for record in self.table.records.values()}
        strangers = [address for address in self.contacts if address not in known]
        if strangers:
            self.exchange.start(self.rng.choice(strangers))

    # Datagrams

    def receive(self, data: bytes, address: Address, now_s: float) -> None:
        """A datagram came from `address`. Whatever is wrong with it is counted, and harms nobody."""
        self._wake(now_s)
        self.counters.datagrams_in += 1
        self.counters.bytes_in += len(data)
        try:
            message = decode(self.head, data)
        except ForeignError:
            self.counters.foreign += 1
        except ProtocolError:
            self.counters.malformed += 1
        else:
            if not self.names.is_refused:
                self._handle(message, address, now_s)

    def _handle(self, message: AnyMessage, address: Address, now_s: float) -> None:
        self.hearing.hear(message, now_s)
        match message:
            case Ping():
                self.counters.misdirected += not self.prober.pinged(message, address)
            case Ack():
                self._acked(message, now_s)
            case Nack():
                self.prober.nacked(message)
            case Ask():
                self.prober.asked(message, address, now_s)
            case Compare():
                self.exchange.compared(message, address, now_s)
            case Page():
                self.exchange.paged(message, address, now_s)
        self._look_at(message, address, now_s)

    def _acked(self, message: Ack, now_s: float) -> None:
        name = self.prober.acked(message)
        if name is not None and name == message.sender:
            if name in self.table.records:
                self.table.records[name].acked_s = now_s
            self.names.answered(name, message.incarnation, now_s)

    def _look_at(self, message: AnyMessage, address: Address, now_s: float) -> None:
        """Somebody of whom we do not know the newest: compare with it."""
        if message.sender == self.table.me or now_s < self._curious_at_s:
            return
        known = self.table.get(message.sender)
        if known is None or message.incarnation > known.incarnation:
            self._curious_at_s = now_s + self.settings.interval_s / 3
            self.exchange.start(address, message.sender)


def make_gossip(
    me: Member,
    others: Iterable[Member],
    settings: GossipSettings,
    identity: tuple[str, str],
    rng: "random.Random",
    now_s: float,
) -> Gossip:
    """The gossip of node `me`, which knows `others` to begin with; `identity`: cluster and partitioner."""
    table = Table(me.name, settings)
    table.put(me, now_s)
    for member in others:
        table.put(member, now_s, spread=False)
    table.events.clear()
    outbox = Outbox(cluster_head(*identity), table)
    prober = Prober(table, outbox, rng)
    names = Names(table, prober, now_s)
    hearing = Hearing(table, prober, names)
    exchange = Exchange(table, outbox, hearing, rng)
    return Gossip(settings, outbox.head, table, outbox, hearing, names, prober, exchange, rng, now_s=now_s)
