"""The membership as a value: who is known at one moment, to one node."""

from collections.abc import Mapping

from attrs import frozen

from trio_dynomite.membership.member import Member


@frozen(eq=False)
class Membership:
    """Every member that is known, this node, the dead and those who left among them; it never changes."""

    epoch: int
    """Grows with every change that this node sees; it means nothing to others."""
    members: Mapping[str, Member]
    """By name."""

    @property
    def here(self) -> tuple[Member, ...]:
        """Those who take part, suspects included, in the order of their names."""
        return tuple(self.members[name] for name in sorted(self.members) if self.members[name].is_here)
