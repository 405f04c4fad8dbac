"""A channel that is closing, in the turn in which it was told to."""

import gc
import weakref

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


def test_a_closed_channel_and_its_handler_go_without_the_garbage_collector() -> None:
    """The collector no longer looks at what lived long (`collector.py`): a cycle would stay for ever."""
    line = make_line()
    gone = weakref.ref(line.channel)
    line.handler.channel = line.channel
    gc.disable()
    try:
        line.channel.close()
        line.hub.close()
        line.far.close()
        del line
        assert gone() is None
    finally:
        gc.enable()
