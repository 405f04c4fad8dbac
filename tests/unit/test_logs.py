"""What a log line looks like, and that logging harms nobody."""

import io
import re
from collections.abc import Iterator

import pytest
import structlog

from trio_dynomite import logs


@pytest.fixture(autouse=True)
def _defaults_again() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def test_a_line_has_time_node_level_event_and_pairs(stream: io.StringIO) -> None:
    logs.configure("node1", "info", stream)

    logs.get_logger().info("peer is down", peer="node2", silent_s=2.1)

    line = stream.getvalue()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.split(" ")[0])
    assert line.partition(" ")[2] == "node1 info  peer is down peer=node2 silent_s=2.1\n"


def test_values_that_are_not_a_word_are_quoted_and_an_event_stays_on_its_line(stream: io.StringIO) -> None:
    logs.configure("n", "info", stream)

    logs.get_logger().warning("a\nb", reason='say "x"', empty="", lines="1\n2", equal="a=b")

    assert stream.getvalue().partition(" ")[2] == (
        r'n warning a\nb reason="say \"x\"" empty="" lines="1\n2" equal="a=b"' + "\n"
    )


@pytest.mark.parametrize(
    ("level", "seen"), [("debug", "diwe"), ("info", "iwe"), ("warning", "we"), ("error", "e")]
)
def test_events_below_the_level_are_not_written(stream: io.StringIO, level: str, seen: str) -> None:
    logs.configure("n", level, stream)

    for known in logs.LEVELS:
        getattr(logs.get_logger(), known)("x")

    assert "".join(line.split()[2][0] for line in stream.getvalue().splitlines()) == seen


def test_the_level_of_existing_loggers_changes_too(stream: io.StringIO) -> None:
    logs.configure("n", "error", stream)
    log = logs.get_logger()
    log.info("before")

    logs.configure("n", "info", stream)
    log.info("after")

    assert [line.split()[-1] for line in stream.getvalue().splitlines()] == ["after"]


def test_a_traceback_follows_its_line_indented(stream: io.StringIO) -> None:
    logs.configure("n", "info", stream)
    try:
        raise ValueError("no")
    except ValueError:
        logs.get_logger().exception("crashed", part="hub")

    first, *rest = stream.getvalue().splitlines()
    assert first.endswith("n error crashed part=hub")
    assert rest[0] == "    Traceback (most recent call last):"
    assert rest[-1] == "    ValueError: no"
    assert all(line.startswith("    ") for line in rest)


def test_a_stream_that_is_gone_costs_only_the_line(stream: io.StringIO) -> None:
    logs.configure("n", "info", stream)
    stream.close()

    logs.get_logger().info("x")

    assert stream.closed


def test_without_a_stream_lines_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("n")

    logs.get_logger().info("x")

    captured = capsys.readouterr()
    assert captured.err.endswith("n info  x\n")
    assert captured.out == ""
