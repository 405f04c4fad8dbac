"""The outbox: datagrams on their way out, each filled up with rumours as far as there is room."""

from typing import Any

from attrs import define, field

from trio_dynomite.membership.member import Member, Status
from trio_dynomite.membership.messages import Address, Kind, encode, encode_told
from trio_dynomite.membership.rumours import Rumour
from trio_dynomite.membership.table import Table


@define(eq=False)
class Outbox:
    """Makes datagrams. The one who calls `take` sends them."""

    head: bytes
    table: Table
    datagrams: list[tuple[Address, bytes]] = field(factory=list)

    def send(self, address: Address, kind: Kind, *fields: Any, to: str = "") -> None:
        """A message to member `to`; whoever is accused, or held for dead, hears that first of all.

        Pages go to one and the same, and would use up what others should hear."""
        me = self.table.my
        data = encode(self.head, kind, me, [], [], fields)
        first = self._accusation(to)
        if first is not None or (self.table.rumours and kind is not Kind.PAGE):
            rumours = self._rumours(len(data), first, to)
            members = [rumour.data for rumour in rumours if rumour.is_member]
            told = [rumour.data for rumour in rumours if not rumour.is_member]
            data = encode(self.head, kind, me, members, told, fields)
        self.datagrams.append((address, data))

    def tell_of(self, address: Address, member: Member) -> None:
        """Let a member know how it is said to be."""
        told = [encode_told(member, ())]
        self.datagrams.append((address, encode(self.head, Kind.TELL, self.table.my, [], told, ())))

    def _rumours(self, size: int, first: Rumour | None, to: str) -> list[Rumour]:
        room = self.table.settings.datagram_bytes - size
        chosen: list[Rumour] = []
        if first is not None:
            chosen.append(first)
            room -= len(first.data)
        tells_max = self.table.settings.tells(self.table.here)
        return chosen + self.table.rumours.take(room, tells_max, to)

    def _accusation(self, name: str) -> Rumour | None:
        member = self.table.get(name)
        if member is None or member.status not in (Status.SUSPECT, Status.DEAD):
            return None
        return Rumour(self.table.status_of(member), is_member=False)

    def take(self) -> list[tuple[Address, bytes]]:
        """The datagrams to send now."""
        taken, self.datagrams = self.datagrams, []
        return taken
