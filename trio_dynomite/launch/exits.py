"""What the exit codes of a node and of the supervisor mean."""

CLEAN = 0
"""Stopped in order because somebody asked for it."""
FAILED = 1
"""A node crashed, kept crashing, or did not stop in time."""
MISUSE = 2
"""The configuration or the command line is wrong; starting again would not help."""
