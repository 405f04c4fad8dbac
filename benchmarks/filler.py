"""When what a load must find is written: once for each server, or before every run that changes it."""

from benchmarks.load import RANDOM_KEYS, Load
from benchmarks.operations import Before
from benchmarks.scenarios import Scenario
from benchmarks.servers import Server
from benchmarks.wire import Client

_FILL_RANDOM = 4 * RANDOM_KEYS  # leaves out about 2 % of the keys


class Filler:
    """Knows what is where on the servers of a group of scenarios."""

    def __init__(self) -> None:
        self._filled: dict[tuple[int, str], int] = {}
        """The size of the values, by server and key pattern."""

    def fill(self, server: Server, scenario: Scenario, tag: str, operations: int) -> None:
        """Make sure that a run of so many `operations` of `scenario` on `server` finds what it must."""
        if scenario.op.before is Before.NEVER:
            return
        fill = scenario.fill(tag, operations)
        key = fill.words[1]
        if scenario.op.before is Before.ONCE:
            if not self._is_filled(server, key, scenario.value_bytes):
                fill.write(server.port)
            return
        with Client(server.port, timeout_s=60.0) as client:
            client.call("DEL", key)
        fill.write(server.port)

    def fill_all(self, server: Server, work: Load, value_bytes: int) -> None:
        """Write random keys of every node by `work`, a write that goes to all of them."""
        if not self._is_filled(server, work.words[1], value_bytes):
            work.run([server.port], _FILL_RANDOM)

    def _is_filled(self, server: Server, key: str, value_bytes: int) -> bool:
        """Whether it is; from now on it counts as filled. Values of another size are overwritten."""
        before = self._filled.get((server.pid, key))
        self._filled[server.pid, key] = value_bytes
        return before == value_bytes
