"""Finding the keys of commands that say how many they name: LMPOP, ZUNION, SINTERCARD, EVAL, MSETEX.

The number stands before the keys. One that does not fit what follows names none (`genericGetKeys` in Redis's
`db.c`): the command itself then refuses the request.
"""

from collections.abc import Callable

from trio_dynomite.commands.numeric import parse_int64


def keys_after(at: int, step: int = 1) -> Callable[[list[bytes]], list[bytes]]:
    """A `Row.keys_of` for keys of which `args[at]` says the number, each with `step - 1` other arguments."""

    def keys_of(args: list[bytes]) -> list[bytes]:
        count = (parse_int64(args[at]) or 0) if len(args) > at else 0
        first = at + 1
        if not 0 < count <= (len(args) - first) // step:
            return []
        return args[first : first + count * step : step]

    return keys_of
