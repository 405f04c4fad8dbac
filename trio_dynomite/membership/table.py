"""The table: what this node knows of every member, its digest, and the news that it makes.

It keeps what it is told and decides nothing: whether something is believed is `hearing.py`'s. Every change
makes an event and a rumour, unless it is told that others know already. Its digest is the sum (XOR) of a
hash for each member, so that two nodes can compare all they know in eight bytes. A suspicion is not in the
digest: it passes.
"""

from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

import xxhash
from attrs import define, evolve, field, frozen

from trio_dynomite.membership.events import Event, Happening
from trio_dynomite.membership.health import Health
from trio_dynomite.membership.member import Member, Status, encode_member
from trio_dynomite.membership.messages import Address, encode_told, place
from trio_dynomite.membership.rumours import Rumour, Rumours
from trio_dynomite.membership.settings import GossipSettings
from trio_dynomite.membership.suspicion import Suspicion
from trio_dynomite.membership.view import Membership

if TYPE_CHECKING:
    import random

MEMBERS_MAX = 10_000
"""Members that are kept; more are refused, and counted."""
HEAD_BYTES = 300
"""What a datagram may need for everything but its rumours."""
NEVER_S = float("-inf")


@frozen(eq=False)
class Known:
    """A member with what is worked out of it once."""

    member: Member
    data: bytes
    """Encoded."""
    place: int
    """The hash of its name."""
    digest: int


@lru_cache(maxsize=16_384)
def know(member: Member) -> Known:
    """What is worked out of `member`."""
    status = Status.ALIVE if member.status is Status.SUSPECT else member.status
    digest = xxhash.xxh64_intdigest(f"{member.name}\0{member.incarnation}\0{int(status)}".encode())
    return Known(member, encode_member(member), place(member.name), int(digest))


@define(eq=False)
class Record:
    """A member in the table."""

    known: Known
    since_s: float
    """When it became ALIVE, SUSPECT, DEAD or LEFT."""
    acked_s: float = NEVER_S
    """When it last answered a ping of ours itself."""

    @property
    def member(self) -> Member:
        """What is known of it."""
        return self.known.member


def address_of(member: Member) -> Address:
    """Where a member hears gossip."""
    return member.host, member.peer_port


