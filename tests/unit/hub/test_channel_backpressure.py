"""A client that sends and never reads costs a bounded amount, and goes on when it reads."""

import pytest

from tests.unit.hub.test_channel import PIECE, make_line


@pytest.mark.parametrize("echo", [1, 4, 40])
def test_a_peer_that_never_reads_is_not_read_from_beyond_output_max(echo: int) -> None:
    line = make_line(output_max=1 << 20, echo=echo)
    sent = 0
    for _ in range(200):
        sent += line.send(b"x" * PIECE)
        line.turn()
        assert line.channel.unsent <= (1 << 20) + echo * PIECE

    found = 0
    while found < echo * sent:
        found += len(piece := line.read())
        line.turn()
        assert piece or line.channel.unsent or len(line.handler.got) < sent, "it goes on when it is read from"
    assert len(line.handler.got) == sent
    line.hub.close()
    line.far.close()
