"""Passwords that stand elsewhere than in the file: `{ file = "…" }` and `{ env = "…" }`.

They are read before anything else looks at the tree, so that a setting has one form only. A file's last line
break is no part of the password, and its path starts from where `cluster.toml` is.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trio_dynomite.config.sources import Place, Problem

_UNKNOWN = "unknown"
"""Stands for a password that could not be read; nothing is started with it."""


def resolve(tree: dict[str, Any], env: Mapping[str, str], folder: Path) -> list[Problem]:
    """Put the passwords into the tree; returns what is wrong with them."""
    problems: list[Problem] = []
    for table, key, place in _passwords(tree):
        given, table[key] = table[key], _UNKNOWN
        try:
            table[key] = _read(given, env, folder)
        except ValueError as why:
            problems.append((place, str(why)))
    return problems


def _passwords(tree: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, Place]]:
    """(table, key, place) of each password that is a table itself."""
    redis = tree.get("redis")
    if isinstance(redis, dict) and isinstance(redis.get("password"), dict):
        yield redis, "password", ("redis", "password")
    access = tree.get("access")
    if not isinstance(access, dict):
        return
    if isinstance(access.get("requirepass"), dict):
        yield access, "requirepass", ("access", "requirepass")
    users = access.get("users")
    for index, user in enumerate(users if isinstance(users, list) else []):
        if isinstance(user, dict) and isinstance(user.get("password"), dict):
            yield user, "password", ("access", "users", index, "password")


def _read(given: dict[str, Any], env: Mapping[str, str], folder: Path) -> str:
    match given:
        case {"file": str(path), **rest} if not rest:
            return _read_file(folder / path)
        case {"env": str(name), **rest} if not rest:
            if name not in env:
                raise ValueError(f"the environment has no {name}")
            return env[name]
    raise ValueError('must be a text, { file = "..." } or { env = "..." }')


def _read_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
