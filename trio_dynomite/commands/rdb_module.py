"""The type of a value that a module wrote, as its payload names it (Redis's `moduleTypeNameFromID`).

Behind the type code stands an id of 64 bits: nine characters of six bits each, and a version of the encoding.
All that follows is the module's own.
"""

from trio_dynomite.commands.rdb import Reader
from trio_dynomite.errors import CommandError

MODULE = 7
"""The type code of a module's value."""
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_NAME_SIZE, _VERSION_BITS = 9, 10
_LETTERS_OF_BYTES = frozenset(_LETTERS.lower().encode())


def module_type(body: bytes) -> str | None:
    """The name of the type in `body`, a payload without its footer; None: it is no module's."""
    reader = Reader(body)
    try:
        if reader.number(1) != MODULE:
            return None
        number = reader.length() >> _VERSION_BITS
    except CommandError:
        return None
    places = range(6 * (_NAME_SIZE - 1), -1, -6)
    return "".join([_LETTERS[number >> place & 63] for place in places])


def may_be_module_type(name: bytes) -> bool:
    """Is `name`, in any case, one that a module's type can have?"""
    return len(name) == _NAME_SIZE and _LETTERS_OF_BYTES.issuperset(name.lower())
