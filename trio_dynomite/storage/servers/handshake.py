"""What is said to a server first, and what it must answer before anything else is asked. No sockets.

All steps leave at once. Each looks at its reply and says what is wrong with it, in words for whoever runs the
node; an engine adds steps of its own, a function library to load for instance.
"""

from collections.abc import Callable, Iterable
from functools import partial

import hiredis
from attrs import define, field, frozen

from trio_dynomite.storage.servers.pipe import LOST, ServerPipe
from trio_dynomite.storage.servers.versions import Version, memcached_mistake, redis_mistake, version_of

NAME = "trio-dynomite"
"""What connections are called in CLIENT LIST."""


@frozen
class Step:
    """One request, and what is wrong with its reply: "" if nothing."""

    request: bytes
    mistake_in: Callable[[bytes], str]


@define
class Greeted:
    """What a server told of itself."""

    kind: str = ""
    version: Version = ()


def packed(*words: bytes | str | int) -> bytes:
    """A request for a Redis server."""
    return bytes(hiredis.pack_command(words))  # type: ignore[arg-type]


def failed(reply: bytes) -> str:
    """An error reply's text; "" if it is none."""
    if reply[:1] == b"-":
        return reply[1:].split(b"\r", 1)[0].decode("utf-8", "replace")
    return reply.split(b"\r\n", 2)[1].decode("utf-8", "replace") if reply[:1] == b"!" else ""


def redis_steps(
    greeted: Greeted, *, protocol: int, username: str | None, password: bytes | None, database: int
) -> list[Step]:
    """Say HELLO with the password, take a name, and choose a database; `greeted` is filled in."""
    user = username or "default"
    access: list[bytes | str] = [] if password is None else ["AUTH", user, password]

    def hello(reply: bytes) -> str:
        if error := failed(reply):
            return _refusal(error, user, password is not None)
        return _read_hello(reply, greeted)

    steps = [
        Step(packed("HELLO", protocol, *access), hello),
        Step(packed("CLIENT", "SETNAME", NAME), failed),
        Step(packed("PING"), failed),
    ]
    if database:
        steps.append(Step(packed("SELECT", database), lambda reply: _no_database(database, failed(reply))))
    return steps


def _no_database(database: int, error: str) -> str:
    return f"has no database {database} (redis.database): {error}" if error else ""


def _refusal(error: str, user: str, has_password: bool) -> str:
    """Words for an error to HELLO."""
    kind = error.partition(" ")[0]
    if kind == "WRONGPASS" or "invalid password" in error:
        return f"refuses the password of user {user!r} (redis.username, redis.password): {error}"
    if kind == "NOAUTH":
        return f"wants a password, and {'took none' if has_password else 'redis.password is not given'}"
    if "without any password configured" in error:
        return "has no password, and redis.password is given"
    if "unknown command" in error.lower():
        return f"is too old, it does not know HELLO: {redis_mistake('redis', (5,))}"
    return f"does not welcome this node: {error}"


def _read_hello(reply: bytes, greeted: Greeted) -> str:
    reader = hiredis.Reader(encoding="utf-8", errors="replace")
    reader.feed(reply)
    told = reader.gets()
    facts = told if isinstance(told, dict) else dict(zip(told[::2], told[1::2], strict=True))
    greeted.kind = str(facts.get("server", "redis"))
    greeted.version = version_of(str(facts.get("version", "")))
    role = facts.get("role", "master")
    if role not in ("master", "primary"):
        return f"is a {role} of another server: give its primary"
    if facts.get("mode") == "cluster":
        return "runs in cluster mode: a node needs a server of its own"
    return redis_mistake(greeted.kind, greeted.version)


def memcached_steps(greeted: Greeted) -> list[Step]:
    """Ask for the version; `greeted` is filled in."""

    def version(reply: bytes) -> str:
        if not reply.startswith(b"VERSION "):
            return f"does not welcome this node: {reply.decode('ascii', 'replace').strip()}"
        greeted.kind = "memcached"
        greeted.version = version_of(reply.decode("ascii", "replace"))
        return memcached_mistake(greeted.version)

    return [Step(b"version\r\n", version)]


@define(eq=False)
class Handshake:
    """The steps on one connection; `on_done` is told the first mistake, or "" when all went well."""

    steps: Iterable[Step]
    on_done: Callable[[str], None]
    _missing: int = field(init=False, default=0)
    _mistake: str = field(init=False, default="")

    def start(self, pipe: ServerPipe) -> None:
        """Say it all."""
        steps = list(self.steps)
        self._missing = len(steps)
        for step in steps:
            pipe.send(step.request, partial(self._answered, step))

    def _answered(self, step: Step, reply: bytes) -> None:
        self._missing -= 1
        if reply is LOST:  # whoever closed it knows why
            return
        self._mistake = self._mistake or step.mistake_in(reply)
        if not self._missing:
            self.on_done(self._mistake)
