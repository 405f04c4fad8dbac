"""Hearing: which of the things that others tell are believed, and what this node answers when it is meant.

* The higher incarnation stands, and of one incarnation the worse status (`Member.precedence`).
* Ill that is told of this node is contradicted with a higher incarnation.
* Who is held for gone is not believed when it speaks ill of others: a node that can send but hears nothing
  accuses everybody.
* In a comparison of all that is known a death is no more than a reason to look, since it may be old: whoever
  returned from a partition must not kill those who live on the other side.
* Whoever is said to live at another address than before is first looked for at the old one (`names.py`).
"""

from attrs import define, evolve

from trio_dynomite.membership.member import Member, Status
from trio_dynomite.membership.messages import AnyMessage, Told
from trio_dynomite.membership.names import Names
from trio_dynomite.membership.prober import Prober
from trio_dynomite.membership.table import Table, address_of


@define(eq=False)
class Hearing:
    """What one node makes of what it hears."""

    table: Table
    prober: Prober
    names: Names

    def hear(self, message: AnyMessage, now_s: float) -> None:
        """The rumours of a message."""
        for wire in message.members:
            self.hear_member(wire.member(), now_s, spread=True)
        if not message.told:
            return
        is_believed = not self.is_gone(message.sender)
        for told in message.told:
            if told.name == self.table.me:
                self._hear_of_me(told.incarnation, told.status)
            elif is_believed:
                self._hear_status(told, now_s)

    def is_gone(self, name: str) -> bool:
        """Is this member dead, or has it left, as far as we know?"""
        member = self.table.get(name)
        return member is not None and not member.is_here

    def hear_member(self, member: Member, now_s: float, *, spread: bool) -> None:
        """Somebody tells all of a member, and that it lives."""
        known = self.table.get(member.name)
        is_mine = member.name == self.table.me
        if member.status is not Status.ALIVE or self.table.my.status is not Status.ALIVE:
            return
        if known and known.status is Status.ALIVE and address_of(known) != address_of(member):
            if is_mine or member.precedence > known.precedence:
                self.names.claim(member, now_s)
        elif is_mine:
            self.table.outdo(member.incarnation, member.status)
        elif known is None or member.precedence > known.precedence:
            self.table.put(member, now_s, spread=spread)

    def _hear_status(self, told: Told, now_s: float) -> None:
        known = self.table.get(told.name)
        if known is None or (told.incarnation, told.status) < known.precedence:
            return
        if told.status is Status.SUSPECT:
            for accuser in told.accusers:
                self.table.suspect(told.name, told.incarnation, accuser, now_s)
        elif (told.incarnation, told.status) > known.precedence and told.status is not Status.ALIVE:
            self.table.put(evolve(known, incarnation=told.incarnation, status=told.status), now_s)

    def hear_entry(self, member: Member, age_s: float, teller: str, now_s: float) -> None:
        """A line of somebody's table; it became so `age_s` ago."""
        known = self.table.get(member.name)
        if member.status is Status.SUSPECT:
            member = evolve(member, status=Status.ALIVE)
        if member.name == self.table.me and member.status is not Status.ALIVE:
            self._hear_of_me(member.incarnation, member.status)
        elif member.status is Status.ALIVE:
            self.hear_member(member, now_s, spread=False)
        elif known is None:
            if age_s < self.table.settings.remember_s:
                self.table.put(member, now_s, spread=False, age_s=age_s)
        elif member.precedence > known.precedence:
            self._hear_of_end(member, known, teller, now_s)

    def _hear_of_end(self, member: Member, known: Member, teller: str, now_s: float) -> None:
        if member.status is Status.LEFT or not known.is_here:
            self.table.put(evolve(known, incarnation=member.incarnation, status=member.status), now_s)
        elif not self.is_gone(teller):
            self.prober.doubt(known, member)

    def _hear_of_me(self, incarnation: int, status: Status) -> None:
        """How we are, in the eyes of others: contradict, or say again that we did."""
        me = self.table.my
        if (incarnation, status) <= me.precedence:
            self.table.tell(me)
            return
        if status is Status.SUSPECT:
            self.table.health.missed()
        self.table.outdo(incarnation, status)
