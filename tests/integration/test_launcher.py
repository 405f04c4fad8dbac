"""Real processes: the supervisor and a node in the foreground start, stop, crash and are killed."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("launched_node.py")
TOP = PROGRAM.parents[2]
PATIENCE_S = 20.0

pytestmark = pytest.mark.integration


class Launched:
    """A program that was started, its log as it grows, and its end."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.output = directory / "output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(PROGRAM), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=directory,
                env=os.environ | {"PYTHONPATH": str(TOP)},
            )

    def text(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def wait_for(self, pattern: str, times: int = 1) -> list[str]:
        """The matches of `pattern` in the output once there are so many."""
        self._wait_until(lambda: self._ended() or len(re.findall(pattern, self.text())) >= times, pattern)
        found = re.findall(pattern, self.text())
        assert len(found) >= times, f"ended without {pattern}:\n{self.text()}"
        return found

    def pids(self) -> dict[str, int]:
        """The process id of each node, once all are ready."""
        (line,) = self.wait_for(r"all ready (.*)\n")
        return {name: int(pid) for name, pid in (pair.split("=") for pair in line.split())}

    def stop(self, signum: int = signal.SIGTERM) -> int:
        self.process.send_signal(signum)
        return self.process.wait(PATIENCE_S)

    def wait_gone(self, pid: int) -> None:
        self._wait_until(lambda: not _runs(pid), f"the end of process {pid}")

    def started_pids(self) -> list[int]:
        return [int(pid) for pid in re.findall(r"started child=\S+ pid=(\d+)", self.text())]

    def _ended(self) -> bool:
        return self.process.poll() is not None

    def _wait_until(self, happened: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not happened():
            assert time.monotonic() < deadline, f"no {what} in:\n{self.text()}"
            time.sleep(0.02)

    def end(self) -> None:
        """Leave nothing behind, whatever happened."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pid in self.started_pids():
            if _runs(pid):
                os.kill(pid, signal.SIGKILL)


def _runs(pid: int) -> bool:
    """Whether the process is there and is our program; a dead one that nobody reaped is not."""
    try:
        return PROGRAM.name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., Launched]]:
    launched: list[Launched] = []

    def start(*arguments: str) -> Launched:
        launched.append(Launched(tmp_path, *arguments))
        return launched[-1]

    yield start
    for one in launched:
        one.end()


Launch = Callable[..., Launched]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_node_in_the_foreground_stops_in_order(launch: Launch, signum: int) -> None:
    node = launch("node", "5", "n1", "serves")
    node.wait_for("begins")

    assert node.stop(signum) == 0
    assert "in order" in node.text()
    assert "Traceback" not in node.text()


def test_a_node_that_does_not_stop_is_cancelled_at_its_deadline(launch: Launch) -> None:
    node = launch("node", "0.1", "n1", "deaf")
    node.wait_for("begins")

    assert node.stop() == 0
    assert "stopped before it had finished" in node.text()


def test_a_second_signal_cancels_at_once(launch: Launch) -> None:
    node = launch("node", "1000", "n1", "deaf")
    node.wait_for("begins")
    node.process.send_signal(signal.SIGTERM)
    node.wait_for("stopping reason=SIGTERM")

    assert node.stop(signal.SIGINT) == 0
    assert "stopping at once signal=SIGINT" in node.text()


@pytest.mark.parametrize("after_s", [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4])
def test_a_node_stops_without_a_word_of_python_at_any_moment_of_its_start(
    launch: Launch, after_s: float
) -> None:
    node = launch("node", "0.2", "n1", "starts")
    time.sleep(after_s)  # the moment is the test: the interpreter, the imports, the start-up

    # Before the interpreter has run any line of ours, SIGTERM just ends it.
    assert node.stop() in (0, -signal.SIGTERM)
    assert "Traceback" not in node.text()


@pytest.mark.parametrize(
    ("behaviour", "code", "said"),
    [
        ("crashes", 1, "RuntimeError: a bug"),
        ("unlucky", 1, 'cannot go on reason="cannot listen on port 1: Address already in use"'),
        ("full", 3, 'cannot go on reason="data cannot be written: No space left on device"'),
        ("misconfigured", 2, "nodes[0].name: is wrong"),
    ],
)
def test_a_node_that_fails_says_why_with_its_exit_code(
    launch: Launch, behaviour: str, code: int, said: str
) -> None:
    node = launch("node", "1", "n1", behaviour)

    assert node.process.wait(PATIENCE_S) == code
    assert said in node.text()
    assert ("Traceback" in node.text()) == (behaviour == "crashes")


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_the_supervisor_stops_all_nodes_in_order(launch: Launch, signum: int) -> None:
    supervisor = launch("supervise", "5", "n1=serves", "n2=serves", "n3=serves")
    pids = supervisor.pids()

    assert supervisor.stop(signum) == 0
    assert set(pids) == {"n1", "n2", "n3"}
    assert supervisor.text().count("in order") == 3
    assert "stopping at once" not in supervisor.text()
    assert not any(_runs(pid) for pid in pids.values())


def test_a_killed_node_is_started_again_and_the_others_stay(launch: Launch) -> None:
    supervisor = launch("supervise", "5", "n1=serves", "n2=serves")
    pids = supervisor.pids()

    os.kill(pids["n1"], signal.SIGKILL)

    supervisor.wait_for("ready child=n1", times=2)
    assert 'crashed child=n1 ended_with="signal 9"' in supervisor.text()
    assert _runs(pids["n2"])
    assert supervisor.stop() == 0
    assert supervisor.text().count("all ready") == 1


def test_a_node_that_crashes_once_gets_its_second_chance(launch: Launch) -> None:
    supervisor = launch("supervise", "5", "n1=flaky")

    supervisor.pids()

    assert supervisor.text().count("started child=n1") == 2
    assert supervisor.stop() == 0


def test_a_node_that_keeps_crashing_is_given_up_and_the_others_serve_on(launch: Launch) -> None:
    supervisor = launch("supervise", "5", "n1=crashes", "n2=serves")

    supervisor.wait_for("given up child=n1 crashes=3")
    supervisor.wait_for("ready child=n2")

    assert supervisor.stop() == 1
    assert "in order" in supervisor.text()


def test_the_supervisor_ends_when_every_node_was_given_up(launch: Launch) -> None:
    supervisor = launch("supervise", "5", "n1=crashes")

    assert supervisor.process.wait(PATIENCE_S) == 1


def test_a_wrong_configuration_stops_everything(launch: Launch) -> None:
    supervisor = launch("supervise", "5", "n1=serves", "n2=misconfigured")

    assert supervisor.process.wait(PATIENCE_S) == 2
    assert supervisor.text().count("started child=n2") == 1
    assert not any(_runs(pid) for pid in supervisor.started_pids())


def test_a_node_that_was_stopped_by_hand_is_not_started_again(launch: Launch) -> None:
    supervisor = launch("supervise", "5", "n1=serves", "n2=serves")
    pids = supervisor.pids()

    os.kill(pids["n1"], signal.SIGTERM)
    supervisor.wait_for("stopped by itself, not started again child=n1")
    os.kill(pids["n2"], signal.SIGTERM)

    assert supervisor.process.wait(PATIENCE_S) == 0
    assert len(supervisor.started_pids()) == 2


def test_nodes_do_not_outlive_a_killed_supervisor(launch: Launch) -> None:
    supervisor = launch("supervise", "5", "n1=serves", "n2=starts")
    supervisor.wait_for("begins", times=2)

    assert supervisor.stop(signal.SIGKILL) == -signal.SIGKILL

    for pid in supervisor.started_pids():
        supervisor.wait_gone(pid)
    assert supervisor.text().count('stopping reason="the supervisor is gone"') == 2
    assert supervisor.text().count("in order") == 2


def test_a_node_that_cannot_be_stopped_is_killed(launch: Launch) -> None:
    supervisor = launch("supervise", "0", "n1=stubborn", "n2=serves")
    supervisor.pids()

    assert supervisor.stop() == 1
    assert "did not stop in time, killed child=n1" in supervisor.text()


def test_a_second_signal_to_the_supervisor_is_passed_on(launch: Launch) -> None:
    supervisor = launch("supervise", "1000", "n1=deaf")
    supervisor.pids()
    supervisor.process.send_signal(signal.SIGINT)
    supervisor.wait_for("stopping reason=SIGTERM")

    assert supervisor.stop(signal.SIGINT) == 0
    assert "stopping at once signal=SIGTERM" in supervisor.text()


@pytest.mark.parametrize("after_s", [0.1, 0.2, 0.3, 0.35, 0.4, 0.5, 0.6])
def test_the_supervisor_stops_at_any_moment_of_the_start(launch: Launch, after_s: float) -> None:
    supervisor = launch("supervise", "0.5", "n1=starts", "n2=serves")
    time.sleep(after_s)  # the moment is the test

    assert supervisor.stop() in (0, -signal.SIGTERM)
    assert "Traceback" not in supervisor.text()
    assert not any(_runs(pid) for pid in supervisor.started_pids())