@define(eq=False)
class Table:
    """All members that one node knows, itself included."""

    me: str
    settings: GossipSettings
    members_max: int = MEMBERS_MAX
    health: Health = field(factory=Health)
    rumours: Rumours = field(init=False)
    records: dict[str, Record] = field(factory=dict)
    suspicions: dict[str, Suspicion] = field(factory=dict)
    events: list[Event] = field(factory=list)
    epoch: int = 0
    digest: int = 0
    here: int = 0
    """How many take part, this node included."""
    too_many: int = 0
    """Members refused because the table is full."""
    refutations: int = 0
    """How often this node contradicted what was told of it."""
    dead: set[str] = field(factory=set)
    """The names of those who are DEAD."""
    fresh: list[str] = field(factory=list)
    """The names of those who took their place there lately, and are in no round of probes yet."""
    _living: list[str] = field(factory=list)
    """The names of the others who take part, in no order, to draw from."""
    _seats: dict[str, int] = field(factory=dict)
    """Where each stands there."""
    _view: Membership | None = None

    def __attrs_post_init__(self) -> None:
        self.rumours = Rumours(self.settings.datagram_bytes - HEAD_BYTES)

    def get(self, name: str) -> Member | None:
        """What is known of member `name`."""
        record = self.records.get(name)
        return None if record is None else record.member

    @property
    def my(self) -> Member:
        """This node."""
        return self.records[self.me].member

    @property
    def view(self) -> Membership:
        """The table as a value."""
        if self._view is None or self._view.epoch != self.epoch:
            members = {name: record.member for name, record in self.records.items()}
            self._view = Membership(self.epoch, MappingProxyType(members))
        return self._view

    # Changes

    def put(self, member: Member, now_s: float, *, spread: bool = True, age_s: float = 0.0) -> bool:
        """`member` is the truth now; False when there is no room for it. `spread`: others should hear it."""
        record = self.records.get(member.name)
        if record is None and len(self.records) >= self.members_max:
            self.too_many += 1
            return False
        old = None if record is None else record.known
        self._store(record, know(member), now_s - age_s)
        if member.status is not Status.SUSPECT:
            self.suspicions.pop(member.name, None)
        if spread:
            self.tell(member)
        else:
            self.rumours.drop(member.name)
        self._report(None if old is None else old.member, member)
        return True

    def _store(self, record: Record | None, known: Known, since_s: float) -> None:
        self.epoch += 1
        self.digest ^= known.digest
        self.here += known.member.is_here
        self._seat(known.member)
        if record is None:
            self.records[known.member.name] = Record(known, since_s)
            return
        self.digest ^= record.known.digest
        self.here -= record.member.is_here
        if record.member.status is not known.member.status:
            record.since_s = since_s
        record.known = known

    def _seat(self, member: Member) -> None:
        """Keep the lists of who takes part and who is dead."""
        name = member.name
        if member.status is Status.DEAD:
            self.dead.add(name)
        else:
            self.dead.discard(name)
        if member.is_here and name not in self._seats and name != self.me:
            self._seats[name] = len(self._living)
            self._living.append(name)
            self.fresh.append(name)
        elif not member.is_here and name in self._seats:
            seat, last = self._seats.pop(name), self._living.pop()
            if last != name:
                self._living[seat], self._seats[last] = last, seat

    def tell(self, member: Member) -> None:
        """Tell others: all of a living member, of any other only how it is."""
        if member.status is Status.ALIVE:
            rumour = Rumour(know(member).data, is_member=True)
        else:
            rumour = Rumour(self.status_of(member), is_member=False)
        self.rumours.put(member.name, rumour)

    def status_of(self, member: Member) -> bytes:
        """How a member is, encoded."""
        suspicion = self.suspicions.get(member.name)
        return encode_told(member, () if suspicion is None else tuple(suspicion.accusers))

    def suspect(self, name: str, incarnation: int, accuser: str, now_s: float) -> None:
        """`accuser` could not reach this member, which lives as far as we know."""
        member = self.records[name].member
        suspicion = self.suspicions.get(name)
        if suspicion is None or member.incarnation != incarnation:
            wait_s = self.settings.suspicion_min_s(self.here) * self.health.patience
            expected = self.settings.accusers_expected(self.here)
            suspicion = self.suspicions[name] = Suspicion(now_s, wait_s, expected)
        is_news = suspicion.accuse(accuser)
        if member.status is not Status.SUSPECT or member.incarnation != incarnation:
            self.put(evolve(member, status=Status.SUSPECT, incarnation=incarnation), now_s)
        elif is_news:
            self.tell(member)

    def outdo(self, incarnation: int, status: Status) -> None:
        """This node is said to be so: take a higher incarnation, and tell it."""
        record = self.records[self.me]
        if record.member.status is Status.ALIVE and (incarnation, status) > record.member.precedence:
            self.refutations += 1
            self.put(evolve(record.member, incarnation=incarnation + 1), record.since_s)

    def forget(self, now_s: float) -> None:
        """Drop those who have been gone for so long that nothing old is told of them any more."""
        oldest = now_s - self.settings.remember_s
        for name, record in list(self.records.items()):
            if not record.member.is_here and record.since_s < oldest and name != self.me:
                del self.records[name]
                self.rumours.drop(name)
                self.dead.discard(name)
                self.digest ^= record.known.digest
                self.epoch += 1

    def _report(self, old: Member | None, new: Member) -> None:
        happening = _happening(old, new)
        if happening is not None and new.name != self.me:
            self.events.append(Event(happening, new))

    # Comparing

    def digests(self, parts: int) -> list[int]:
        """The digest of each of `parts` equal parts of the names' hashes; a power of two."""
        if parts == 1:
            return [self.digest]
        sums = [0] * parts
        shift = 64 - (parts.bit_length() - 1)
        for record in self.records.values():
            sums[record.known.place >> shift] ^= record.known.digest
        return sums

    def between(self, first: int, last: int) -> list[Record]:
        """The members whose names' hashes are from `first` to `last`, in their order."""
        found = [record for record in self.records.values() if first <= record.known.place <= last]
        return sorted(found, key=lambda record: record.known.place)

    # Drawing lots

    def names(self) -> list[str]:
        """The others who take part."""
        return list(self._living)

    def draw(self, rng: "random.Random", count: int, but: str = "") -> list[Member]:
        """Up to `count` of the others at random, of whom nobody thinks ill."""
        drawn: list[Member] = []
        for name in rng.sample(self._living, min(count + len(self.suspicions) + 1, len(self._living))):
            member = self.records[name].known.member
            if member.status is Status.ALIVE and name != but and len(drawn) < count:
                drawn.append(member)
        return drawn


def _happening(old: Member | None, new: Member) -> Happening | None:
    """What an event calls the change."""
    if new.status is not Status.ALIVE:
        named = {
            Status.SUSPECT: Happening.SUSPECTED,
            Status.DEAD: Happening.DIED,
            Status.LEFT: Happening.LEFT,
        }
        unchanged = old is None or old.status is new.status
        return None if unchanged else named[new.status]
    if old is None:
        return Happening.JOINED
    if not old.is_here:
        return Happening.RETURNED
    if evolve(old, incarnation=0, status=Status.ALIVE) != evolve(new, incarnation=0):
        return Happening.CHANGED
    return Happening.CLEARED if old.status is Status.SUSPECT else None
