"""Tallies: how often each command was asked for, how long it took here, and which errors were given.

The quick commands of a pipeline are counted and timed together: each is taken to have needed its share. Every
other command is timed by itself. What took long is told on (`on_slow`): a single command at once; when a
pipeline of quick ones was slow, nobody can tell which it was, and the server looks at each one by itself for
a while.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from math import frexp, inf
from typing import Protocol

from attrs import define, field

_ERRORS_MAX = 128
"""Different first words of errors that are counted; scripts may make up as many as they like."""


class Client(Protocol):
    """Who ran a command."""

    @property
    def address(self) -> str:
        """host:port."""

    @property
    def name(self) -> bytes:
        """What it calls itself."""


@define
class Tally:
    """One command on this node since the start or CONFIG RESETSTAT."""

    rejected: int = 0
    """Requests that were refused before they ran."""
    failed: int = 0
    """Requests that ran and were answered with an error."""
    calls: int = 0
    """How often it was run."""
    usec: float = 0.0
    """Microseconds that this node spent on it; waiting for others is not counted."""
    spans: dict[int, int] = field(factory=dict)
    """Calls by duration: n means up to 2**n microseconds, and more than half of that."""

    def count(self, calls: int, seconds: float) -> None:
        """So many calls took so long together."""
        usec = seconds * 1e6
        self.calls += calls
        self.usec += usec
        span = frexp(usec / calls)[1]
        self.spans[span] = self.spans.get(span, 0) + calls


@define(eq=False)
class Tallies:
    """The tallies of one node."""

    on_slow: Callable[[Client, str, list[bytes], float], None]
    """Told of a command that took `slow_s` or longer, and how many seconds it did."""
    on_slow_pipeline: Callable[[], None]
    slow_s: float = inf
    single_s: defaultdict[str, list[float]] = field(factory=lambda: defaultdict(list))
    """Name → seconds of those that ran alone and are not counted yet."""
    errors: dict[str, int] = field(factory=dict)
    """By first word, and how often."""
    error_replies: int = 0
    timed_s: float = 0.0
    """Seconds of commands that were timed by themselves, in all."""
    _commands: dict[str, Tally] = field(factory=dict)

    def of(self, name: str) -> Tally:
        """The tally of the command `name`."""
        tally = self._commands.get(name)
        if tally is None:
            tally = self._commands[name] = Tally()
        return tally

    def all(self) -> Mapping[str, Tally]:
        """Every tally by the command's name."""
        self.count_single()
        return self._commands

    def count_single(self) -> None:
        """Add what ran alone since the last time. Called a few times a second, because each costs more than
        remembering it did."""
        for name, singles in self.single_s.items():
            tally = self.of(name)
            tally.calls += len(singles)
            tally.usec += sum(singles) * 1e6
            for span, calls in Counter([frexp(seconds * 1e6)[1] for seconds in singles]).items():
                tally.spans[span] = tally.spans.get(span, 0) + calls
        self.single_s.clear()

    def ran(self, session: Client, name: str, args: list[bytes], seconds: float) -> None:
        """A command was run by itself."""
        self.single_s[name].append(seconds)
        self.timed_s += seconds
        if seconds >= self.slow_s:
            self.on_slow(session, name, args, seconds)

    def add_together(self, counts: Mapping[str, int], seconds: float) -> None:
        """So many commands of each name took `seconds`; each had its share of them."""
        calls = sum(counts.values())
        for name, count in counts.items():
            self.of(name).count(count, seconds * count / calls)

    def waited(self, session: Client, name: str, args: list[bytes], seconds: float) -> None:
        """A command that was counted already let its client wait on purpose: that is its time, too."""
        self.count_single()
        tally, usec = self.of(name), seconds * 1e6
        tally.usec += usec
        quick, slow = min(tally.spans, default=0), frexp(usec)[1]
        tally.spans[quick] = tally.spans.get(quick, 0) - 1
        tally.spans[slow] = tally.spans.get(slow, 0) + 1
        if seconds >= self.slow_s:
            self.on_slow(session, name, args, seconds)

    def ran_together(self, counts: Mapping[str, int], seconds: float) -> None:
        """Quick commands were run, so many of each name, in `seconds`."""
        self.add_together(counts, seconds)
        if seconds >= self.slow_s:
            self.on_slow_pipeline()

    def rejected(self, name: str | None, text: str) -> None:
        """A request was refused with `text` before it ran; `name` is its command, where there is one."""
        if name is not None:
            self.of(name).rejected += 1
        self.gave_error(text)

    def failed(self, name: str, text: str) -> None:
        """A command ran and was answered with the error `text`."""
        self.of(name).failed += 1
        self.gave_error(text)

    def gave_error(self, text: str) -> None:
        """The error `text` was given."""
        self.error_replies += 1
        word = text.partition(" ")[0]
        if word in self.errors or len(self.errors) < _ERRORS_MAX:
            self.errors[word] = self.errors.get(word, 0) + 1

    def forget_spans(self) -> None:
        """How long calls took is not told any more."""
        self.count_single()
        for tally in self._commands.values():
            tally.spans.clear()

    def reset(self) -> None:
        """Count from 0 again."""
        self.single_s.clear()
        self._commands.clear()
        self.errors.clear()
        self.error_replies = 0
