"""The rules that make a selector: commands and categories, keys, channels and databases.

`apply` takes one rule of ACL SETUSER and raises ValueError with Redis's own words. Source: `ACLSetSelector`
in Valkey's `acl.c`.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from attrs import evolve

from trio_dynomite.access.selector import Selector
from trio_dynomite.access.touched import READ, WRITE
from trio_dynomite.commands.row import Row
from trio_dynomite.commands.table import ROWS, SUBCOMMANDS, named

CATEGORIES = (
    *("keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap", "hyperloglog"),
    *("geo", "stream", "pubsub", "admin", "fast", "slow", "blocking", "dangerous", "connection"),
    *("transaction", "scripting"),
)
"""In the order of ACL CAT."""
EVERY_ROW: Mapping[str, Row] = {
    row.name: row for rows in (ROWS, *SUBCOMMANDS.values()) for row in rows.values()
}
"""By its name."""

SYNTAX = "Syntax error"
UNKNOWN = "Unknown command or category name in ACL"
_AFTER_ALL_KEYS = (
    "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect."
    " Try 'resetkeys' to start with an empty list of patterns"
)
_AFTER_ALL_CHANNELS = (
    "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any"
    " effect. Try 'resetchannels' to start with an empty list of channels"
)
_ARGUMENT_OF_A_SUBCOMMAND = "Allowing first-arg of a subcommand is not supported"
_NO_SUCH_DATABASE = "The provided database ID is out of range"
_DATABASE_MAX = 2**31 - 1

_SPACE = re.compile(rb"[ \t\n\v\f\r\0]")
_RIGHTS = re.compile(rb"%(R|W|RW|WR)(?:~|\Z)", re.IGNORECASE)
_NUMBER = re.compile(rb"[ \t\n\v\f\r]*[+-]?[0-9]+")

_ALL_COMMANDS: dict[str, Any] = {
    "allowed": frozenset(EVERY_ROW),
    "first_arguments": {},
    "begins_with_all": True,
    "commands": (),
}
_NO_COMMANDS = _ALL_COMMANDS | {"allowed": frozenset(), "begins_with_all": False}
_WHOLE: Mapping[bytes, Mapping[str, Any]] = {
    b"allkeys": {"key_patterns": None},
    b"~*": {"key_patterns": None},
    b"resetkeys": {"key_patterns": {}},
    b"allchannels": {"channels": None},
    b"&*": {"channels": None},
    b"resetchannels": {"channels": ()},
    b"alldbs": {"databases": None},
    b"resetdbs": {"databases": ()},
    b"allcommands": _ALL_COMMANDS,
    b"+@all": _ALL_COMMANDS,
    b"nocommands": _NO_COMMANDS,
    b"-@all": _NO_COMMANDS,
}
"""What rules that stand for themselves set."""


def apply(selector: Selector, rule: bytes) -> Selector:
    """The selector after `rule`. Raises ValueError."""
    word = rule.lower()
    if word in _WHOLE:
        return evolve(selector, **_WHOLE[word])
    if word.startswith(b"db="):
        return evolve(selector, databases=_databases(rule[3:]))
    change = _BY_MARK.get(rule[:1])
    if change is None:
        raise ValueError(SYNTAX)
    return change(selector, rule)


def has_spaces(text: bytes) -> bool:
    """Names and patterns have no spaces and no zero bytes: they must survive in a line of rules."""
    return _SPACE.search(text) is not None


def _with_keys(selector: Selector, rule: bytes) -> Selector:
    if selector.key_patterns is None:
        raise ValueError(_AFTER_ALL_KEYS)
    rights, pattern = READ | WRITE, rule[1:]
    if rule[:1] == b"%":
        mark = _RIGHTS.match(rule)
        if mark is None:
            raise ValueError(SYNTAX)
        letters = mark[1].upper()
        rights, pattern = (
            (READ if b"R" in letters else 0) | (WRITE if b"W" in letters else 0),
            rule[mark.end() :],
        )
    if has_spaces(pattern):
        raise ValueError(SYNTAX)
    patterns = dict(selector.key_patterns)
    patterns[pattern] = patterns.get(pattern, 0) | rights
    return evolve(selector, key_patterns=patterns)


def _with_channels(selector: Selector, rule: bytes) -> Selector:
    if selector.channels is None:
        raise ValueError(_AFTER_ALL_CHANNELS)
    if has_spaces(rule):
        raise ValueError(SYNTAX)
    return evolve(selector, channels=tuple(dict.fromkeys([*selector.channels, rule[1:]])))


def _databases(text: bytes) -> tuple[int, ...]:
    found = set()
    for word in text.split(b","):
        if not _NUMBER.fullmatch(word):
            raise ValueError(SYNTAX)
        number = int(word)
        if not 0 <= number <= _DATABASE_MAX:
            raise ValueError(_NO_SUCH_DATABASE)
        found.add(number)
    return tuple(sorted(found))


def _with_commands(selector: Selector, rule: bytes) -> Selector:
    """After a rule that begins with + or -."""
    allow, word = rule[:1] == b"+", rule[1:]
    if word[:1] == b"@":
        names = members(word[1:].lower().decode("utf-8", "replace"))
        if names is None:
            raise ValueError(UNKNOWN)
        return _changed(selector, names, word, allow)
    command, bar, argument = word.rpartition(b"|")
    if allow and bar:
        return _with_first_argument(selector, word, command, argument)
    row = named(word)
    if row is None:
        raise ValueError(UNKNOWN)
    return _changed(selector, with_subcommands(row), row.name.encode(), allow)


def _with_first_argument(selector: Selector, word: bytes, command: bytes, argument: bytes) -> Selector:
    """After +command|argument: a subcommand, or an argument with which a command is allowed."""
    row = named(command)
    if row is None:
        raise ValueError(UNKNOWN)
    if "|" in row.name:
        raise ValueError(_ARGUMENT_OF_A_SUBCOMMAND)
    if not argument:
        raise ValueError(SYNTAX)
    if row.name in SUBCOMMANDS:
        child = named(word)
        if child is None:
            raise ValueError(UNKNOWN)
        return _changed(selector, frozenset([child.name]), word, True)
    before = selector.first_arguments.get(row.name, ())
    arguments = dict.fromkeys([*before, argument.lower()])
    return evolve(
        selector,
        first_arguments={**selector.first_arguments, row.name: tuple(arguments)},
        commands=_told(selector.commands, b"+" + word.lower()),
    )


def _changed(selector: Selector, names: frozenset[str], word: bytes, allow: bool) -> Selector:
    first = {name: found for name, found in selector.first_arguments.items() if name not in names}
    return evolve(
        selector,
        allowed=selector.allowed | names if allow else selector.allowed - names,
        first_arguments=first,
        commands=_told(selector.commands, (b"+" if allow else b"-") + word.lower()),
    )


def _told(commands: tuple[bytes, ...], rule: bytes) -> tuple[bytes, ...]:
    """`commands` and `rule`, without those that it makes idle: about the same, or about a part of it."""
    name = rule[1:]
    part = name + b"|"
    kept = [old for old in commands if old[1:] != name and not old.startswith(part, 1)]
    return (*kept, rule)


def with_subcommands(row: Row) -> frozenset[str]:
    """The names of `row` and of its subcommands."""
    return frozenset([row.name, *(child.name for child in SUBCOMMANDS.get(row.name, {}).values())])


@cache
def members(category: str) -> frozenset[str] | None:
    """The names of what rules about `category` change; None when there is no such category.

    Subcommands of a container that is in it belong to it, too."""
    if category not in CATEGORIES:
        return None
    found: set[str] = set()
    for row in ROWS.values():
        if category in row.categories:
            found |= with_subcommands(row)
        children = SUBCOMMANDS.get(row.name, {}).values()
        found |= {child.name for child in children if category in child.categories}
    return frozenset(found)


_BY_MARK: Mapping[bytes, Callable[[Selector, bytes], Selector]] = {
    b"~": _with_keys,
    b"%": _with_keys,
    b"&": _with_channels,
    b"+": _with_commands,
    b"-": _with_commands,
}
