"""How long to wait before a crashed node is started again. Pure.

Exponential with jitter, so that nodes that crash together do not start together. A node that ran long
enough is forgiven; one that never does is given up.
"""

from random import Random

from attrs import define

FORGIVEN_AFTER_S = 30.0


@define(kw_only=True)
class Backoff:
    """The crashes of one node."""

    rng: Random
    first_s: float = 0.25
    longest_s: float = 15.0
    attempts: int = 12
    """Crashes in a row after which the node is given up: about a minute and a half in all."""
    crashes: int = 0

    def next_delay_s(self, ran_s: float, *, may_pass: bool = False) -> float | None:
        """The node crashed after `ran_s`: seconds until its next start, None to give it up.

        `may_pass`: for a reason that may pass by itself; it is never given up for that."""
        self.crashes = 1 if ran_s >= FORGIVEN_AFTER_S else self.crashes + 1
        if may_pass:
            self.crashes = min(self.crashes, self.attempts - 1)
        if self.crashes >= self.attempts:
            return None
        full = min(self.longest_s, self.first_s * 2.0 ** (self.crashes - 1))
        return full * self.rng.uniform(0.5, 1.0)
