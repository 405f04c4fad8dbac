"""Where settings come from: the file, then the environment, then the command line; the later wins.

The result is one plain tree of tables. What came from outside the file is a `Text` in it, which remembers
its origin for the error message.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import tomli

from trio_dynomite.config import kinds
from trio_dynomite.config.kinds import Text
from trio_dynomite.errors import ConfigError, ConfigProblem

PREFIX = "TRIO_DYNOMITE__"
NODES = "nodes"
SECRETS = ("access.", "redis.password")

Place = tuple[str | int, ...]
"""The way to a value in the tree: keys and indices."""
Problem = tuple[Place, str]
"""The place of a mistake in the tree and what is wrong there."""


def read_file(path: Path) -> dict[str, Any]:
    """The tables in the file. Raises ConfigError when it cannot be read or is not TOML."""
    try:
        return tomli.loads(path.read_text(encoding="utf-8"))
    except tomli.TOMLDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ConfigError(str(path), (ConfigProblem(place, f"not TOML: {error.msg}"),)) from None
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), (ConfigProblem("", f"not UTF-8: {error}"),)) from None
    except OSError as error:
        raise ConfigError(str(path), (ConfigProblem("", f"cannot be read: {error.strerror}"),)) from None


def apply(tree: dict[str, Any], env: Mapping[str, str], overrides: Iterable[str]) -> list[Problem]:
    """Put what `env` and `overrides` give into `tree`; returns what could not be placed."""
    problems: list[Problem] = []
    for origin, names, value in [*from_environment(env), *from_command_line(overrides, problems)]:
        problem = _put(tree, names, Text(value, origin))
        if problem is not None:
            problems.append(((), f"{origin}: {problem}"))
    return problems


def from_environment(env: Mapping[str, str]) -> Iterator[tuple[str, list[str], str]]:
    """Origin, names and value of each `TRIO_DYNOMITE__SECTION__KEY`, in the order of their names."""
    for variable in sorted(env):
        if variable.startswith(PREFIX):
            yield variable, variable.removeprefix(PREFIX).lower().split("__"), env[variable]


def from_command_line(
    overrides: Iterable[str], problems: list[Problem]
) -> Iterator[tuple[str, list[str], str]]:
    """Origin, names and value of each `--set section.key=value`."""
    for given in overrides:
        names, equals, value = given.partition("=")
        if equals:
            yield f"--set {_shown(given)}", _split(names.strip()), value.strip()
        else:
            problems.append(((), f"--set {_shown(given)}: must be section.key=value"))


def _shown(given: str) -> str:
    """What was given, in a message; without what may be a password."""
    names = given.partition("=")[0].strip()
    return next((f"{secret}..." for secret in SECRETS if names.startswith(secret)), given)


def _split(names: str) -> list[str]:
    """`section.key`, or `nodes.NAME.key` where NAME may have dots of its own."""
    first, *rest = names.split(".")
    if first == NODES and len(rest) > 2:
        return [first, ".".join(rest[:-1]), rest[-1]]
    return [first, *rest]


def _put(tree: dict[str, Any], names: list[str], value: Text) -> str | None:
    """Set one value; returns why not."""
    match names:
        case [section, key] if section and key and section != NODES:
            table = tree.setdefault(section, {})
        case [section, name, key] if section == NODES:
            table = _node(tree, name)
            if table is None:
                return f"there is no node {name!r}{kinds.did_you_mean(name, _node_names(tree))}"
        case _:
            return "must name section and key, or nodes, a node's name and key"
    if isinstance(table, dict):  # else the file is wrong there, and says so
        table[key] = value
    return None


def _node(tree: dict[str, Any], name: str) -> dict[str, Any] | None:
    """The table of a node; the environment has no capitals, dots or dashes to name it by."""
    wanted = _plain(name)
    for table in _node_tables(tree):
        if name == table.get("name"):
            return table
    for table in _node_tables(tree):
        if wanted == _plain(str(table.get("name"))):
            return table
    return None


def _node_tables(tree: dict[str, Any]) -> list[dict[str, Any]]:
    tables = tree.get(NODES)
    return [table for table in tables if isinstance(table, dict)] if isinstance(tables, list) else []


def _node_names(tree: dict[str, Any]) -> list[str]:
    return [str(table.get("name")) for table in _node_tables(tree)]


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")
