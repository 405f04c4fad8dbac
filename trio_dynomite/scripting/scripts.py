"""The scripts that a node knows, by their SHA-1: those of SCRIPT LOAD until a flush, of EVAL the last 500.

A script is compiled when it first runs, and stays so in the machine.
"""

from collections.abc import Callable
from hashlib import sha1

from attrs import define, field, frozen

from trio_dynomite.errors import CommandError
from trio_dynomite.scripting.machine import Machine, ScriptError
from trio_dynomite.scripting.shebang import script_flags

RECENT_MAX = 500
"""How many scripts of EVAL are remembered."""

NO_SCRIPT = "NOSCRIPT No matching script."
_SHA_SIZE = 40
_PLACE = b"@user_script"


@frozen
class Script:
    """A script that has been compiled."""

    sha: bytes
    source: bytes
    flags: frozenset[str] | None
    """None when it begins without `#!`: then it may do what scripts could before there were flags."""


@define
class Scripts:
    """The scripts of one node."""

    make_machine: Callable[[], Machine]
    sources: dict[bytes, bytes] = field(factory=dict)
    """SHA-1 in lower-case hexadecimal → source, of every script that is known."""
    _machine: Machine | None = field(init=False, default=None)
    _compiled: dict[bytes, Script] = field(init=False, factory=dict)
    _by_source: dict[bytes, Script] = field(init=False, factory=dict)
    """The same by their sources, which spares EVAL the checksum."""
    _recent: dict[bytes, None] = field(init=False, factory=dict)
    """The scripts that only EVAL made known, the latest last."""

    @property
    def machine(self) -> Machine:
        """What they run in."""
        if self._machine is None:
            self._machine = self.make_machine()
        return self._machine

    def of_source(self, source: bytes) -> tuple[Script, bool]:
        """The script with this source, as EVAL finds it, and whether it is new. Raises CommandError."""
        script = self._by_source.get(source)
        if script is not None:
            if script.sha in self._recent:
                self._recent[script.sha] = self._recent.pop(script.sha)
            return script, False
        sha = sha1(source).hexdigest().encode()
        is_new = sha not in self.sources
        script = self._compile(sha, source)
        if is_new:
            self.sources[sha] = source
            self._remember(sha)
        return script, is_new

    def of_sha(self, sha: bytes) -> Script:
        """The script with this SHA-1, in any case. Raises CommandError: there is none."""
        script = self._compiled.get(sha)
        if script is not None:
            if sha in self._recent:
                self._recent[sha] = self._recent.pop(sha)
            return script
        source = self.source(sha)
        if source is None:
            raise CommandError(NO_SCRIPT)
        return self._compiled.get(sha.lower()) or self._compile(sha.lower(), source)

    def source(self, sha: bytes) -> bytes | None:
        """The source of a script that is known, or None."""
        return self.sources.get(sha.lower()) if len(sha) == _SHA_SIZE else None

    def load(self, source: bytes) -> bytes:
        """Check that `source` compiles: its SHA-1. Raises CommandError."""
        sha = sha1(source).hexdigest().encode()
        if sha not in self.sources:
            self._compile(sha, source)
            self._forget(sha)
        return sha

    def loaded(self) -> list[bytes]:
        """The sources that stay until they are flushed."""
        return [source for sha, source in self.sources.items() if sha not in self._recent]

    def learn(self, sha: bytes, source: bytes | None) -> None:
        """A script was loaded somewhere, for good; or flushed (None)."""
        self._recent.pop(sha, None)
        if source is not None:
            self.sources[sha] = source
        else:
            self.sources.pop(sha, None)
            self._forget(sha)

    def recall(self, sha: bytes, source: bytes) -> None:
        """Know a script that was run somewhere, as one of the recent ones."""
        if sha not in self.sources:
            self.sources[sha] = source
            self._remember(sha)

    def flush(self) -> None:
        """Forget all scripts, those of EVAL too, and begin with a new machine."""
        self.sources.clear()
        self._compiled.clear()
        self._by_source.clear()
        self._recent.clear()
        if self._machine is not None:
            self._machine.close()
            self._machine = None

    def _compile(self, sha: bytes, source: bytes) -> Script:
        flags, code = script_flags(source)
        try:
            self.machine.keep(sha, code, _PLACE)
        except ScriptError as error:
            raise CommandError(f"ERR Error compiling script (new function): {error}") from None
        script = Script(sha, source, flags)
        self._compiled[sha] = self._by_source[source] = script
        return script

    def _remember(self, sha: bytes) -> None:
        while len(self._recent) >= RECENT_MAX:
            oldest = next(iter(self._recent))
            del self._recent[oldest], self.sources[oldest]
            self._forget(oldest)
        self._recent[sha] = None

    def _forget(self, sha: bytes) -> None:
        script = self._compiled.pop(sha, None)
        if script is not None:
            del self._by_source[script.source]
            self.machine.forget(sha)
