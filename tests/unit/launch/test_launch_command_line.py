"""What can be typed, what is printed, and the exit code."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trio_dynomite.__main__ import main
from trio_dynomite.config import load
from trio_dynomite.launch import command_line, machine
from trio_dynomite.launch.welcome import welcome

CLUSTER_TOML = str(Path(__file__).parents[3] / "cluster.toml")


def test_check_prints_the_nodes_and_what_they_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.run(["check", CLUSTER_TOML, "--set", "nodes.node1.tokens=8191,16383"]) == 0

    printed = capsys.readouterr().out
    assert "cluster demo: the configuration is right" in printed
    assert "8191 16383" in printed
    assert "node3" in printed


@pytest.mark.parametrize(
    "arguments", [["check", CLUSTER_TOML], [CLUSTER_TOML], [CLUSTER_TOML, "--node", "node1"]]
)
def test_a_wrong_configuration_is_told_with_exit_code_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.run([*arguments, "--set", "limits.clients=none", "--set", "cluster.nam=x"]) == 2

    told = capsys.readouterr().err
    assert "limits.clients: must be an integer" in told
    assert "did you mean 'name'?" in told


def test_the_environment_is_heard(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRIO_DYNOMITE__CLUSTER__NAME", "elsewhere")

    assert command_line.run(["check", CLUSTER_TOML]) == 0
    assert "cluster elsewhere" in capsys.readouterr().out


def test_a_node_that_is_not_in_the_file_is_refused_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.run([CLUSTER_TOML, "--node", "nod1"]) == 2
    assert "has no such node; did you mean 'node1'?" in capsys.readouterr().err


def test_a_file_without_nodes_of_this_machine_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine, "is_own_address", lambda host: False)
    elsewhere = [*(f"nodes.node{i}.host=192.0.2.{i}" for i in (1, 2, 3)), "access.allow_unprotected=true"]

    assert command_line.run([CLUSTER_TOML, *(part for one in elsewhere for part in ("--set", one))]) == 2
    assert "no node's host is an address of this machine: node1 (192.0.2.1)" in capsys.readouterr().err


def test_an_unknown_option_is_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command_line.run(["--nod", "x", "--bogus"])
    assert caught.value.code == 2


def test_a_child_gets_the_settings_of_its_parent() -> None:
    options = argparse.Namespace(file="c.toml", set=["a.b=1", "c.d=2"], log_level="debug")

    command = command_line.child_command(options, "n1")

    assert command[:5] == [sys.executable, "-m", "trio_dynomite", "c.toml", "--node"]
    assert command[5:] == ["n1", "--log-level", "debug", "--set", "a.b=1", "--set", "c.d=2"]


def test_the_module_runs_as_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "trio_dynomite", "check", CLUSTER_TOML],
        cwd=Path(CLUSTER_TOML).parent,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "datacenter dc1: 3 racks" in done.stdout
    assert done.stderr == ""


def test_main_leaves_ignored_signals_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    import signal

    before = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        assert main(["check", CLUSTER_TOML]) == 0
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is not before[signal.SIGTERM]
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def test_the_welcome_says_what_to_type() -> None:
    settings = load(CLUSTER_TOML, {})

    told = welcome(settings, settings.nodes, {"node1": 71, "node2": 72, "node3": 73})

    for line in (
        "redis-cli -p 8102 set greeting hello",
        "redis-cli -p 8302 get greeting",
        "redis-cli -c -p 8102",
        "kill -9 71",
    ):
        assert line in told


def test_the_welcome_names_a_host_that_is_not_this_one() -> None:
    settings = load(CLUSTER_TOML, {}, ["nodes.node1.host=10.0.0.5", "access.allow_unprotected=true"])

    assert "redis-cli -h 10.0.0.5 -p 8102 set" in welcome(settings, settings.nodes[:1], {"node1": 1})


def test_an_address_is_own_when_a_socket_can_have_it() -> None:
    assert machine.is_own_address("127.0.0.1")
    assert not machine.is_own_address("240.0.0.1")  # reserved: no machine has it (RFC 1112)
    assert not machine.is_own_address("no.such.host.invalid")


@pytest.mark.parametrize(
    ("soft", "hard", "clients", "set_to", "too_few"),
    [
        (100_000, 100_000, 10_000, None, None),
        (1024, 100_000, 10_000, 10_256, None),
        (1024, 4096, 10_000, 4096, 3840),
        (1024, -1, 10_000, 10_256, None),
        (-1, -1, 10_000, None, None),
    ],
)
def test_the_file_limit_is_raised_as_far_as_it_goes(
    monkeypatch: pytest.MonkeyPatch,
    soft: int,
    hard: int,
    clients: int,
    set_to: int | None,
    too_few: int | None,
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(machine.resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(machine.resource, "setrlimit", lambda _, limits: asked.append(limits))

    assert machine.raise_file_limit(clients) == too_few
    assert asked == ([] if set_to is None else [(set_to, hard)])


def test_the_scripts_can_be_run() -> None:
    top = Path(CLUSTER_TOML).parent

    for script in ("run", "test", ".ci/run"):
        assert os.access(top / script, os.X_OK)
        subprocess.run(["sh", "-n", str(top / script)], check=True)
