"""A stuck peer, a full disk and stuck clients at once: memory stays bounded, the others keep their pace."""

import os
import shutil
import socket
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cluster import client, key_led_by, set_all, wait_missed
from tests.integration.conftest import MakeCluster
from tests.integration.test_hostile_clients import (
    MB,
    Bystander,
    Peak,
    command,
    connect,
    resident,
    send_and_never_read,
)
from trio_dynomite.testing.local import LocalNode, wait_until

pytestmark = pytest.mark.integration

LIMITS = {
    "client_input": "8mb",
    "client_output": "4mb",
    "request_bytes": "8mb",
    "peer_output": "16mb",
    "hints": "4mb",
    "hints_per_peer": "2mb",
}
BOUND = (8 + 2 * 4 + 8 + 2 * 16 + 4 + 32 + 64) * MB
"""What the limits allow: input, output, requests, peers, hints, a subscriber's messages; and Python's own."""
VALUE = os.urandom(10_000)
KEYS = 1500


@contextmanager
def small_disk(path: Path, size: str = "24m") -> Iterator[tuple[str, ...]]:
    """Words before a command whose `path` shall be a small file system of its own."""
    mounts = ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--mount", "sh", "-ec"]
    path.mkdir()
    if (
        shutil.which("unshare") is None
        or subprocess.run([*mounts, f"mount -t tmpfs none {path}"], capture_output=True).returncode
    ):
        pytest.skip("no file systems of one's own here")
    yield (*mounts, f'mount -t tmpfs -o size={size} none {path}; exec "$@"', "node")


def write_much(
    node: LocalNode, seconds: float, enough: Callable[[int], object], timeout_s: float = 30
) -> None:
    """Overwrite some keys with long values for a while, and until `enough` writes were acknowledged."""
    done, began_s = 0, time.monotonic()
    with client(node) as connected:
        while (spent_s := time.monotonic() - began_s) < seconds or not enough(done):
            assert spent_s < timeout_s, f"{done} writes in {spent_s:.0f} s are not enough"
            for number in range(0, KEYS, 50):
                pipeline: Any = connected.pipeline(transaction=False)
                for at in range(number, number + 50):
                    pipeline.set(f"long:{at}", VALUE)
                done += sum(reply is True for reply in pipeline.execute(raise_on_error=False))


def stuck_clients(node: LocalNode, stack: ExitStack) -> socket.socket:
    """One that reads no replies, one that reads no messages, one that never finishes its command (given)."""
    deaf, subscriber, endless = (stack.enter_context(closing(connect(node))) for _ in range(3))
    subscriber.sendall(command(b"SUBSCRIBE", b"news"))
    send_and_never_read(deaf, command(b"GET", b"long:1"), seconds=2)
    endless.sendall(b"*1000000\r\n")
    return endless


def never_finish(wire: socket.socket) -> bytes:
    """Send arguments until the node has enough; its last words."""
    wire.settimeout(5)
    try:
        for _ in range(1000):
            wire.sendall(command(VALUE)[4:])
    except OSError:
        pass
    try:
        return wire.recv(1000)
    except OSError:
        return b""


def test_memory_and_pace_with_everything_stuck_at_once(make_cluster: MakeCluster, tmp_path: Path) -> None:
    sections = {
        "limits": LIMITS,
        "timeouts": {"down_after": "1s"},
        "storage": {"path": str(tmp_path / "disk"), "reserve": 0},
    }
    with small_disk(tmp_path / "disk") as prefix:
        cluster = make_cluster(sections=sections, start=False)
        healthy, frozen, full = cluster
        full.prefix, full.variables = prefix, {"TRIO_DYNOMITE__STORAGE__ENGINE": "rocksdb"}
        cluster.start()
    key = key_led_by(cluster, healthy)
    write_much(healthy, 1.0, lambda done: done > 0)
    before, full_before = resident(healthy), resident(full)
    bystander, peak, full_peak = Bystander(healthy, key=key), Peak(healthy), Peak(full)
    with ExitStack() as stack, bystander.watching(), peak.watching(), full_peak.watching():
        frozen.freeze()
        wait_missed(cluster, frozen)
        endless = stuck_clients(healthy, stack)
        with client(healthy) as publisher:
            for _ in range(5000):
                publisher.publish("news", VALUE)
        write_much(
            healthy, 3.0, lambda done: done > KEYS // 2 and full.info("persistence")["storage_failure"]
        )
        assert b"limits.client_input" in never_finish(endless)
        stats = healthy.info("stats")
        frozen.thaw()
    assert "disk.full" in full.log_text()
    assert int(stats["client_query_buffer_limit_disconnections"]) == 1
    assert int(stats["client_output_buffer_limit_disconnections"]) == 1
    assert peak.bytes - before < BOUND, stats
    assert full_peak.bytes - full_before < BOUND
    assert statistics.quantiles(bystander.took_s, n=100)[98] < 0.5


def test_hints_beyond_their_limit_are_counted_and_repaired(make_cluster: MakeCluster) -> None:
    limits = {"hints": "100kb", "hints_per_peer": "50kb"}
    cluster = make_cluster(sections={"limits": limits, "timeouts": {"down_after": "1s"}})
    healthy, frozen, _ = cluster
    frozen.freeze()
    wait_missed(cluster, frozen)
    set_all(healthy, {f"k:{number}": number for number in range(3000)})
    refused = sum(int(node.info("stats")["hints_refused"]) for node in cluster if node is not frozen)
    assert refused > 0
    frozen.thaw()
    wait_until(
        lambda: frozen.command("DEBUG", "DIGEST") == healthy.command("DEBUG", "DIGEST"), "all is there"
    )
