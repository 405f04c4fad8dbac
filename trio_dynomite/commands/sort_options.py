"""The words after the key of SORT, in any order; of those that exclude each other the last one counts."""

from attrs import define, field

from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.commands.refusals import SYNTAX
from trio_dynomite.errors import CommandError

_ARGUMENTS = {b"LIMIT": 2, b"BY": 1, b"GET": 1, b"STORE": 1}


@define
class SortOptions:
    """What the words ask for."""

    by: bytes | None = None
    """Where the weights of elements are."""
    offset: int = 0
    count: int = -1
    """How many from `offset` on; negative: all."""
    gets: list[bytes] = field(factory=list)
    """Where to find what is answered for each element; none: itself."""
    descending: bool = False
    alpha: bool = False
    store: bytes | None = None

    @property
    def keeps_order(self) -> bool:
        """Do the elements stay in the order in which they stand?"""
        return self.by is not None and b"*" not in self.by

    def bounds(self, size: int) -> tuple[int, int]:
        """The first of `size` places that LIMIT chooses, and the one after the last."""
        first = min(max(self.offset, 0), size)
        return first, size if self.count < 0 else min(first + self.count, size)

    def take(self, word: bytes, arguments: list[bytes]) -> None:
        """Note one option. Raises CommandError when there is no such word, or its numbers are none."""
        match word:
            case b"ASC" | b"DESC":
                self.descending = word == b"DESC"
            case b"ALPHA":
                self.alpha = True
            case b"LIMIT":
                self.offset, self.count = integer_argument(arguments[0]), integer_argument(arguments[1])
            case b"BY":
                self.by = arguments[0]
            case b"GET":
                self.gets.append(arguments[0])
            case b"STORE":
                self.store = arguments[0]
            case _:
                raise CommandError(SYNTAX)


def sort_options(args: list[bytes], *, may_store: bool) -> SortOptions:
    """The options of the request `args`. Raises CommandError."""
    options = SortOptions()
    position = 2
    while position < len(args):
        word = args[position].upper()
        end = position + 1 + _ARGUMENTS.get(word, 0)
        if end > len(args) or (word == b"STORE" and not may_store):
            raise CommandError(SYNTAX)
        options.take(word, args[position + 1 : end])
        position = end
    return options


def patterns(args: list[bytes]) -> list[tuple[bytes, bytes]]:
    """(BY or GET, its pattern) for all patterns of a request that lead to other keys; none of a bad one."""
    try:
        options = sort_options(args, may_store=True)
    except CommandError:
        return []
    named = [(b"BY", options.by)] + [(b"GET", pattern) for pattern in options.gets]
    return [(word, pattern) for word, pattern in named if pattern is not None and b"*" in pattern]


def sort_keys(args: list[bytes]) -> list[bytes]:
    """For `Row.keys_of`: the key to sort and, last, the one to store in when there is one."""
    store: list[bytes] = []
    position = 2
    while position < len(args):
        word = args[position].upper()
        if word == b"STORE":
            store = args[position + 1 : position + 2] or store
        position += 1 + _ARGUMENTS.get(word, 0)
    return args[1:2] + store
