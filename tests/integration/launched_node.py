"""A program for test_launcher: the real supervisor and the real foreground around a node that only waits.

    launched_node.py supervise GRACE_S NAME=BEHAVIOUR...
    launched_node.py node GRACE_S NAME BEHAVIOUR [--ready-fd N] [--parent-fd N]

Behaviours: `serves`; `crashes` before it is ready; `misconfigured`; `starts` for ever; `full`, its disk is;
`deaf` to the stop event; `stubborn` to cancellation too; `flaky` crashes when a file of its name is
missing, and makes it.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import trio

from trio_dynomite import logs
from trio_dynomite.__main__ import _stop_quietly_until_started
from trio_dynomite.config import NodeSettings, Settings, Timeouts
from trio_dynomite.errors import ConfigError, ConfigProblem, DynomiteError, NoRoomError
from trio_dynomite.launch import foreground
from trio_dynomite.launch.backoff import Backoff
from trio_dynomite.launch.supervisor import Supervisor


class Node:
    """Behaves as it was told."""

    def __init__(self, behaviour: str) -> None:
        self.behaviour = behaviour

    async def run(
        self, settings: Settings, name: str, *, stop: trio.Event, task_status: trio.TaskStatus[Any]
    ) -> None:
        if self.behaviour == "misconfigured":
            raise ConfigError("cluster.toml", (ConfigProblem("nodes[0].name", "is wrong"),))
        if self.behaviour == "crashes" or (self.behaviour == "flaky" and is_first_run(name)):
            raise ExceptionGroup("a nursery's", [RuntimeError("a bug")])
        if self.behaviour == "unlucky":
            raise DynomiteError("cannot listen on port 1: Address already in use")
        if self.behaviour == "full":
            raise NoRoomError("data cannot be written: No space left on device")
        logs.get_logger().info("begins")
        if self.behaviour != "starts":
            task_status.started()
        if self.behaviour == "stubborn":
            with trio.CancelScope(shield=True):
                await trio.sleep_forever()
        if self.behaviour == "deaf":
            await trio.sleep_forever()
        await stop.wait()
        logs.get_logger().info("in order")


def is_first_run(name: str) -> bool:
    """Whether node `name` was never run in this directory before."""
    mark = Path(name)
    first = not mark.exists()
    mark.touch()
    return first


def run_node(options: argparse.Namespace) -> int:
    logs.configure(options.name)
    nodes = (NodeSettings(name=options.name, rack="r", client_port=1, peer_port=2, admin_port=3),)
    settings = Settings(timeouts=Timeouts(stop=options.grace), nodes=nodes)

    async def serve() -> int:
        return await foreground.run(
            Node(options.behaviour).run,
            settings,
            options.name,
            ready_fd=options.ready_fd,
            parent_fd=options.parent_fd,
        )

    return trio.run(serve)


def supervise(options: argparse.Namespace) -> int:
    logs.configure("supervisor")
    wanted = dict(one.split("=") for one in options.nodes)
    me = [sys.executable, __file__, "node", str(options.grace)]

    def greet(pids: Mapping[str, int]) -> None:
        print("all ready", *(f"{name}={pid}" for name, pid in pids.items()), flush=True)

    supervisor = Supervisor(
        commands={name: [*me, name, behaviour] for name, behaviour in wanted.items()},
        grace_s=options.grace,
        on_all_ready=greet,
        new_backoff=lambda: Backoff(rng=Random(1), first_s=0.01, attempts=3),
    )
    return trio.run(supervisor.run)


def main() -> int:
    _stop_quietly_until_started()
    parser = argparse.ArgumentParser()
    modes = parser.add_subparsers(required=True)
    node = modes.add_parser("node")
    node.set_defaults(main=run_node)
    node.add_argument("grace", type=float)
    node.add_argument("name")
    node.add_argument("behaviour")
    node.add_argument("--ready-fd", type=int)
    node.add_argument("--parent-fd", type=int)
    parent = modes.add_parser("supervise")
    parent.set_defaults(main=supervise)
    parent.add_argument("grace", type=float)
    parent.add_argument("nodes", nargs="+")
    options = parser.parse_args()
    return int(options.main(options))


if __name__ == "__main__":
    sys.exit(main())
