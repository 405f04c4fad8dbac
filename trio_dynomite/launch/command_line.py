"""The command line: what can be typed, and what is then run.

trio-dynomite [cluster.toml]                the nodes of this machine, supervised
trio-dynomite [cluster.toml] --node NAME    that node alone, in the foreground
trio-dynomite check [cluster.toml]          validate, and print who owns what
trio-dynomite restore [cluster.toml] --node NAME    put that node's newest backup in the place of its data
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

import trio

from trio_dynomite import __version__, logs
from trio_dynomite.config import Settings, kinds, load
from trio_dynomite.errors import ConfigError
from trio_dynomite.launch import exits, foreground, machine
from trio_dynomite.launch.restore import restore
from trio_dynomite.launch.supervisor import Supervisor
from trio_dynomite.launch.welcome import welcome

PROGRAM = "trio-dynomite"


def run(argv: Sequence[str]) -> int:
    """Do what the command line says; returns the exit code."""
    arguments = list(argv)
    other = arguments[0] if arguments[:1] in (["check"], ["restore"]) else None
    make_parser = {"check": _check_parser, "restore": _restore_parser, None: _parser}[other]
    options = make_parser().parse_args(arguments if other is None else arguments[1:])
    try:
        settings = load(options.file, os.environ, options.set)
        if other == "check":
            return check(settings)
        if other == "restore":
            return restore_one(settings, options)
        if options.node is not None:
            return run_one(settings, options)
        return run_all(settings, options)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return exits.MISUSE


def check(settings: Settings) -> int:
    """Print the ring and who owns what. Getting this far means that the settings are right."""
    from trio_dynomite.topology import describe, partitioner, view

    ring = partitioner.make(settings.cluster.partitioner, settings.cluster.hash_tag)
    print(f"cluster {settings.cluster.name}: the configuration is right\n")
    print(describe.describe(view.View.of(settings.members, ring, spread=settings.cluster.spreads)), end="")
    return exits.CLEAN


def restore_one(settings: Settings, options: argparse.Namespace) -> int:
    """Put a backup in the place of a node's data."""
    if (said := _unknown_node(settings, options)) is not None:
        print(said, file=sys.stderr)
        return exits.MISUSE
    backup, target = restore(settings, options.node, options.source)
    print(f"{target} is {backup} now; start {options.node}, and it learns from the others what came since")
    return exits.CLEAN


def _unknown_node(settings: Settings, options: argparse.Namespace) -> str | None:
    names = [node.name for node in settings.nodes]
    if options.node in names:
        return None
    hint = kinds.did_you_mean(options.node, names) or f"; the nodes are {', '.join(names)}"
    return f"--node {options.node}: {options.file} has no such node{hint}"


def run_one(settings: Settings, options: argparse.Namespace) -> int:
    """Run one node in this process."""
    if (said := _unknown_node(settings, options)) is not None:
        print(said, file=sys.stderr)
        return exits.MISUSE
    logs.configure(options.node, options.log_level)
    from trio_dynomite import lives

    async def serve() -> int:
        return await foreground.run(
            lives.run, settings, options.node, ready_fd=options.ready_fd, parent_fd=options.parent_fd
        )

    return trio.run(serve)


def run_all(settings: Settings, options: argparse.Namespace) -> int:
    """Supervise the nodes of this machine."""
    local = settings.local_nodes(machine.is_own_address)
    if not local:
        hosts = ", ".join(f"{node.name} ({node.host})" for node in settings.nodes)
        print(
            f"{options.file}: no node's host is an address of this machine: {hosts}; "
            "correct the host, or start one anyway with --node NAME",
            file=sys.stderr,
        )
        return exits.MISUSE
    logs.configure("supervisor", options.log_level)

    def greet(pids: Mapping[str, int]) -> None:
        print(welcome(settings, local, pids), flush=True)

    supervisor = Supervisor(
        commands={node.name: child_command(options, node.name) for node in local},
        grace_s=settings.timeouts.stop,
        on_all_ready=greet,
    )
    return trio.run(supervisor.run)


def child_command(options: argparse.Namespace, name: str) -> list[str]:
    """The command that runs node `name` with the settings that this process was given."""
    overrides = [part for override in options.set for part in ("--set", override)]
    command = [sys.executable, "-m", "trio_dynomite", options.file, "--node", name]
    return [*command, "--log-level", options.log_level, *overrides]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Start the nodes in FILE that belong on this machine, and keep them running.",
        epilog=f"To validate a file and print who owns what: {PROGRAM} check [FILE]. "
        "Exit codes: 0 stopped in order, 1 a node failed, 2 wrong configuration or usage.",
    )
    _add_common(parser)
    parser.add_argument("--node", metavar="NAME", help="run only this node, in the foreground")
    parser.add_argument("--log-level", choices=logs.LEVELS, default="info", help="default: info")
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    parser.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--parent-fd", type=int, help=argparse.SUPPRESS)
    return parser


def _check_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} check", description="Validate FILE and print the ring and who owns what."
    )
    _add_common(parser)
    return parser


def _restore_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} restore",
        description="Put a backup, made by BGSAVE, in the place of the data of a node that does not run.",
    )
    _add_common(parser)
    parser.add_argument("--node", metavar="NAME", required=True, help="whose data")
    parser.add_argument("--from", dest="source", metavar="DIR", help="default: the newest backup of NAME")
    return parser


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", metavar="FILE", nargs="?", default="cluster.toml", help="default: cluster.toml"
    )
    parser.add_argument(
        "--set",
        metavar="SECTION.KEY=VALUE",
        action="append",
        default=[],
        help="change one setting (nodes.NAME.KEY=VALUE for a node's); may be given often",
    )
