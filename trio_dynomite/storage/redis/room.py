"""Whether a server has room: asked before it is full, so that writes are refused before anything is done.

Its memory is asked for (INFO memory). A server whose policy evicts nothing refuses every write when it is
full, a delete too, since that leaves a tombstone; so the last sixteenth is kept for what needs hardly any: to
this node it is full before. Of a server that this node started, and that keeps a file, the disk is looked at.
"""

from collections.abc import Callable

from attrs import define

from trio_dynomite.storage.servers.handshake import packed

_LOOK_EVERY_S = 0.25
_KEPT = 16
"""One part of so many of its memory."""
_MEMORY = packed("INFO", "memory")


@define(eq=False)
class Room:
    """Of one server."""

    free: Callable[[], int] | None = None
    """The bytes that are free where it keeps its file; None: it has none, or nobody knows."""
    reserve: int = 0
    """So much should stay free there."""
    used: int = 0
    limit: int = 0
    """Bytes; 0: none."""
    shortage: str | None = None
    """Why nothing should be written that takes memory."""
    failure: str | None = None
    """Why nothing should be written at all."""
    _next_s: float = 0.0
    _is_asked: bool = False

    def request(self, now_s: float) -> bytes | None:
        """What the server is to be asked now, if it is time; then the disk is looked at as well."""
        if now_s < self._next_s or self._is_asked:
            return None
        self._next_s, self._is_asked = now_s + _LOOK_EVERY_S, True
        free = self.reserve if self.free is None else self.free()
        self.failure = None
        if free < self.reserve:
            self.failure = (
                f"{free} bytes are free where its storage server keeps its file,"
                f" fewer than storage.reserve ({self.reserve})"
            )
        return _MEMORY

    def told(self, reply: bytes) -> None:
        """What it says; an error tells nothing: a user may lack the permission for INFO."""
        self._is_asked = False
        lines = reply.decode("utf-8", "replace").splitlines()
        facts = dict([line.split(":", 1) for line in lines if ":" in line])
        self.used, self.limit = int(facts.get("used_memory", 0)), int(facts.get("maxmemory", 0))
        self.shortage = None
        if self.limit and facts.get("maxmemory_policy") == "noeviction":
            allowed = self.limit - self.limit // _KEPT
            if self.used > allowed:
                self.shortage = (
                    f"its storage server takes {self.used} of {self.limit} bytes (maxmemory),"
                    " and the last sixteenth is for deletes"
                )

    def figures(self) -> dict[str, object]:
        """For INFO."""
        return {"storage_server_memory": self.used, "storage_server_maxmemory": self.limit}
