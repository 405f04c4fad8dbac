"""Names: one name is one node. What is done when two addresses claim the same.

A member that is said to be elsewhere is asked at its old address first: while it answers there, the other
is ignored. A node that finds its own name taken asks the same way: a newcomer that gets an answer gives way
and gossips no more, one that gets none was this name itself before it was restarted, and goes on with a
higher incarnation. A node that has long been part of the cluster keeps its name.
"""

from attrs import define, field

from trio_dynomite.membership.events import Event, Happening
from trio_dynomite.membership.member import Member, Status
from trio_dynomite.membership.prober import Prober
from trio_dynomite.membership.table import Table, address_of

SETTLED_S = 10.0
"""A node that has run for so long keeps its name against a newcomer."""

SAY_AGAIN_S = 60.0
"""Between two reports of one conflict."""


@define
class Claim:
    """A member is said to be at another address; whether the old one still answers is being tried."""

    member: Member
    until_s: float


@define(eq=False)
class Names:
    """Who is who, for one node."""

    table: Table
    prober: Prober
    started_s: float
    is_refused: bool = False
    """Another node has our name and answers to it: we are silent from now on."""
    claims: dict[str, Claim] = field(factory=dict)
    """By name; our own name's is a rival of ours."""
    _said: dict[str, tuple[str, float]] = field(factory=dict)
    """Of which name it was reported that it is claimed, from where, and when."""

    def claim(self, member: Member, now_s: float) -> None:
        """A member, or this node, is said to be at another address than the one that we know."""
        if member.name in self.claims:
            return
        is_mine = member.name == self.table.me
        if is_mine and now_s - self.started_s >= SETTLED_S:
            self._defend(member, now_s)
            return
        patience_s = 2 * self.table.settings.interval_s * self.table.health.stretch
        self.claims[member.name] = Claim(member, now_s + patience_s)
        self.prober.ping(member if is_mine else self.table.records[member.name].member)

    def _defend(self, rival: Member, now_s: float) -> None:
        self._report(Happening.CONFLICT, rival, now_s)
        self.table.outdo(rival.incarnation, rival.status)

    def answered(self, name: str, incarnation: int, now_s: float) -> None:
        """Whoever was pinged under this name answered under it, and is in this incarnation."""
        claim = self.claims.pop(name, None)
        if claim is None:
            return
        if name == self.table.me:
            self.is_refused = True
            self._report(Happening.REFUSED, claim.member, now_s)
        elif incarnation < claim.member.incarnation:
            self._report(Happening.CONFLICT, claim.member, now_s)
        elif incarnation == claim.member.incarnation:  # one node that hears at both addresses
            self._believe(claim.member, now_s)

    def _report(self, happening: Happening, rival: Member, now_s: float) -> None:
        """Say it, but not again and again."""
        where = "{}:{}".format(*address_of(rival))
        said, when_s = self._said.get(rival.name, ("", 0.0))
        if said != where or now_s - when_s > SAY_AGAIN_S:
            self._said[rival.name] = where, now_s
            self.table.events.append(Event(happening, self.table.records[rival.name].member, where))

    def tick(self, now_s: float) -> None:
        """Claims that nobody contradicted are true; a rival that does not answer is our own past."""
        for name, claim in list(self.claims.items()):
            known = self.table.records[name].member if name in self.table.records else None
            if now_s < claim.until_s and known is not None and known.status is Status.ALIVE:
                continue
            del self.claims[name]
            if name == self.table.me:
                self.table.outdo(claim.member.incarnation, claim.member.status)
            else:
                self._believe(claim.member, now_s)

    def _believe(self, member: Member, now_s: float) -> None:
        known = self.table.get(member.name)
        if known is None or member.precedence > known.precedence:
            self.table.put(member, now_s)
