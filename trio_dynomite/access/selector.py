"""A selector: a set of commands, and the keys, channels and databases on which they may be used.

A user has one of its own and any number of further ones; a request must fit into one of them as a whole.
Selectors are values: a rule makes another one (`rules.apply`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from attrs import field, frozen

from trio_dynomite.access import touched
from trio_dynomite.access.denial import Reason
from trio_dynomite.access.touched import READ, WRITE, Key
from trio_dynomite.commands.patterns import compile_glob
from trio_dynomite.commands.row import Row

_MARKS = {READ: b"%R~", WRITE: b"%W~", READ | WRITE: b"~"}


class Lack(NamedTuple):
    """Why a request does not fit; of several the greatest counts."""

    reason: Reason
    place: int
    """Which of its keys or channels was refused."""
    object: bytes


@frozen
class Selector:
    """Who is let in by it, and how ACL LIST tells it."""

    allowed: frozenset[str] = field(default=frozenset(), repr=False)
    """The names of the rows that may be run."""
    first_arguments: Mapping[str, tuple[bytes, ...]] = field(factory=dict)
    """Of rows that are not allowed: the first arguments, in lower case, with which they are."""
    begins_with_all: bool = False
    """Were all commands allowed before `commands`, or none?"""
    commands: tuple[bytes, ...] = ()
    """The rules about commands since then, as they are told."""
    key_patterns: Mapping[bytes, int] | None = field(factory=dict)
    """What may be done to keys that match: READ, WRITE or both. None: everything to every key."""
    channels: tuple[bytes, ...] | None = ()
    """Patterns. None: all channels."""
    databases: tuple[int, ...] | None = None
    """None: all."""
    _globs: tuple[tuple[int, re.Pattern[bytes]], ...] = field(init=False, repr=False)

    @_globs.default
    def _compiled(self) -> tuple[tuple[int, re.Pattern[bytes]], ...]:
        patterns = self.key_patterns or {}
        return tuple((rights, compile_glob(pattern)) for pattern, rights in patterns.items())

    def words(self) -> list[bytes]:
        """The rules that make this selector out of a new one, as ACL LIST tells them."""
        words = self.key_words()
        if self.channels is not None:
            words.append(b"resetchannels")
        words += self.channel_words()
        if self.databases is not None:
            words.append(self.database_word() or b"resetdbs")
        return words + self.command_words()

    def key_words(self) -> list[bytes]:
        """The rules about keys."""
        if self.key_patterns is None:
            return [b"~*"]
        return [_MARKS[rights] + pattern for pattern, rights in self.key_patterns.items()]

    def channel_words(self) -> list[bytes]:
        """The rules about channels."""
        return [b"&*"] if self.channels is None else [b"&" + pattern for pattern in self.channels]

    def database_word(self) -> bytes:
        """The rule about databases; nothing when there are none."""
        if self.databases is None:
            return b"alldbs"
        return b"db=" + b",".join([b"%d" % number for number in self.databases]) if self.databases else b""

    def command_words(self) -> list[bytes]:
        """The rules about commands."""
        return [b"+@all" if self.begins_with_all else b"-@all", *self.commands]

    def lets_all(self, row: Row) -> bool:
        """May every request of `row` be made, whatever its arguments are?"""
        if not self._allows(row):
            return False
        return (
            (self.has_the_database or not touched.has_database(row))
            and (self.key_patterns is None or not touched.has_keys(row))
            and (self.channels is None or not touched.has_channels(row))
        )

    @property
    def has_the_database(self) -> bool:
        """May data be looked at? There is database 0 only."""
        return self.databases is None or 0 in self.databases

    def lack(self, row: Row, args: list[bytes], keys: Sequence[Key]) -> Lack | None:
        """Why a request does not fit, or None. The order of the checks is Valkey's."""
        if not self.has_the_database and touched.has_database(row):
            named = touched.database(row, args)
            if named is not None:
                return Lack(Reason.DATABASE, 0, named)
        if not self._lets_run(row, args):
            return Lack(Reason.COMMAND, 0, row.name.encode())
        return next(self._refused_keys(keys), None) or next(self._refused_channels(row, args), None)

    def _lets_run(self, row: Row, args: list[bytes]) -> bool:
        if self._allows(row):
            return True
        first = self.first_arguments.get(row.name, ())
        return len(args) > 1 and args[1].lower() in first

    def _allows(self, row: Row) -> bool:
        """Is it among the commands, whatever its arguments? A module's is where all of them are."""
        return row.name in self.allowed or "no_auth" in row.flags or (row.is_module and self.begins_with_all)

    def _refused_keys(self, keys: Sequence[Key]) -> Iterator[Lack]:
        if self.key_patterns is not None:
            for place, key in enumerate(keys):
                if not self.lets_touch(key.name, key.needs):
                    yield Lack(Reason.KEY, place, key.name)

    def lets_touch(self, key: bytes, needs: int) -> bool:
        """May what `needs` says (READ, WRITE) be done to `key`?"""
        if self.key_patterns is None:
            return True
        # No generator: this is asked of every command of a user with patterns.
        for rights, glob in self._globs:  # noqa: SIM110
            if rights & needs == needs and glob.fullmatch(key):
                return True
        return False

    def _refused_channels(self, row: Row, args: list[bytes]) -> Iterator[Lack]:
        for place, (channel, is_pattern) in enumerate(touched.channels(row, args)):
            if not self.lets_use(channel, is_pattern=is_pattern):
                yield Lack(Reason.CHANNEL, place, channel)

    def lets_use(self, channel: bytes, *, is_pattern: bool) -> bool:
        """May this channel be used? A pattern must be allowed literally."""
        if self.channels is None:
            return True
        if is_pattern:
            return channel in self.channels
        return any(compile_glob(pattern).fullmatch(channel) for pattern in self.channels)

    @property
    def lets_read_every_key(self) -> bool:
        """May every key be read? SORT's BY and GET find keys that no request names."""
        patterns = self.key_patterns
        return patterns is None or bool(patterns.get(b"*", 0) & READ)
