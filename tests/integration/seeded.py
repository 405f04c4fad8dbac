"""Nodes that each have a configuration of their own and find each other by seeds."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

from attrs import define, field

from trio_dynomite.testing.local import HOST, LocalNode, free_ports, wait_until

WARM_UP = "1s"


@define(eq=False)
class SeededNodes:
    """A cluster without a common file."""

    directory: Path
    sections: str = ""
    """Of every node's configuration, in TOML."""
    nodes: dict[str, LocalNode] = field(factory=dict)
    _stack: ExitStack = field(factory=ExitStack)
    _parent_fd: int = -1

    def __enter__(self) -> SeededNodes:
        self._parent_fd, ours = os.pipe()
        self._stack.callback(os.close, ours)
        self._stack.callback(os.close, self._parent_fd)
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes.values():
            node.end()
        self._stack.close()

    def __getitem__(self, name: str) -> LocalNode:
        return self.nodes[name]

    def lay_out(self, name: str, rack: str, host: str = HOST) -> LocalNode:
        """A node with its ports, without a configuration yet."""
        directory = self.directory / name
        directory.mkdir()
        client, peer, admin = free_ports(3)
        node = LocalNode(name, "dc1", rack, client, peer, admin, directory, self._parent_fd, host=host)
        self.nodes[name] = node
        return node

    def configure(self, name: str, seeds: str, *lines: str) -> LocalNode:
        """Write a node's configuration; `seeds` is what stands there in TOML, `lines` more about the node."""
        node = self.nodes[name]
        text = [
            *("[cluster]", 'name = "seeded"', f"seeds = {seeds}", ""),
            *("[timeouts]", f'warm_up = "{WARM_UP}"', self.sections, ""),
            *("[[nodes]]", f'name = "{name}"', f'rack = "{node.rack}"', f'host = "{node.host}"'),
            *(
                f"client_port = {node.port}",
                f"peer_port = {node.peer_port}",
                f"admin_port = {node.admin_port}",
            ),
            *lines,
        ]
        (node.directory / "cluster.toml").write_text("\n".join(text) + "\n", encoding="utf-8")
        return node

    def wait_joined(self, *names: str) -> None:
        """Wait until all of these see each other, and have one ring with all of them in it."""
        wanted = names or tuple(self.nodes)
        for name in wanted:
            self.nodes[name].wait_ready()
        for name in wanted:
            others = [other for other in wanted if other != name]
            node = self.nodes[name]
            wait_until(lambda node=node, others=others: all(map(node.sees, others)), f"{name} sees {others}")
        wait_until(lambda: self._is_one_ring(wanted), "all have one ring, and know what is in it")

    def _is_one_ring(self, names: tuple[str, ...]) -> bool:
        told = [self.nodes[name].info("dynomite") for name in names]
        return len({one["ring"] for one in told}) == 1 and all(
            (one["is_warm"], one["ranges_changing"]) == ("1", "0") for one in told
        )


def seed(*nodes: LocalNode) -> str:
    """A list of seeds in TOML."""
    return str([f"[{n.host}]:{n.peer_port}" if ":" in n.host else f"{n.host}:{n.peer_port}" for n in nodes])
