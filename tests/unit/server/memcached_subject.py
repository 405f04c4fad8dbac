"""What the tests of memcached sessions share: a client whose bytes go in, and what comes out, on one node or
of three.
"""

from attrs import define, field

from tests.unit.server.answers_subject import Subject, make_subject
from tests.unit.server.session_subject import Pipe, Stage
from trio_dynomite.server.memcached.service import Memcached
from trio_dynomite.server.memcached.session import MemcachedSession

ITEM_MAX = 1 << 20


@define(eq=False)
class MemcachedStage(Stage):
    """Node n1 of three, one memcached client, and the wires to its peers."""

    service: Memcached = field(init=False)

    def __attrs_post_init__(self) -> None:
        Stage.__attrs_post_init__(self)
        self.service = Memcached(self.subject.server, ITEM_MAX)
        self.connect()

    def connect(self) -> None:
        """A client connects; what it says and hears is this stage's from now on."""
        self.pipe = Pipe()
        session: MemcachedSession = self.service.open_session(self.pipe, "10.0.0.9:1")
        self.session = self.pipe.session = session  # type: ignore[assignment]


@define(eq=False)
class Alone:
    """A node alone and one memcached client."""

    subject: Subject = field(factory=lambda: make_subject(hosts=("127.0.0.1",)))
    service: Memcached = field(init=False)
    pipe: Pipe = field(factory=Pipe)
    session: MemcachedSession = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.service = Memcached(self.subject.server, ITEM_MAX)
        self.connect()

    def connect(self) -> None:
        """A client connects."""
        self.pipe = Pipe()
        self.session = self.service.open_session(self.pipe, "10.0.0.9:1")
        self.pipe.session = self.session  # type: ignore[assignment]

    def say(self, data: bytes) -> bytes:
        """Bytes in one piece; what comes back."""
        self.session.received(data)
        return self.settle()

    def settle(self) -> bytes:
        """Turns pass until nothing is left to do; what was sent meanwhile."""
        engine, server = self.subject.engine, self.subject.server
        for _ in range(500):
            engine.end()
            server.end()
            engine.end()
            if not engine.has_more:
                break
            engine.begin(engine.now_ms, engine.mono_s)
        return self.pipe.take()

    def later(self, seconds: float) -> None:
        """Time passes."""
        engine = self.subject.engine
        engine.begin(engine.now_ms + int(seconds * 1000), engine.mono_s + seconds)
        self.subject.server.tick()
        self.settle()
