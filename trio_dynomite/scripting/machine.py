"""A Lua machine: what one node runs its scripts in, or its functions.

Nearly all of it is Lua (`lua/`), so that values cross between the two languages as plain strings and numbers
only: one call into Lua runs a script and brings its reply, encoded; one call out of it runs a command. No
object of Python is ever within a script's reach.

**Memory.** Lua's allocator refuses what goes beyond `memory_max`, and a script then ends with "not enough
memory". But where values cross, a refusal would jump over Python's frames and take the process down. So
nothing crosses in a tight place: beyond half of the limit, the limit is lifted for the crossing, and Lua sets
it again (`box.limit`).

**Time.** Lua looks at the clock every two thousand instructions (`lua/machine.lua`).
"""

from collections.abc import Callable
from hashlib import sha1
from typing import Any

import hiredis
import lupa.lua51 as lupa
from attrs import define, field, setters

from trio_dynomite.scripting.bytecode import keep_callers
from trio_dynomite.scripting.sources import PLACE, SOURCES

MEMORY_LEAST = 1 << 20
"""Bytes without which a machine is of no use: the sandbox itself takes half of it."""

_NO_LIMIT = 1 << 60
_FEW = 100
"""So many arguments cross one by one; more of them in a table."""
_OVERHEAD = 64
"""Bytes that an argument takes beyond its own, generously."""
_BULK, _INTEGER, _NULL, _ARRAY = b"$:_*"
_SHORT = 4096
"""Bytes of an array that crosses item by item."""
_FLAT = frozenset([bytes, int, type(None)])

Call = Callable[[list[bytes], int], bytes]
"""Runs one command of a script in a version of RESP: the encoded reply. Refusals are replies, too."""


class ScriptError(Exception):
    """A source that does not compile, or a library that does not load: the text says why."""


def _nothing_allowed(*_: Any) -> None:
    raise AttributeError("scripts have no business with Python")


def _no_call(args: list[bytes], resp: int) -> bytes:
    raise AssertionError("no script is running")


