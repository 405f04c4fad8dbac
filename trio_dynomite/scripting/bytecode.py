"""A change to compiled Lua 5.1: calls of what may be the sandbox's own functions are never tail calls.

Redis's API is C, and C functions leave their caller on the stack even when it says `return redis.call(…)`.
Ours is Lua, and a tail call to it would take away the very frame that an error is to name ("on
@user_script:1"). So OP_TAILCALL becomes OP_CALL where the callee comes from a global (`tonumber`), a field of
one (`redis.call`) or a local variable that may hold one. What a function calls by way of an upvalue stays a
tail call: thus recursion at the end of a function goes as deep as in Redis. The following OP_RETURN hands on
all results in both cases.

Format: Lua 5.1's `ldump.c`, as it writes on this machine (little-endian, 64 bits).
"""

import struct

from attrs import define

_HEADER_SIZE = 12
_MOVE, _GETGLOBAL, _GETTABLE, _CALL, _TAILCALL = 0, 5, 6, 28, 29
_LOADERS = frozenset([0, 1, 2, 3, 4, 5, 6, 10, 11, 36])
"""Instructions that put a value into register A: MOVE LOADK LOADBOOL LOADNIL GETUPVAL GETGLOBAL GETTABLE
NEWTABLE SELF CLOSURE."""
_CONSTANT_SIZES = {0: 0, 1: 1, 3: 8}
_STRING = 4
_FIXED_FIELDS_SIZE = 8
_FLAGS_SIZE = 4


@define
class _Reader:
    code: bytearray
    at: int = _HEADER_SIZE

    def number(self) -> int:
        self.at += 4
        return int(struct.unpack_from("<i", self.code, self.at - 4)[0])

    def skip_string(self) -> None:
        size: int = struct.unpack_from("<Q", self.code, self.at)[0]
        self.at += 8 + size


def keep_callers(dumped: bytes) -> bytes:
    """The function that `string.dump` gave, with calls instead of tail calls."""
    reader = _Reader(bytearray(dumped))
    _change_function(reader)
    return bytes(reader.code)


def _change_function(reader: _Reader) -> None:
    reader.skip_string()
    reader.at += _FIXED_FIELDS_SIZE + _FLAGS_SIZE
    _change_instructions(reader)
    for _ in range(reader.number()):
        _skip_constant(reader)
    for _ in range(reader.number()):
        _change_function(reader)
    _skip_debug_information(reader)


def _change_instructions(reader: _Reader) -> None:
    count = reader.number()
    start = reader.at
    instructions = list(struct.unpack_from(f"<{count}I", reader.code, start))
    for at, instruction in enumerate(instructions):
        if instruction & 63 == _TAILCALL and _may_be_native(instructions, at):
            instructions[at] = instruction & ~63 | _CALL
    struct.pack_into(f"<{count}I", reader.code, start, *instructions)
    reader.at += 4 * count


def _may_be_native(instructions: list[int], at: int) -> bool:
    """May the callee of the tail call at `at` be a function of the sandbox?"""
    loader = _last_load(instructions, at, _a(instructions[at]))
    if loader < 0:
        return False
    opcode = instructions[loader] & 63
    if opcode == _GETTABLE:
        table = instructions[loader] >> 23
        loader = _last_load(instructions, loader, table)
        return loader >= 0 and instructions[loader] & 63 == _GETGLOBAL
    return opcode in (_MOVE, _GETGLOBAL)


def _last_load(instructions: list[int], before: int, register: int) -> int:
    """Where `register` was last loaded, or -1."""
    for at in range(before - 1, -1, -1):
        if instructions[at] & 63 in _LOADERS and _a(instructions[at]) == register:
            return at
    return -1


def _a(instruction: int) -> int:
    return instruction >> 6 & 255


def _skip_constant(reader: _Reader) -> None:
    kind = reader.code[reader.at]
    reader.at += 1
    if kind == _STRING:
        reader.skip_string()
    else:
        reader.at += _CONSTANT_SIZES[kind]


def _skip_debug_information(reader: _Reader) -> None:
    lines = reader.number()
    reader.at += 4 * lines
    for _ in range(reader.number()):
        reader.skip_string()
        reader.at += 8
    for _ in range(reader.number()):
        reader.skip_string()
