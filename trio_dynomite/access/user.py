"""A user: a name, passwords, and selectors, the first of which is the user's own.

`change` takes the rules of ACL SETUSER: all of them, or none. A user stays the same object for as long as its
name is known, so that a change counts at once for every session that has it. Source: `ACLSetUser` in
Valkey's `acl.c`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import define, evolve, field

from trio_dynomite.access import rules, touched
from trio_dynomite.access.denial import Denial
from trio_dynomite.access.passwords import hashed, is_hash
from trio_dynomite.access.selector import Lack, Selector
from trio_dynomite.commands.row import Row
from trio_dynomite.errors import CommandError, ProtocolError
from trio_dynomite.protocol.inline import split_arguments

Definition = list[list[bytes]]
"""What makes a user out of a new one: its own words and passwords, then the rules of each selector."""

_BAD_HASH = (
    "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
)
_NO_SUCH_PASSWORD = "The password you are trying to remove from the user does not exist"
_IGNORED = frozenset([b"", b"sanitize-payload", b"skip-sanitize-payload"])
"""Payloads of RESTORE are always checked."""


@define(eq=False)
class User:
    """Somebody who may log in, and what they may do then. A new one may do nothing."""

    name: bytes
    is_enabled: bool = False
    needs_no_password: bool = False
    passwords: tuple[bytes, ...] = field(default=(), repr=False)
    """As `passwords.hashed` gives them."""
    selectors: tuple[Selector, ...] = (Selector(),)
    free: frozenset[str] = field(default=frozenset(), repr=False)
    """The names of the rows of which every request may be made: nothing to check, whatever the arguments."""
    is_all: bool = False
    """Are those all rows?"""
    _by_key: Mapping[str, int] = field(factory=dict, repr=False, alias="by_key")
    """Rows with one key in its place that the user's own selector lets run, and what they do to the key: all
    that is left to look at is the key."""

    def change(self, words: Iterable[bytes]) -> None:
        """Apply rules. Raises CommandError, and then nothing has changed."""
        draft = evolve(self)
        for rule in merged(words):
            try:
                draft.apply(rule)
            except ValueError as why:
                shown = rule.decode("utf-8", "replace")
                raise CommandError(f"ERR Error in ACL SETUSER modifier '{shown}': {why}") from None
        self._become(draft)

    def redefine(self, definition: Definition) -> None:
        """Become what `definition` says. Raises ValueError when it cannot be understood."""
        draft = User(self.name)
        own, root, *others = definition
        for rule in own:
            draft.apply(rule)
        draft.selectors = tuple([selector_of(words) for words in [root, *others]])
        self._become(draft)

    @property
    def definition(self) -> Definition:
        """What `redefine` takes. It holds no password, only hashes."""
        own = [*self.flags, *(b"#" + known for known in self.passwords)]
        return [own, *(selector.words() for selector in self.selectors)]

    def reset(self) -> None:
        """Be as a new user, who may do nothing."""
        self._become(User(self.name))

    def _become(self, other: User) -> None:
        self.is_enabled, self.needs_no_password = other.is_enabled, other.needs_no_password
        self.passwords, self.selectors = other.passwords, other.selectors
        self.free = frozenset().union(*[_let_free(selector) for selector in self.selectors])
        self.is_all = len(self.free) == len(rules.EVERY_ROW)
        self._by_key = {} if self.is_all else _let_by_key(self.selectors[0])

    @property
    def flags(self) -> list[bytes]:
        """The words for what is no permission, as ACL LIST tells them."""
        flags = [b"on" if self.is_enabled else b"off"]
        return [*flags, b"nopass"] if self.needs_no_password else flags

    def describe(self) -> bytes:
        """The user's rules in one line, as ACL LIST tells them."""
        own, root, *others = self.definition
        return b" ".join([*own, *root, *[b"(%b)" % b" ".join(words) for words in others]])

    def denial(self, row: Row, args: list[bytes]) -> Denial | None:
        """Why a request may not be made, or None. Its number of arguments must be right."""
        if row.name in self.free:
            return None
        needs = self._by_key.get(row.name)
        if needs is not None and self.selectors[0].lets_touch(args[row.first], needs):
            return None
        keys = touched.keys(row, args) if touched.has_keys(row) else []
        found: Lack | None = None
        for selector in self.selectors:
            lack = selector.lack(row, args, keys)
            if lack is None:
                return None
            if found is None or lack[:2] > found[:2]:
                found = lack
        assert found is not None
        return Denial(found.reason, self.name, row.name, found.object)

    def may_run(self, row: Row, args: list[bytes]) -> str | None:
        """What to refuse a request with, or None."""
        denial = self.denial(row, args)
        return None if denial is None else denial.reply

    def may_use_channel(self, channel: bytes, *, is_pattern: bool = False) -> bool:
        """May this user publish to a channel and listen to it? A pattern must be allowed literally."""
        return any(selector.lets_use(channel, is_pattern=is_pattern) for selector in self.selectors)

    def may_read_every_key(self, row: Row, args: list[bytes]) -> bool:
        """Does one selector let the request pass and, beyond its keys, every key be read?"""
        keys = touched.keys(row, args)
        return any(
            selector.lets_read_every_key and selector.lack(row, args, keys) is None
            for selector in self.selectors
        )

    def apply(self, rule: bytes) -> None:
        """Apply one rule. Raises ValueError, and then nothing has changed."""
        word, mark = rule.lower(), rule[:1]
        if word in _IGNORED:
            return
        if word in (b"on", b"off"):
            self.is_enabled = word == b"on"
        elif word in (b"nopass", b"resetpass"):
            self.needs_no_password, self.passwords = word == b"nopass", ()
        elif mark in (b">", b"#"):
            known = _kept(rule)
            self.passwords = tuple(dict.fromkeys([*self.passwords, known]))
            self.needs_no_password = False
        elif mark in (b"<", b"!"):
            self._forget(_kept(rule))
        elif mark == b"(" and rule.endswith(b")"):
            self.selectors = (*self.selectors, selector_of(_inside(rule)))
        elif word == b"clearselectors":
            self.selectors = self.selectors[:1]
        elif word == b"reset":
            self.reset()
        else:
            root, *others = self.selectors
            self.selectors = (rules.apply(root, rule), *others)

    def _forget(self, known: bytes) -> None:
        if known not in self.passwords:
            raise ValueError(_NO_SUCH_PASSWORD)
        self.passwords = tuple([other for other in self.passwords if other != known])


