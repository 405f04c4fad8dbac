"""The Lua half of the sandbox uses no globals: its table of them is empty when scripts run."""

import struct
from collections.abc import Iterator

import lupa.lua51 as lupa
import pytest
from attrs import define

from trio_dynomite.scripting.sources import SOURCES

GLOBAL_ACCESS = {5, 7}
CONSTANT_SIZES = {0: 0, 1: 1, 3: 8}


@define
class Dump:
    """Reads what string.dump gave."""

    code: bytes
    at: int = 12

    def number(self) -> int:
        self.at += 4
        return int(struct.unpack_from("<i", self.code, self.at - 4)[0])

    def text(self) -> bytes:
        size = int(struct.unpack_from("<Q", self.code, self.at)[0])
        self.at += 8 + size
        return self.code[self.at - size : self.at - 1]

    def constant(self) -> bytes:
        kind = self.code[self.at]
        self.at += 1
        if kind == 4:
            return self.text()
        self.at += CONSTANT_SIZES[kind]
        return b""

    def globals_used(self, depth: int = 0) -> Iterator[bytes]:
        """The globals that functions use, those of the chunk itself left out."""
        self.text()
        self.at += 12
        count = self.number()
        instructions = struct.unpack_from(f"<{count}I", self.code, self.at)
        self.at += 4 * count
        constants = [self.constant() for _ in range(self.number())]
        if depth:
            yield from (constants[i >> 14] for i in instructions if i & 63 in GLOBAL_ACCESS)
        for _ in range(self.number()):
            yield from self.globals_used(depth + 1)
        lines = self.number()
        self.at += 4 * lines
        for _ in range(self.number()):
            self.text()
            self.at += 8
        for _ in range(self.number()):
            self.text()


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.splitlines()[0].decode()[:50])
def test_functions_use_no_globals(source: bytes) -> None:
    lua = lupa.LuaRuntime(encoding=None)
    dumped = lua.eval(b"string.dump")(lua.compile(source))
    assert not list(Dump(dumped).globals_used())


def test_the_check_itself() -> None:
    lua = lupa.LuaRuntime(encoding=None)
    dumped = lua.eval(b"string.dump")(lua.compile(b"local f = print function g() return f(print, {}) end"))
    assert list(Dump(dumped).globals_used()) == [b"print"]
