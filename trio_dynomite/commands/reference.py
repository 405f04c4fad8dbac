"""What Valkey 9.1 tells about the commands beyond their rows: tips, key specifications, documentation.

Captured from its COMMAND INFO and COMMAND DOCS into `reference.json`, one command a line, and read when
somebody first asks. Data for clients; nothing here decides how a command runs.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

_learned_specs: dict[str, list[dict[str, Any]]] = {}
"""Of commands of modules."""


@cache
def _reference() -> dict[str, Any]:
    text = files(__package__).joinpath("reference.json").read_text(encoding="utf-8")
    reference: dict[str, Any] = json.loads(text)
    return reference


def tips(name: str) -> list[str]:
    """The hints for clients about command `name`: `request_policy:multi_shard` and the like."""
    found: list[str] = _reference()["commands"].get(name, {}).get("tips", [])
    return found


def key_specs(name: str) -> list[dict[str, Any]]:
    """Where the keys of command `name` stand and what happens to them."""
    reference = _reference()
    command = reference["commands"].get(name)
    if command is None:
        return _learned_specs.get(name, [])
    return [reference["key_specs"][index] for index in command.get("key_specs", [])]


def learn_specs(name: str, specs: list[dict[str, Any]]) -> None:
    """Know where the keys of a command stand that is none of Valkey's; of those nothing changes."""
    _learned_specs[name] = specs


def docs(name: str) -> dict[str, Any]:
    """The documentation of command `name`, a subcommand as `parent|child`; empty when there is none."""
    parent = name.partition("|")[0]
    found: dict[str, Any] = _reference()["docs"].get(parent, {})
    return found if parent == name else found.get("subcommands", {}).get(name, {})