def merged(words: Iterable[bytes]) -> list[bytes]:
    """Rules where a selector that was split at its spaces is one word again.

    Raises CommandError when a parenthesis is left open."""
    found: list[bytes] = []
    open_since: bytes | None = None
    selector = b""
    for word in words:
        if word[:1] == b"(" and word[-1:] != b")":
            open_since = selector = word
        elif open_since is None:
            found.append(word)
        else:
            selector += b" " + word
            if word[-1:] == b")":
                found.append(selector)
                open_since = None
    if open_since is not None:
        shown = open_since.decode("utf-8", "replace")
        raise CommandError(f"ERR Unmatched parenthesis in acl selector starting at '{shown}'.")
    return found


def selector_of(words: Sequence[bytes]) -> Selector:
    """The selector that rules make. Raises ValueError."""
    selector = Selector()
    for word in words:
        selector = rules.apply(selector, word)
    return selector


def _inside(rule: bytes) -> list[bytes]:
    """The rules in `(…)`; none when its quotes do not close, as in Valkey."""
    try:
        return split_arguments(rule[1:-1])
    except ProtocolError:
        return []


def _kept(rule: bytes) -> bytes:
    """The hash that >password, #hash, <password or !hash means. Raises ValueError."""
    if rule[:1] in (b">", b"<"):
        return hashed(rule[1:])
    if not is_hash(rule[1:]):
        raise ValueError(_BAD_HASH)
    return rule[1:]


def _let_free(selector: Selector) -> frozenset[str]:
    return frozenset([name for name, row in rules.EVERY_ROW.items() if selector.lets_all(row)])


def _let_by_key(selector: Selector) -> dict[str, int]:
    if not selector.has_the_database:
        return {}
    needs = {name: touched.needs_of_one_key(rules.EVERY_ROW[name]) for name in selector.allowed}
    return {name: found for name, found in needs.items() if found is not None}
