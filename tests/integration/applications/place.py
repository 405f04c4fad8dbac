"""Where an application finds its cluster: the ports of three nodes, in the environment."""

import os
import time
from collections.abc import Callable
from typing import Any

HOST = "127.0.0.1"
PORTS = [int(port) for port in os.environ["PORTS"].split()]


def url(number: int) -> str:
    """The address of a node, 0 to 2."""
    return f"redis://{HOST}:{PORTS[number]}"


def until(happened: Callable[[], Any], what: str, timeout_s: float = 15) -> Any:
    """What `happened` gives as soon as it gives something."""
    deadline = time.monotonic() + timeout_s
    while not (found := happened()):
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what}"
        time.sleep(0.02)
    return found
