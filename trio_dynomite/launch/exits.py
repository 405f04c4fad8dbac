"""What the exit codes of a node and of the supervisor mean."""

CLEAN = 0
"""Stopped in order because somebody asked for it."""
FAILED = 1
"""A node crashed, kept crashing, or did not stop in time."""
NO_ROOM = 3
"""A disk was full at the start: starting again helps once there is room."""
MISUSE = 2
"""The configuration or the command line is wrong; starting again would not help."""
