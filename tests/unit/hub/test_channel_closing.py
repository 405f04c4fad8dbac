"""A channel that is closing, in the turn in which it was told to."""

from tests.unit.hub.test_channel import make_line


def test_after_close_when_sent_nothing_more_is_read() -> None:
    line = make_line()
    line.send(b"ignored")
    line.channel.write(b"goodbye")
    line.channel.close_when_sent()
    line.turn()
    line.hub.close()
    line.far.close()

    assert line.handler.got == b""
    assert line.handler.ends == ["closed here"]
