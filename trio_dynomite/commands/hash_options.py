"""How commands name fields of a hash: `FIELDS number field [field ...]`, after their options.

Options are whatever stands before the first word FIELDS. Redis reads them before it reads the number, and the
number before it looks at the key (`hsetexCommand` and its neighbours in Valkey's `t_hash.c`).
"""

from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.commands.refusals import SYNTAX
from trio_dynomite.errors import CommandError

_BAD_NUMBER = "ERR numfields should be greater than 0 and match the provided number of fields"


def fields_at(args: list[bytes], start: int) -> int:
    """Where the word FIELDS stands, from `args[start]` on, with something after it.

    Raises:
        CommandError: it does not.
    """
    for at in range(start, len(args) - 1):
        if args[at].upper() == b"FIELDS":
            return at
    raise CommandError(_BAD_NUMBER)


def named_fields(args: list[bytes], at: int, *, width: int = 1, refusal: str = _BAD_NUMBER) -> list[bytes]:
    """The fields after the word FIELDS at `args[at]`, to the end; each takes `width` arguments.

    Raises:
        CommandError: the number is none, or is not that of the fields that follow (`refusal`).
    """
    number = integer_argument(args[at + 1])
    named = args[at + 2 :]
    if number < 1 or number * width != len(named):
        raise CommandError(refusal)
    return named


def only_fields(args: list[bytes], *, refusal: str = _BAD_NUMBER) -> list[bytes]:
    """The fields of a command that takes no options. Raises CommandError."""
    if args[2].upper() != b"FIELDS":
        raise CommandError(SYNTAX)
    return named_fields(args, 2, refusal=refusal)
