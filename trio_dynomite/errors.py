"""Every error this package raises, grouped by what the reader can do about it."""

from attrs import frozen


class DynomiteError(Exception):
    """The root of all errors of this package."""


@frozen
class ConfigProblem:
    """One mistake in a configuration: where it is (`nodes[1].tokens[0]`) and what is wrong."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ConfigError(DynomiteError):
    """The configuration is wrong; `problems` holds every mistake, not only the first."""

    def __init__(self, source: str, problems: tuple[ConfigProblem, ...]) -> None:
        self.source = source
        self.problems = problems
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{source}: {len(problems)} mistake(s)\n{lines}")


class NoRoomError(DynomiteError):
    """A disk is so full that a node cannot start: the same works once there is room."""


class ProtocolError(DynomiteError):
    """The other side broke the protocol; its connection cannot go on. The text is Redis's own."""


class TooMuchInputError(ProtocolError):
    """A client holds more of this node's memory with what it has not finished than `limits.client_input`."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"unfinished command or transaction of over {limit} bytes (limits.client_input)")


class CommandError(DynomiteError):
    """A well-formed command is refused. The text is the error reply; its first word is Redis's: ERR…"""


class SnapshotError(DynomiteError):
    """A snapshot cannot be read; the text says why."""
