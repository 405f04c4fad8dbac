"""The users of a node, and what nodes tell each other of them.

Every node begins with the users of its configuration, which is the same everywhere and is not told. What is
changed since then is one map for the whole cluster, from the name to a stamp and what the user is since that
stamp: nodes send it whole, and the larger stamp wins (`told`, `join`).
"""

from collections.abc import Iterable, Sequence

from attrs import define, field

from trio_dynomite.access.log import AccessLog
from trio_dynomite.access.passwords import hashed, is_among
from trio_dynomite.access.rules import has_spaces
from trio_dynomite.access.user import Definition, User
from trio_dynomite.data import stamp
from trio_dynomite.errors import CommandError

DEFAULT = b"default"
"""The user of whoever has not said who they are."""
ALL_RIGHTS = (b"on", b"nopass", b"allkeys", b"allchannels", b"allcommands")
"""What the default user is unless something else is said."""

_NOBODY = (hashed(b""),)
"""What the password of an unknown user is compared with, so that it takes as long."""

Told = list[tuple[bytes, bytes, Definition | None]]
"""Of each user that was changed: the name, the packed stamp, the definition or None when it was deleted."""


@define(eq=False)
class Users:
    """Everybody that this node knows."""

    default: User = field(factory=lambda: User(DEFAULT))
    stranger: User = field(factory=lambda: User(DEFAULT))
    """The user of sessions that must log in first. It goes by the default's name, as in Valkey."""
    log: AccessLog = field(factory=AccessLog)
    most: int = 10_000
    """Users that there may be; those that other nodes tell of are taken over all the same."""
    _known: dict[bytes, User] = field(factory=dict)
    _changes: dict[bytes, tuple[int, Definition | None]] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self._known[DEFAULT] = self.default
        self.default.change(ALL_RIGHTS)

    def configure(self, users: Iterable[tuple[bytes, Sequence[bytes]]]) -> None:
        """Make the users of the configuration: names and rules. Raises CommandError."""
        for name, rules in users:
            user = self._known.setdefault(name, User(name))
            user.reset()
            user.change(rules)

    def find(self, name: bytes) -> User | None:
        """The user called `name`."""
        return self._known.get(name)

    def everybody(self) -> list[User]:
        """All users in order of their names."""
        return [self._known[name] for name in sorted(self._known)]

    def newcomer(self) -> User:
        """The user of a new session: the default one, if it needs no password."""
        return self.default if self.is_open else self.stranger

    @property
    def is_open(self) -> bool:
        """May sessions do things without having logged in?"""
        return self.default.is_enabled and self.default.needs_no_password

    def authenticate(self, name: bytes, password: bytes) -> User | None:
        """The user called `name`, if that is the password. It takes as long when there is no such user."""
        user = self._known.get(name)
        fits = is_among(password, _NOBODY if user is None else user.passwords or _NOBODY)
        if user is None or not user.is_enabled:
            return None
        return user if user.needs_no_password or (fits and user.passwords) else None

    def change(self, name: bytes, rules: Iterable[bytes], since: int) -> User:
        """ACL SETUSER: make or change a user. Raises CommandError, and then nothing has changed."""
        if has_spaces(name):
            raise CommandError("ERR Usernames can't contain spaces or null characters")
        if name not in self._known and len(self._known) >= self.most:
            raise CommandError(f"ERR there are {len(self._known)} users already: limits.users")
        user = self._known.get(name) or User(name)
        user.change(rules)
        self._known[name] = user
        self._changes[name] = (since, user.definition)
        return user

    def delete(self, names: Iterable[bytes], since: int) -> list[User]:
        """ACL DELUSER: those that there were; their sessions must end. Raises CommandError."""
        names = list(names)
        if DEFAULT in names:
            raise CommandError("ERR The 'default' user cannot be removed")
        gone = [self._known.pop(name) for name in dict.fromkeys(names) if name in self._known]
        for user in gone:
            user.reset()
            self._changes[user.name] = (since, None)
        return gone

    def told(self) -> Told:
        """What another node must know: everything that was changed here or elsewhere."""
        return [(name, stamp.pack(since), definition) for name, (since, definition) in self._changes.items()]

    @property
    def newest(self) -> int:
        """The largest stamp of a change; 0 when there was none."""
        return max([since for since, _ in self._changes.values()], default=0)

    def join(self, told: Told) -> list[User]:
        """Take over what is newer in what another node told; the users that were changed or deleted by it.

        Who was deleted may do nothing any more, and is not `find`-able. One whose definition this node cannot
        understand may do nothing either, but is told on as it is."""
        changed = []
        for name, packed, definition in told:
            since = stamp.unpack(packed)
            if since > self._changes.get(name, (0, None))[0]:
                self._changes[name] = (since, definition)
                changed += self._take_over(name, definition)
        return changed

    def _take_over(self, name: bytes, definition: Definition | None) -> list[User]:
        user = self._known.get(name)
        if definition is None:
            if user is None or user is self.default:
                return []
            del self._known[name]
            user.reset()
            return [user]
        user = self._known.setdefault(name, User(name))
        try:
            user.redefine(definition)
        except ValueError:
            user.reset()
        return [user]
