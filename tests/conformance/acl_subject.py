"""Our side of the comparisons about access control: the server's answers over a server that is little more
than its users, without an engine."""

from collections.abc import Callable
from typing import Any

from attrs import define, field

from trio_dynomite.access.user import User
from trio_dynomite.access.users import Users
from trio_dynomite.commands.table import find, lookup
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import error
from trio_dynomite.server.answers import acl, authentication
from trio_dynomite.server.permission import must_log_in, refusal
from trio_dynomite.server.pubsub import Subscriptions

ANSWERS = {**acl.ANSWERS, **authentication.ANSWERS}


@define(eq=False)
class Clock:
    last: int = 0

    def next(self) -> int:
        self.last += 1
        return self.last


@define(eq=False)
class Keyspace:
    clock: Clock = field(factory=Clock)


@define(eq=False)
class Engine:
    now_ms: int = 1_000_000
    keyspace: Keyspace = field(factory=Keyspace)


@define(eq=False)
class Pipe:
    closed_for: str | None = None

    def close(self, reason: str) -> None:
        self.closed_for = reason


@define(eq=False)
class AclServer:
    """What the answers look at of a server."""

    users: Users = field(factory=Users)
    engine: Engine = field(factory=Engine)
    sessions: dict[int, "AclSession"] = field(factory=dict)
    shared: int = 0
    """How often the other nodes were told."""

    def share_users(self, then: Callable[[], None]) -> None:
        self.shared += 1
        then()

    def open_session(self, resp: int = 2) -> "AclSession":
        session = AclSession(self, self.users.newcomer(), len(self.sessions), resp)
        self.sessions[session.id] = session
        return session


@define(eq=False)
class AclSession:
    """And of a session: calling it gives the raw reply, or OK for what it may do and we do not."""

    server: AclServer
    user: User
    id: int
    resp: int = 2
    pipe: Pipe = field(factory=Pipe)
    subscriptions: Subscriptions = field(factory=Subscriptions)
    is_closing: bool = False
    name: bytes = b""
    modes: int = 0

    def enter(self, user: User) -> None:
        self.user = user

    def __call__(self, *words: str | bytes) -> bytes:
        args = [word.encode() if isinstance(word, str) else word for word in words]
        this: Any = self
        try:
            refused = must_log_in(this, find(args), args)
            if refused is None:
                row = lookup(args)
                refused = refusal(this, row, args)
            if refused is not None:
                return error(refused)
            answer = ANSWERS.get(row.name)
            return b"+OK\r\n" if answer is None else answer(this, args) or b""
        except CommandError as why:
            return error(str(why))
