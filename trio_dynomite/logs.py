"""Logs: one line an event on standard error, for people first.

    2026-11-23T12:00:00.123Z node1 info  peer is down peer=node2 silent_s=2.1

The lines of all nodes of a machine share one stream, so each names its node and leaves in one write.
Nothing here is called per request.
"""

import json
import logging
import re
import sys
from typing import Any, TextIO

import structlog
from attrs import frozen
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

LEVELS = ("debug", "info", "warning", "error")

_PLAIN = re.compile(r"[^\s\"=\\]+")


def configure(node: str, level: str = "info", stream: TextIO | None = None) -> None:
    """Log as `node`, from `level` (one of `LEVELS`) up, to `stream` or else standard error.

    It may be called again at any time, for instance to change the level of a node that runs.
    """
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _line(node),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: LineLogger(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


def get_logger() -> FilteringBoundLogger:
    """A logger: `log.info("peer is down", peer="node2")`; `log.bind(peer="node2")` keeps the pair."""
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger


@frozen
class LineLogger:
    """Writes finished lines. A stream that went away costs the line, not the node."""

    stream: TextIO

    def msg(self, line: str) -> None:
        """Write one event."""
        try:
            self.stream.write(line + "\n")
            self.stream.flush()
        except (OSError, ValueError):
            pass

    debug = info = warning = error = critical = msg


def _line(node: str) -> Processor:
    def render(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
        when = _milliseconds(event.pop("timestamp"))
        level, what = event.pop("level"), str(event.pop("event"))
        trace = event.pop("exception", None)
        pairs = "".join(f" {key}={_value(value)}" for key, value in event.items())
        line = f"{when} {node} {level:<5} {_one_line(what)}{pairs}"
        return line if trace is None else f"{line}\n{_indented(trace)}"

    return render


def _milliseconds(timestamp: str) -> str:
    """`2026-11-23T12:00:00.123456Z` cut to milliseconds."""
    return timestamp[:23] + "Z"


def _one_line(text: str) -> str:
    return text.replace("\n", "\\n")


def _value(value: Any) -> str:
    """A value as one word: in quotes when it would not be one."""
    text = value if isinstance(value, str) else str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _indented(trace: str) -> str:
    return "\n".join(f"    {line}" for line in trace.splitlines())
