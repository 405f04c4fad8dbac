"""Pure code: no sockets, tasks, clock, chance or threads, so that a simulation drives the very same code.

Time is told to it and random numbers are handed to it. What breaks the rule today stands in `KNOWN` with its
reason; the list is exact, so that it can only shrink.
"""

import ast

from tests.tidy.source import Module, modules

PURE_PARTS = {
    *("errors", "model", "data", "protocol", "topology", "config", "commands", "access", "scripting"),
    *("storage", "handoff", "coordinator", "peers", "repair", "membership"),
}
PURE_MODULES = {"launch.backoff", "launch.exits", "launch.welcome"}
NOT_PURE = {
    "peers.supervisor": "the task of a peer: it connects, and waits between two attempts",
    "handoff.folder": "the files of hints",
    "handoff.tending": "the task that looks after them",
    "storage.files": "files that are written as a whole",
    "storage.rocksdb.backups": "the task that makes backups, and their directories",
    "storage.rocksdb.tidying": "the task that compacts what was deleted, in a thread",
    "storage.rocksdb.syncing": "the task that syncs the database's log, in a thread",
    "storage.saving": "the task that makes copies, whatever kind",
    "storage.snapshotter": "the task that makes snapshots",
    "storage.servers.folder": "the directory of a managed server, and its locks",
    "storage.servers.process": "a server's process",
    "storage.servers.managed": "the task that keeps a managed server running",
    "storage.servers.connection": "the task that keeps a server connected",
    "membership.task": "the task of gossip: its socket and its clock",
}
"""Modules of pure parts that make no claim to be pure."""

IMPURE = {
    *("asyncio", "concurrent", "multiprocessing", "subprocess", "threading", "trio"),
    *("os", "select", "selectors", "signal", "socket", "ssl", "tempfile"),
    *("datetime", "time", "random", "secrets", "uuid"),
}
"""Modules of others that bring the outside world with them."""

KNOWN = {
    "launch.backoff → random": "names the type of the generator that it is given, and draws from no other",
}


def is_pure(module: Module) -> bool:
    return (module.part in PURE_PARTS or module.name in PURE_MODULES) and module.name not in NOT_PURE


def test_pure_modules_know_nothing_of_the_world() -> None:
    wrong = {
        f"{module.name} → {outside}"
        for module in modules()
        if is_pure(module)
        for imported in module.imports()
        if imported.startswith("!") and (outside := imported[1:].partition(".")[0]) in IMPURE
    }
    assert wrong == set(KNOWN)


def test_pure_modules_use_pure_modules_only() -> None:
    pure = {module.name for module in modules() if is_pure(module)}
    wrong = {
        (module.name, imported)
        for module in modules()
        if is_pure(module)
        for imported in module.imports()
        if not imported.startswith("!") and imported not in pure
    }
    assert not wrong


def test_only_the_configuration_and_what_ships_with_the_package_is_read_from_files() -> None:
    readers = {
        module.name
        for module in modules()
        if is_pure(module)
        for imported in module.imports()
        if imported.startswith(("!pathlib", "!importlib.resources", "!io"))
    }
    pure = [module for module in modules() if is_pure(module)]
    openers = {where.partition(":")[0] for module in pure for where in module.calls("open")}
    shipped = {"commands.reference", "scripting.sources", "storage.redis.library", "storage.plain"}
    assert readers | openers == {"config.load", "config.secrets", "config.sources", *shipped}


def test_the_simulator_lives_in_virtual_time() -> None:
    outside = {"testing.__main__", "testing.local"}
    simulated = [module for module in modules() if module.part == "testing" and module.name not in outside]
    assert simulated
    for module in simulated:
        others = {name[1:].partition(".")[0] for name in module.imports() if name.startswith("!")}
        assert others & IMPURE <= {"random"}, module.name


def test_the_simulator_draws_from_its_seed_only() -> None:
    drawn = {
        (module.name, node.attr)
        for module in modules()
        if module.part == "testing"
        for node in module.nodes()
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "random"
    }
    assert {attribute for _, attribute in drawn} <= {"Random"}, drawn
