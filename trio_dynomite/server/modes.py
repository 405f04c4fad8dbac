"""Modes: what makes a session's commands take the long way, as bits of one number.

Nearly every session has none, and the loop that runs its commands tests one number for all of them. What a
session has stands in `Session.modes`, what holds for every session of the node in `Server.modes`.
"""

QUIET = 1
"""CLIENT REPLY OFF or SKIP: not every reply is wanted."""
SUBSCRIBED = 2
"""It has subscriptions: in RESP2 it may do little else."""
MULTI = 4
"""Its commands are queued for EXEC."""
TRACKING = 8
"""CLIENT TRACKING: what it reads is remembered."""
MONITORING = 16
"""MONITOR: it is told every command of the node."""
GATED = 32
"""Who it is does not allow everything: each command is looked at first."""

MONITORED = 64
"""Of a node: somebody monitors it."""
PAUSED = 128
"""Of a node: CLIENT PAUSE."""
TIMED = 256
"""Of a node: each command is timed by itself, not a whole pipeline."""
