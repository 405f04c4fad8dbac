"""The script host of a node: EVAL, EVALSHA and FCALL, each one step that nothing comes between.

The handlers of these commands ask it by way of the keyspace (`ks.scripts`). A script runs other commands'
handlers over that same keyspace, so that whatever it does is stamped and told to the other replicas as if a
client had asked for it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping

from attrs import define, field

from trio_dynomite.commands.numeric import integer_argument, parse_int64
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.errors import CommandError
from trio_dynomite.scripting.calls import Calls
from trio_dynomite.scripting.libraries import Libraries
from trio_dynomite.scripting.machine import Machine
from trio_dynomite.scripting.scripts import NO_SCRIPT, Scripts
from trio_dynomite.scripting.shared import FLUSH, LIBRARY, RECENT, SCRIPT, Change, Shared

VERSIONS: Mapping[str, str | int] = {
    "REDIS_VERSION": "7.2.4",
    "REDIS_VERSION_NUM": 0x070204,
    "VALKEY_VERSION": "9.1.0",
    "VALKEY_VERSION_NUM": 0x090100,
    "SERVER_NAME": "trio-dynomite",
}
"""What scripts are told of the server: the versions whose commands it has."""

_TOO_MANY_KEYS = "ERR Number of keys can't be greater than number of args"
_NEGATIVE_KEYS = "ERR Number of keys can't be negative"
_NO_CLUSTER = "ERR Can not run script on cluster, 'no-cluster' flag is set."
_WRITING_SCRIPT = "ERR Can not execute a script with write flag using *_ro command."
_NO_FUNCTION = "ERR Function not found"
_BAD_KEY_COUNT = "ERR Bad number of keys provided"
_NO_ROOM = "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'"
_SHA_SIZE = 40


_SOURCE_BYTES = 1000
"""About what a script or library takes beside its source."""


def _nothing(*_: object) -> None:
    """Nobody is told."""


@define(kw_only=True)
class ScriptHost:
    """What runs the scripts and functions of one node."""

    calls: Calls
    clock: Callable[[], float]
    """Seconds since any moment; how long a script has run."""
    memory_max: int = 256 << 20
    """Bytes that all scripts may take, and all functions."""
    sources_max: int = 64 << 20
    """Bytes of the sources that are kept until they are flushed, above which no more are loaded here."""
    time_max_s: float = 5.0
    """Seconds after which a script is stopped."""
    seed: int = 0
    """Where math.random begins."""
    in_cluster: bool = True
    """Are scripts with the flag no-cluster refused?"""
    log: Callable[[int, bytes], None] = _nothing
    """Where redis.log writes: level 0 (debug) to 3 (warning), and the text."""
    is_full: Callable[[], bool] = lambda: False
    """Is this node over `maxmemory`, with nothing to evict?"""
    allows_oom: bool = False
    """May the script that runs use more memory all the same?"""
    on_new_script: Callable[[Change], None] = _nothing
    """Told of a script that EVAL made known here."""
    shared: Shared = field(init=False, factory=Shared)
    scripts: Scripts = field(init=False)
    libraries: Libraries = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.scripts = Scripts(lambda: self._machine(is_eval=True))
        self.libraries = Libraries(lambda: self._machine(is_eval=False))

    def eval(self, ks: Keyspace, args: list[bytes], *, readonly: bool = False) -> bytes:
        """EVAL script numkeys [key ...] [arg ...]."""
        count = _key_count(args)
        script, is_new = self.scripts.of_source(args[1])
        if is_new:
            self.on_new_script([(RECENT + script.sha, script.source)])
        return self._run(self.scripts.machine, script.sha, script.flags, ks, args, count, readonly)

    def evalsha(self, ks: Keyspace, args: list[bytes], *, readonly: bool = False) -> bytes:
        """EVALSHA sha1 numkeys [key ...] [arg ...]."""
        if len(args[1]) != _SHA_SIZE:
            raise CommandError(NO_SCRIPT)
        count = _key_count(args)
        script = self.scripts.of_sha(args[1])
        return self._run(self.scripts.machine, script.sha, script.flags, ks, args, count, readonly)

    def fcall(self, ks: Keyspace, args: list[bytes], *, readonly: bool = False) -> bytes:
        """FCALL function numkeys [key ...] [arg ...]."""
        function = self.libraries.function(args[1])
        if function is None:
            raise CommandError(_NO_FUNCTION)
        if parse_int64(args[2]) is None:
            raise CommandError(_BAD_KEY_COUNT)
        count = _key_count(args)
        return self._run(self.libraries.machine, function.key, function.flags, ks, args, count, readonly)

    def refuse_too_many(self, new: Iterable[bytes], *, without: Collection[bytes] = ()) -> None:
        """Raises CommandError when new sources, `without` some libraries, would take more than all may."""
        libraries = self.libraries.by_name
        kept = [library.code for name, library in libraries.items() if name not in without]
        sources = [*self.scripts.loaded(), *kept, *new]
        if sum(map(len, sources)) + _SOURCE_BYTES * len(sources) > self.sources_max:
            raise CommandError("ERR too many scripts and functions are kept: limits.scripts")

    def learn(self, changes: Change, stamp: int) -> None:
        """Take in what was changed at `stamp`, here or on another node; twice or late does no harm."""
        self._apply(self.shared.learn(changes, stamp))
        for name, value in changes:
            self._recall(name, stamp, value)

    def merge(self, entries: Mapping[bytes, tuple[int, bytes | None]]) -> None:
        """Take in all that another node knows (its `shared.entries`)."""
        self._apply(self.shared.merge(entries))
        for name, (stamp, value) in entries.items():
            self._recall(name, stamp, value)

    def _recall(self, name: bytes, stamp: int, value: bytes | None) -> None:
        """Know a script that was run elsewhere, if `name` is one's."""
        if name.startswith(RECENT) and value is not None and not self.shared.is_flushed(SCRIPT, stamp):
            self.scripts.recall(name.removeprefix(RECENT), value)

    def _apply(self, changed: Iterable[bytes]) -> None:
        for name in changed:
            stamp, value = self.shared.entries.get(name, (0, None))
            if name.startswith(SCRIPT):
                self.scripts.learn(name.removeprefix(SCRIPT), value)
            elif name.startswith(LIBRARY):
                self.libraries.learn(name.removeprefix(LIBRARY), value, stamp)
            elif name == FLUSH + SCRIPT:
                self._flush_scripts()
            elif name == FLUSH + LIBRARY:
                self._flush_libraries()

    def _flush_scripts(self) -> None:
        self.scripts.flush()
        self._apply([name for name in self.shared.entries if name.startswith(SCRIPT)])

    def _flush_libraries(self) -> None:
        self.libraries.flush()
        self._apply([name for name in self.shared.entries if name.startswith(LIBRARY)])

    def _machine(self, *, is_eval: bool) -> Machine:
        return Machine(
            is_eval=is_eval,
            memory_max=self.memory_max,
            clock=self.clock,
            log=self.log,
            versions=dict(VERSIONS),
            seed=self.seed,
            may_run=self._may_run,
        )

    def _may_run(self, args: list[bytes]) -> bool | None:
        """What redis.acl_check_cmd answers; None: there is no such command."""
        try:
            self.calls.lookup(args)
        except CommandError:
            return None
        return self.calls.may_run(args) is None

    def _run(
        self,
        machine: Machine,
        name: bytes,
        flags: frozenset[str] | None,
        ks: Keyspace,
        args: list[bytes],
        count: int,
        readonly: bool,
    ) -> bytes:
        if flags is not None:
            self._check_flags(flags, readonly)
            readonly = readonly or "no-writes" in flags
        run = self.calls.run

        def call(command: list[bytes], resp: int) -> bytes:
            return run(ks, command, resp, readonly=readonly)

        client, may_block = ks.resp, ks.may_block
        ks.may_block, self.allows_oom = False, flags is not None
        try:
            return machine.run(name, count, args[3:], client, self.time_max_s, call)
        finally:
            ks.resp, ks.may_block = client, may_block

    def _check_flags(self, flags: frozenset[str], readonly: bool) -> None:
        if self.in_cluster and "no-cluster" in flags:
            raise CommandError(_NO_CLUSTER)
        if readonly and "no-writes" not in flags:
            raise CommandError(_WRITING_SCRIPT)
        if self.is_full() and not flags & {"allow-oom", "no-writes"}:
            raise CommandError(_NO_ROOM)


def _key_count(args: list[bytes]) -> int:
    count = integer_argument(args[2])
    if count > len(args) - 3:
        raise CommandError(_TOO_MANY_KEYS)
    if count < 0:
        raise CommandError(_NEGATIVE_KEYS)
    return count