@define(on_setattr=setters.NO_OP)  # attributes are set for every script, and checked once
class Machine:
    """One Lua state with the sandbox in it."""

    is_eval: bool
    """For scripts, whose KEYS and ARGV are globals; else for functions."""
    memory_max: int = field()
    """Bytes that everything in it may take; Lua's parser counts to 2^31 only."""
    clock: Callable[[], float]
    """Seconds since any moment."""
    log: Callable[[int, bytes], None]
    """Where redis.log writes: a level from 0 (debug) to 3 (warning), and a text."""
    versions: dict[str, str | int]
    """What `redis.REDIS_VERSION` and its kind say."""
    seed: int
    """Where math.random begins."""
    may_run: Callable[[list[bytes]], bool | None] = lambda _: True
    """May the user who runs the script run this command? None: there is no such command."""
    _lua: Any = field(init=False)
    _box: Any = field(init=False)
    _run_few: Any = field(init=False)
    _tight: int = field(init=False)
    """From so many bytes on the limit is lifted for crossings."""
    _call: Call = field(init=False, default=_no_call)
    _resp: int = field(init=False, default=2)
    _failure: BaseException | None = field(init=False, default=None)

    @memory_max.validator
    def _check_memory(self, _: Any, value: int) -> None:
        if not MEMORY_LEAST <= value < 1 << 31:
            raise ValueError(f"scripts need between {MEMORY_LEAST} and 2^31 bytes")

    def __attrs_post_init__(self) -> None:
        self._lua = lupa.LuaRuntime(
            encoding=None,
            register_eval=False,
            register_builtins=False,
            unpack_returned_tuples=True,
            attribute_filter=_nothing_allowed,
            max_memory=_NO_LIMIT,
        )
        self._tight = self.memory_max // 2
        self._box = self._make_box()
        for source in SOURCES:
            self._lua.compile(source, name=PLACE)(self._box)
        self._run_few = self._box.run_few
        self._clear_globals()
        self._limit()

    def _make_box(self) -> Any:
        box = self._lua.table()
        box.SOURCE, box.TOO_SLOW = PLACE, b"ERR Script ran for too long and was stopped."
        box.is_eval = self.is_eval
        box.limit, box.clock = self._limit, self.clock
        box.send, box.send_many, box.set_resp = self._send, self._send_many, self._set_resp
        box.sha1hex, box.log, box.acl_check = self._sha1hex, self._log, self._acl_check
        versions = {name.encode(): _for_lua(value) for name, value in self.versions.items()}
        box.versions = self._lua.table_from(versions)
        box.first_seed = self.seed
        return box

    def _clear_globals(self) -> None:
        """Leaves Lua's own table of globals empty: nothing runs in it, and lupa looks for `debug` in it."""
        libraries = self._lua.globals()
        for name in list(libraries):
            libraries[name] = None

    def run(
        self, name: bytes, count: int, args: list[bytes], client: int, seconds: float, call: Call
    ) -> bytes:
        """Run what was kept under `name`: the reply for a client that speaks RESP `client`.

        The first `count` of `args` are its keys. It may take so many `seconds`, and runs commands by `call`.
        """
        self._call, self._resp = call, 2
        try:
            if len(args) <= _FEW and self._has_room(sum(map(len, args))):
                reply: bytes = self._run_few(name, client, seconds, count, *args)
            else:
                self._lift()
                reply = self._box.run_many(name, client, seconds, count, self._lua.table_from(args))
        except lupa.LuaMemoryError:
            reply = b"-ERR Error running script, not enough memory\r\n"
        finally:
            self._limit()
            self._call = _no_call
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        return reply

    @property
    def memory_used(self) -> int:
        """Bytes that are taken now."""
        return int(self._lua.get_memory_used())

    def close(self) -> None:
        """Free the Lua state, without waiting for Python's collector to find the circle through it."""
        self._box = self._run_few = self._lua = None

    def keep(self, name: bytes, source: bytes, place: bytes) -> None:
        """Compile the script `source` and keep it under `name`. Raises ScriptError."""
        code = self._compile(source, place)
        self._lift()
        self._box.keep(name, code, place)
        self._limit()

    def forget(self, name: bytes) -> None:
        """Drop what was kept under `name`."""
        self._lift()
        self._box.forget(name)
        self._limit()

    def load(self, source: bytes, place: bytes, seconds: float) -> list[tuple[bytes, bytes, bytes | None]]:
        """Run the code of a library: name, flags and description of each function that it registers.

        Raises:
            ScriptError: it does not compile, raises, or takes more than so many `seconds`.
        """
        try:
            code = self._compile(source, place)
        except ScriptError as error:
            raise ScriptError(f"Error compiling function: {error}") from None
        self._lift()
        try:
            count, problem = self._pair(self._box.load_library(code, place, seconds))
            if count is None:
                raise ScriptError(f"Error registering functions: {_decoded(problem)}")
            self._lift()
            return [self._box.describe(i) for i in range(1, count + 1)]
        except lupa.LuaMemoryError as error:
            raise ScriptError("Error registering functions: ERR not enough memory") from error
        finally:
            self._limit()

    def keep_function(self, number: int, name: bytes) -> None:
        """Keep the function with this number (from 0) of the library loaded last under `name`."""
        self._lift()
        self._box.keep_function(number + 1, name)
        self._limit()

    def _compile(self, source: bytes, place: bytes) -> bytes:
        self._lift()
        try:
            code, problem = self._pair(self._box.compile(source, place))
        except lupa.LuaMemoryError:
            code, problem = None, b"not enough memory"
        finally:
            self._limit()
        if code is None:
            raise ScriptError(_decoded(problem))
        return keep_callers(code)

    def _pair(self, results: Any) -> Any:
        return results if isinstance(results, tuple) else (results, None)

    # ---- memory

    def _limit(self) -> None:
        self._lua.set_max_memory(self.memory_max)

    def _lift(self) -> None:
        self._lua.set_max_memory(_NO_LIMIT)
        if self._lua.get_memory_used() > self._tight:
            self._lua.gccollect()

    def _has_room(self, size: int) -> bool:
        """Can strings of this size cross without lifting the limit?"""
        needed = 2 * size + _FEW * _OVERHEAD
        return bool(self._lua.get_memory_used() + needed <= self._tight)

    # ---- called by Lua

    def _send(self, *args: bytes) -> Any:
        """Run a command. What it hands to Lua is told in `lua/commands.lua`."""
        try:
            reply = self._call(list(args), self._resp)
        except BaseException as failure:
            # An exception would reach the script as an object of Python: it waits until Lua has returned.
            self._failure = failure
            reply = b"\0ERR internal error"
        value, raw = _plain(reply)
        room = self._lua.get_memory_used() + 2 * len(reply) <= self._tight
        if not room:
            self._lua.set_max_memory(_NO_LIMIT)
        if raw is None:
            return value if room else (value, None, True)
        items = _items(raw) if self._resp == 2 and len(raw) < _SHORT else None
        return (None, raw, not room) if items is None else (None, True, not room, *items)

    def _send_many(self, sizes: bytes, joined: bytes) -> Any:
        return self._send(*_split(sizes, joined))

    def _set_resp(self, resp: int) -> None:
        self._resp = resp

    def _sha1hex(self, text: bytes) -> Any:
        return self._answer(sha1(text).hexdigest().encode())

    def _log(self, level: int, text: bytes) -> Any:
        self.log(level, text)
        return self._answer(None)

    def _acl_check(self, sizes: bytes, joined: bytes) -> Any:
        return self._answer(self.may_run(_split(sizes, joined)))

    def _answer(self, value: Any) -> Any:
        if self._lua.get_memory_used() <= self._tight:
            return value
        self._lua.set_max_memory(_NO_LIMIT)
        return value, None, True


def _for_lua(value: str | int) -> bytes | int:
    return value.encode() if isinstance(value, str) else value


def _plain(reply: bytes) -> tuple[Any, bytes | None]:
    """Lua's value of a reply that is a plain one, or None and the reply."""
    kind = reply[0]
    if kind == _BULK:
        start = reply.index(b"\n") + 1
        return (False if reply[1] == 45 else reply[start:-2]), None
    if kind == _INTEGER:
        return int(reply[1:]), None
    return None, None if kind == _NULL else reply


def _items(reply: bytes) -> list[Any] | None:
    """Lua's values of a RESP2 array of bulk strings and integers; None when it is anything else."""
    if reply[0] != _ARRAY or b"\n+" in reply or b"\n-" in reply:
        return None
    reader = hiredis.Reader()
    reader.feed(reply)
    items: Any = reader.gets()
    if type(items) is not list or not _FLAT.issuperset(map(type, items)):
        return None
    return [False if item is None else item for item in items] if None in items else items


def _split(sizes: bytes, joined: bytes) -> list[bytes]:
    """Strings that came as one, and the size of each."""
    strings, start = [], 0
    for size in map(int, sizes.split()):
        strings.append(joined[start : start + size])
        start += size
    return strings


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "replace")
