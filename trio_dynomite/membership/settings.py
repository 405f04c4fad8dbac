"""What gossip is told by the configuration, and the formulas that are made of it."""

import math

from attrs import frozen

SPREAD_ROUND_S = 0.05
"""About how long a rumour takes from one node to the next: the tick, and the way."""


@frozen(kw_only=True)
class GossipSettings:
    """How often, how patiently, and how much a node gossips."""

    interval_s: float = 0.3
    """Between two probes of one node; a probe without an answer for so long makes a suspect."""
    probe_timeout_s: float = 0.15
    """How long a direct probe waits before others are asked to try."""
    indirect_probes: int = 3
    """How many others are asked."""
    suspicion_multiplier: float = 4.0
    """A suspect has at least so many intervals, and the time that news travels, to contradict."""
    fanout: int = 3
    """How many random members fresh news is told at once."""
    exchange_interval_s: float = 10.0
    """Between two comparisons of all that is known with a random member."""
    dead_interval_s: float = 2.0
    """Between two probes of somebody dead, so that a healed partition is noticed."""
    remember_s: float = 86400.0
    """How long the dead and those who left are remembered."""
    datagram_bytes: int = 1300
    """Longest datagram; only a single member that is longer makes one longer."""

    def tells(self, members: int) -> int:
        """How often one node tells a rumour."""
        return max(2, math.ceil(3 * math.log10(members + 1)))

    def suspicion_min_s(self, members: int) -> float:
        """How long a suspect has when several accuse it: patience, and the time for news out and back."""
        rounds = math.log(max(members, 2), self.fanout + 1)
        return self.suspicion_multiplier * self.interval_s + 2 * rounds * SPREAD_ROUND_S

    def accusers_expected(self, members: int) -> int:
        """How many accusers besides the first make a suspicion as short as it gets."""
        return max(0, min(3, members - 2))
