"""The functions that a node's server has to have: their text, and the step of a handshake that loads it.

The number in their names is raised with every change: so a node that is upgraded, or one that is not yet,
never calls what the other has loaded.
"""

from collections.abc import Callable
from importlib.resources import files

from trio_dynomite.storage.servers.handshake import Step, failed, packed

NAME = b"trio_dynomite_3"
SOURCE = (files(__package__) / "library.lua").read_bytes()


def load_step() -> Step:
    """Load the functions."""
    return Step(packed("FUNCTION", "LOAD", "REPLACE", SOURCE), _mistake_in)


def size_step(told: Callable[[int], None]) -> Step:
    """Ask how many keys there are; a user who may not ask is told nothing."""

    def size(reply: bytes) -> str:
        if reply[:1] == b":":
            told(int(reply[1:-2]))
        return ""

    return Step(packed("DBSIZE"), size)


def _mistake_in(reply: bytes) -> str:
    """What is wrong with the answer, for whoever runs the node."""
    error = failed(reply)
    if not error:
        return ""
    if error.startswith("NOPERM") or "unknown command" in error.lower():
        return f"does not permit functions (FUNCTION LOAD, FCALL, FCALL_RO), which this node needs: {error}"
    return f"does not take this node's functions: {error}"
