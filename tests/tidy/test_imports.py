"""Imports point one way: data goes down the list on its way in, and nobody reaches for what is above.

Imports for type checking only are free. What breaks a rule today stands in a list with its reason; the lists
are exact, so that they can only shrink.
"""

import pytest

from tests.tidy.source import Module, modules

LAYERS: tuple[tuple[frozenset[str], ...], ...] = (
    (frozenset({"errors"}), frozenset({"model"})),
    (frozenset({"data"}), frozenset({"membership"})),
    (frozenset({"protocol"}),),
    (frozenset({"topology"}),),
    (frozenset({"commands"}),),
    (frozenset({"access"}), frozenset({"scripting"})),
    (frozenset({"storage"}), frozenset({"config"})),
    (frozenset({"handoff"}),),
    (frozenset({"coordinator", "peers", "repair"}),),
    (frozenset({"hub"}), frozenset({"logs"}), frozenset({"collector"})),
    (frozenset({"seeds"}),),
    (frozenset({"server"}),),
    (frozenset({"durable"}), frozenset({"datastore"})),
    (frozenset({"served"}),),
    (frozenset({"node"}),),
    (frozenset({"lives"}),),
    (frozenset({"launch", "__main__"}),),
    (frozenset({"testing"}),),
)
"""Lowest first. What stands in one set may import each other; sets of one layer may not."""

KNOWN = {
    "peers.supervisor → hub.channel": "a peer's task is wiring, like node.py, and lives a layer too low",
    "peers.supervisor → hub.connecting": "a peer's task is wiring, like node.py, and lives a layer too low",
    "peers.supervisor → hub.hub": "a peer's task is wiring, like node.py, and lives a layer too low",
}


def height(part: str) -> int:
    return next(at for at, layer in enumerate(LAYERS) for group in layer if part in group)


def may_import(importer: str, imported: str) -> bool:
    beside = any({importer, imported} <= group for layer in LAYERS for group in layer)
    return beside or imported == "" or height(imported) < height(importer)


def test_every_part_of_the_package_has_its_layer() -> None:
    placed = {part for layer in LAYERS for group in layer for part in group}
    assert {module.part for module in modules()} - {""} == placed


def test_imports_point_one_way() -> None:
    wrong = {
        f"{module.name} → {imported}"
        for module in modules()
        if module.name
        for imported in module.imports()
        if not imported.startswith("!") and not may_import(module.part, imported.partition(".")[0])
    }
    assert wrong == set(KNOWN)


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {module.name: {name for name in module.imports() if name in names()} for module in modules()}
    while leaves := {name for name, imported in graph.items() if not imported}:
        graph = {name: imported - leaves for name, imported in graph.items() if name not in leaves}
    assert not graph, f"imports go round among these, or lead into a round: {sorted(graph)}"


def names() -> set[str]:
    return {module.name for module in modules()}


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [
        ("coordinator", "data", True),
        ("coordinator", "peers", True),
        ("peers", "coordinator", True),
        ("data", "coordinator", False),
        ("topology", "config", False),
        ("coordinator", "hub", False),
        ("hub", "server", False),
        ("launch", "node", True),
        ("server", "testing", False),
    ],
)
def test_the_rule_itself(importer: str, imported: str, allowed: bool) -> None:
    assert may_import(importer, imported) is allowed


def test_what_is_for_type_checking_only_is_no_import() -> None:
    link = next(module for module in modules() if module.name == "peers.link")
    assert "coordinator.engine" not in link.imports()
    assert "protocol.frames" in link.imports()


def test_imports_inside_functions_count() -> None:
    command_line = next(module for module in modules() if module.name == "launch.command_line")
    assert "lives" in command_line.imports()


def test_every_module_is_read() -> None:
    assert all(isinstance(module, Module) for module in modules())
    assert {"", "__main__", "node", "coordinator.engine", "server.session"} <= names()
