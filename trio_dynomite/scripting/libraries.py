"""The libraries of functions that a node knows (https://valkey.io/topics/functions-intro/).

A library is checked where it is loaded; every node then learns it and runs its code once. Should two nodes
load libraries with one function's name between them at the same moment, it is the later library's.
"""

from collections.abc import Callable

from attrs import define, evolve, field, frozen

from trio_dynomite.errors import CommandError
from trio_dynomite.scripting.machine import Machine, ScriptError
from trio_dynomite.scripting.shebang import FLAGS, is_name, library_name

LOAD_S = 0.5
"""Seconds that the code of a library may take to register its functions."""
_PLACE = b"@user_function"


@frozen
class Function:
    """A function of a library."""

    name: bytes
    library: bytes
    flags: frozenset[str]
    description: bytes | None
    number: int
    """Its place among what the library registered."""

    @property
    def key(self) -> bytes:
        """The name under which the machine keeps it."""
        return self.library + b"/" + self.name


@frozen
class Library:
    """A library, and its functions in the order in which it registered them."""

    name: bytes
    code: bytes
    functions: tuple[Function, ...]
    stamp: int = 0
    """When it was loaded; of two with one function's name the newer has it."""


@define
class Libraries:
    """The libraries of one node."""

    make_machine: Callable[[], Machine]
    by_name: dict[bytes, Library] = field(factory=dict)
    """In the order in which they were learnt."""
    _functions: dict[bytes, Function] = field(init=False, factory=dict)
    """By name in lower case."""
    _machine: Machine | None = field(init=False, default=None)

    @property
    def machine(self) -> Machine:
        """What they run in."""
        if self._machine is None:
            self._machine = self.make_machine()
        return self._machine

    def function(self, name: bytes) -> Function | None:
        """The function with this name in any case, or None."""
        return self._functions.get(name) or self._functions.get(name.lower())

    def check(self, code: bytes, *, replace: bool, among: dict[bytes, Library] | None = None) -> Library:
        """The library that `code` is, if it may be loaded beside those `among` (by default, all known ones).

        Raises:
            CommandError: why it may not.
        """
        name, lua = library_name(code)
        others = dict(self.by_name if among is None else among)
        if name in others and not replace:
            raise CommandError(f"ERR Library '{name.decode()}' already exists")
        others.pop(name, None)
        library = self._load(name, code, lua)
        refuse_same_functions([library], others)
        return library

    def learn(self, name: bytes, code: bytes | None, stamp: int) -> None:
        """A library was loaded somewhere, or deleted (None). One that fails here stays without functions."""
        if name in self.by_name:
            self._drop(self.by_name.pop(name))
        if code is None:
            return
        try:
            library = evolve(self._load(name, code, library_name(code)[1]), stamp=stamp)
        except CommandError:
            library = Library(name, code, (), stamp)
        self.by_name[name] = library
        for function in library.functions:
            self.machine.keep_function(function.number, function.key)
        self._index()

    def flush(self) -> None:
        """Forget all, and begin with a new machine."""
        self.by_name.clear()
        self._functions.clear()
        if self._machine is not None:
            self._machine.close()
            self._machine = None

    def _load(self, name: bytes, code: bytes, lua: bytes) -> Library:
        try:
            entries = self.machine.load(lua, _PLACE, LOAD_S)
        except ScriptError as error:
            raise CommandError(f"ERR {error}") from None
        functions: dict[bytes, Function] = {}
        for number, (function_name, flags, description) in enumerate(entries):
            _check_function(function_name, functions)
            functions[function_name] = Function(
                function_name, name, frozenset(flags.decode().split()), description, number
            )
        if not functions:
            raise CommandError("ERR No functions registered")
        return Library(name, code, tuple(functions.values()))

    def _drop(self, library: Library) -> None:
        for function in library.functions:
            self.machine.forget(function.key)
        self._index()

    def _index(self) -> None:
        self._functions = {}
        for library in sorted(self.by_name.values(), key=lambda library: (library.stamp, library.name)):
            # Of one library's functions that differ by case the first is called, as in Valkey.
            for function in reversed(library.functions):
                self._functions[function.name.lower()] = function


def refuse_same_functions(libraries: list[Library], others: dict[bytes, Library]) -> None:
    """Raise CommandError when a function of `libraries` has the name of one of the `others`."""
    taken = {function.name.lower() for library in others.values() for function in library.functions}
    for library in libraries:
        for function in library.functions:
            if function.name.lower() in taken:
                raise CommandError(f"ERR Function {function.name.decode()} already exists")


def flags_in_order(function: Function) -> list[str]:
    """The flags of a function as FUNCTION LIST names them."""
    return [flag for flag in FLAGS if flag in function.flags]


def _check_function(name: bytes, known: dict[bytes, Function]) -> None:
    if not is_name(name):
        raise CommandError(
            "ERR Function names can only contain letters, numbers, or underscores(_)"
            " and must be at least one character long"
        )
    if name in known:
        raise CommandError("ERR Function already exists in the library")
