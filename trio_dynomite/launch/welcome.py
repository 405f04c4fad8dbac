"""What to type next, once all nodes are ready. Pure."""

from collections.abc import Mapping, Sequence

from trio_dynomite.config import NodeSettings, Settings


def welcome(settings: Settings, local: Sequence[NodeSettings], pids: Mapping[str, int]) -> str:
    """A few lines for somebody who has just started a cluster for the first time."""
    first, last = local[0], local[-1]
    nodes = [f"  {node.name:<12} {node.place[0]}/{node.rack:<10} {_cli(node)}" for node in local]
    lines = [
        "",
        f"{settings.cluster.name} is ready: {len(local)} of its {len(settings.nodes)} node(s) run here.",
        *nodes,
        "",
        "Any node takes any command, and every rack has its own copy:",
        f"  {_cli(first)} set greeting hello",
        f"  {_cli(last)} get greeting",
        f"  {_cli(first, '-c')}    for a session as a Redis Cluster client",
        f"Kill one and go on:  kill -9 {pids[first.name]}    ({first.name}; it is started again)",
        "Stop:  Ctrl-C",
        "",
    ]
    return "\n".join(lines)


def _cli(node: NodeSettings, *options: str) -> str:
    host = [] if node.host in ("127.0.0.1", "localhost", "0.0.0.0") else ["-h", node.announced]
    return " ".join(["redis-cli", *options, *host, "-p", str(node.client_port)])
