"""How much room a server has: a shortage of memory is told before it is one, and of its disk."""

from trio_dynomite.storage.redis.room import Room


def said(used: int, limit: int, policy: str = "noeviction") -> bytes:
    text = f"# Memory\r\nused_memory:{used}\r\nmaxmemory:{limit}\r\nmaxmemory_policy:{policy}\r\n"
    return b"$%d\r\n%b\r\n" % (len(text), text.encode())


def test_the_last_sixteenth_is_kept() -> None:
    room = Room()
    room.told(said(1500, 1600))
    assert room.shortage is None
    room.told(said(1501, 1600))
    assert room.shortage is not None
    assert "takes 1501 of 1600 bytes" in room.shortage
    room.told(said(1501, 1600, "allkeys-lru"))
    assert room.shortage is None, "it makes room itself"
    room.told(said(1501, 0))
    assert room.shortage is None, "there is no limit"
    assert room.figures() == {"storage_server_memory": 1501, "storage_server_maxmemory": 0}


def test_who_may_not_ask_is_told_nothing() -> None:
    room = Room()
    room.told(b"-NOPERM User node has no permissions to run the 'info' command\r\n")
    assert (room.shortage, room.failure) == (None, None)


def test_it_is_asked_now_and_then_and_not_before_it_has_answered() -> None:
    room = Room()
    assert room.request(0.0) is not None
    assert room.request(10.0) is None
    room.told(said(1, 0))
    assert room.request(10.0) is not None
    room.told(said(1, 0))
    assert room.request(10.1) is None
    assert room.request(10.3) is not None


def test_the_disk_is_looked_at() -> None:
    free = [100]
    room = Room(lambda: free[0], 50)
    room.request(0.0)
    assert room.failure is None
    room.told(said(1, 0))
    free[0] = 49
    room.request(1.0)
    assert room.failure is not None
    assert "49 bytes are free" in room.failure
