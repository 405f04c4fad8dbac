"""The forms of storms: long ones with every kind of client, and short ones, of which there can be thousands.

A long storm puts everything that clients do beside everything else, through a dozen faults; it takes seconds.
A short one has a few clients and one fault or two; which ones, and what they do, is drawn anew by each seed.
So many short storms see more beginnings than a few long ones, and these more of what builds up.
"""

from attrs import frozen


@frozen
class Form:
    """How much there is of everything in a storm."""

    strike_s: tuple[float, ...]
    """So long faults are begun, one after the other, before the last one; one of these."""
    kinds: int
    """Kinds of targets."""
    copies: int
    """Targets of each."""
    shared: tuple[int, ...]
    """So many of the kinds of keys that are shared; one of these numbers."""
    queues: tuple[int, ...]
    """So many of the kinds of queues; one of these numbers."""
    chaos: int
    """Keys of which nobody knows what they hold, where all have such keys."""
    think_s: float
    """Between two requests of a client, on average."""
    calm_s: float
    """So much longer than it takes to agree nothing happens before the end."""
    last_s: float = 0.0
    """So long clients write before the last fault."""


_ALL = 99
LONG = Form(
    strike_s=(15.0,), kinds=9, copies=2, shared=(_ALL,), queues=(_ALL,), chaos=4, think_s=0.12, calm_s=8.0
)
SHORT = Form(
    strike_s=(0.0, 0.0, 0.2),
    kinds=3,
    copies=1,
    shared=(1, 2),
    queues=(0, 0, 1),
    chaos=2,
    think_s=0.05,
    calm_s=2.5,
    last_s=0.2,
)
