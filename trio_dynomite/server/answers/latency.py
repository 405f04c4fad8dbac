"""LATENCY: spikes by event, and how long each command takes (https://valkey.io/commands/latency-latest)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trio_dynomite.commands.refusals import quoted
from trio_dynomite.commands.table import SUBCOMMANDS, named
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import array, bulk, integer, mapping, verbatim
from trio_dynomite.server.answers.answer import Answer, help_answer

if TYPE_CHECKING:
    from trio_dynomite.server.latency import Event
    from trio_dynomite.server.session import Session
    from trio_dynomite.server.tallies import Tally

_HELP = (
    "DOCTOR",
    "    Return a human readable latency analysis report.",
    "GRAPH <event>",
    "    Return an ASCII latency graph for the <event> class.",
    "HISTORY <event>",
    "    Return time-latency samples for the <event> class.",
    "LATEST",
    "    Return the latest latency samples for all events.",
    "RESET [<event> ...]",
    "    Reset latency data of one or more <event> classes.",
    "    (default: reset all data for all event classes)",
    "HISTOGRAM [COMMAND ...]",
    "    Return a cumulative distribution of latencies in the format of a histogram for the specified command"
    " names.",
    "    If no commands are specified then all histograms are replied.",
)
_OFF = (
    "I'm sorry, Dave, I can't do that. Latency monitoring is disabled in this node. You may use"
    ' "CONFIG SET latency-monitor-threshold <milliseconds>." in order to enable it.\n'
)
_CALM = (
    "Dave, no latency spike was observed during the lifetime of this node, not in the slightest bit."
    " I honestly think you ought to sit down calmly, take a stress pill, and think things over.\n"
)
_COLUMNS = 80
_LEVELS = "_-`"
"""Three heights a line, as in Redis's graphs."""
_LINES = 4


def latency_history(session: Session, args: list[bytes]) -> bytes:
    """LATENCY HISTORY event: [time, milliseconds] of each second that had a spike."""
    event = session.server.latency.events.get(quoted(args[2]))
    samples = [] if event is None else event.samples
    return array([array([integer(time_s), integer(ms)]) for time_s, ms in samples])


def latency_latest(session: Session, args: list[bytes]) -> bytes:
    """LATENCY LATEST: of each event when the last spike was, how long, the longest, the sum, the count."""
    return array([_latest(name, event) for name, event in session.server.latency.events.items()])


def _latest(name: str, event: Event) -> bytes:
    numbers = (*event.samples[-1], event.max_ms, event.sum_ms, event.count)
    return array([bulk(name.encode()), *map(integer, numbers)])


def latency_reset(session: Session, args: list[bytes]) -> bytes:
    """LATENCY RESET [event…]: how many events were forgotten."""
    return integer(session.server.latency.reset([quoted(name) for name in args[2:]]))


def latency_graph(session: Session, args: list[bytes]) -> bytes:
    """LATENCY GRAPH event."""
    name = quoted(args[2])
    event = session.server.latency.events.get(name)
    if event is None:
        raise CommandError(f"ERR No samples available for event '{name}'")
    now_s = session.server.engine.now_ms // 1000
    return verbatim(draw(name, event, now_s).encode(), session.resp)


def draw(name: str, event: Event, now_s: int) -> str:
    """A spike a column, and below it how long ago it was."""
    samples = list(event.samples)[-_COLUMNS:]
    high, low = max(ms for _, ms in samples), min(ms for _, ms in samples)
    head = f"{name} - high {high} ms, low {low} ms (all time high {event.max_ms} ms)"
    steps = _LINES * len(_LEVELS) - 1
    heights = [0 if high == low else round((ms - low) * steps / (high - low)) for _, ms in samples]
    lines = ["".join([_mark(height, line) for height in heights]) for line in reversed(range(_LINES))]
    ages = [_age(now_s - time_s) for time_s, _ in samples]
    below = ["".join([age[at : at + 1] or " " for age in ages]) for at in range(max(map(len, ages)))]
    return "\n".join([head, "-" * _COLUMNS, *lines, "", *below, ""])


def _mark(height: int, line: int) -> str:
    """What stands in `line` (0 is the lowest) of a column."""
    above = height - line * len(_LEVELS)
    if above < 0:
        return " "
    return _LEVELS[above] if above < len(_LEVELS) else "|"


def _age(seconds: int) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def latency_doctor(session: Session, args: list[bytes]) -> bytes:
    """LATENCY DOCTOR: the spikes in words."""
    monitor = session.server.latency
    if not monitor.threshold_ms:
        return verbatim(_OFF.encode(), session.resp)
    if not monitor.events:
        return verbatim(_CALM.encode(), session.resp)
    lines = ["Dave, I have observed latency spikes in this node.", ""]
    for number, (name, event) in enumerate(monitor.events.items(), 1):
        average = event.sum_ms // event.count
        lines.append(
            f"{number}. {name}: {event.count} latency spikes (average {average}ms, worst {event.max_ms}ms)."
        )
    advice = (
        "Check your SLOWLOG to see which commands they were, and the pauses in INFO stats (gc_pause_ms_max)."
    )
    return verbatim("\n".join([*lines, "", f"- {advice}", ""]).encode(), session.resp)


def latency_histogram(session: Session, args: list[bytes]) -> bytes:
    """LATENCY HISTOGRAM [command…]: calls by power of two of microseconds, each with those below it."""
    tallies = session.server.tallies.all() if session.server.tells_latency else {}
    names = _named(args[2:]) if len(args) > 2 else list(tallies)
    found = {name: tallies[name] for name in names if name in tallies and tallies[name].spans}
    pairs = [(bulk(name.encode()), _histogram(tally, session.resp)) for name, tally in found.items()]
    return mapping(pairs, session.resp)


def _named(words: list[bytes]) -> list[str]:
    """The commands that are asked for; a container stands for all of its subcommands."""
    rows = [row for word in words if (row := named(word)) is not None]
    names = [
        name
        for row in rows
        for name in ([child.name for child in SUBCOMMANDS.get(row.name, {}).values()] or [row.name])
    ]
    return list(dict.fromkeys(names))


def _histogram(tally: Tally, resp: int) -> bytes:
    buckets, total = [], 0
    for span in sorted(tally.spans):
        total += tally.spans[span]
        buckets.append((integer(2 ** max(0, span)), integer(total)))
    merged = {usec: count for usec, count in buckets}
    fields = [
        (bulk(b"calls"), integer(tally.calls)),
        (bulk(b"histogram_usec"), mapping(list(merged.items()), resp)),
    ]
    return mapping(fields, resp)


ANSWERS: Mapping[str, Answer] = {
    "latency|doctor": latency_doctor,
    "latency|graph": latency_graph,
    "latency|help": help_answer("LATENCY", _HELP),
    "latency|histogram": latency_histogram,
    "latency|history": latency_history,
    "latency|latest": latency_latest,
    "latency|reset": latency_reset,
}
