"""Trimming: the options of XADD and XTRIM, and which entries they mean.

`~` lets Redis remove whole nodes of its tree only, a node being 100 entries (its default
`stream-node-max-entries`). Here a node is a hundred entries by the count of all that were ever added, which
is the same as long as the oldest entries are the ones to go and a node holds no more than 4096 bytes (Redis
closes one at that size as well).
"""

from itertools import islice

from attrs import define

from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.commands.refusals import SYNTAX
from trio_dynomite.commands.stream_ids import INVALID_ID, id_argument, parse_id
from trio_dynomite.data.entry_id import encode
from trio_dynomite.data.stream import StreamBody
from trio_dynomite.errors import CommandError

_NODE = 100
_LIMIT = 100 * _NODE
"""Entries that `~` removes at most, unless LIMIT tells another number."""


@define
class Options:
    """What stands before the fields of XADD, or after the key of XTRIM."""

    position: int = 2
    """Index of the argument that is looked at; in the end XADD's id."""
    nomkstream: bool = False
    entry_id: int | None = None
    """The id that was given, None for `*`; of `<ms>-*` its least."""
    chooses_sequence: bool = False
    """Was the id of the form `<ms>-*`?"""
    maxlen: int | None = None
    minid: int | None = None
    approx: bool = False
    limit: int = -1
    """Entries to remove at most; 0: any number; -1: not given."""

    @property
    def trims(self) -> bool:
        """Is a strategy of trimming given?"""
        return self.maxlen is not None or self.minid is not None


AUTOMATIC = Options()
"""XADD key * …: the usual case. Not to be changed."""


def add_options(args: list[bytes]) -> Options:
    """The options of XADD. Raises CommandError."""
    if args[2] == b"*":
        return AUTOMATIC
    options = Options()
    while options.position < len(args) and not _read_id(options, args):
        options.position += 1
    _check_limit(options)
    return options


def trim_options(args: list[bytes]) -> Options:
    """The options of XTRIM. Raises CommandError."""
    options = Options()
    while options.position < len(args):
        if not _read_trimming(options, args):
            raise CommandError(SYNTAX)
        options.position += 1
    if not options.trims and options.limit <= 0:
        raise CommandError("ERR syntax error, XTRIM must be called with a trimming strategy")
    _check_limit(options)
    return options


def _read_id(options: Options, args: list[bytes]) -> bool:
    """Read one option of XADD; was it the id, after which the fields come?"""
    text = args[options.position]
    if text == b"*":
        return True
    if _read_trimming(options, args):
        return False
    if text.upper() == b"NOMKSTREAM":
        options.nomkstream = True
        return False
    if text.endswith(b"-*") and (entry_id := parse_id(text[:-1] + b"0")) is not None:
        options.chooses_sequence = True
    elif (entry_id := parse_id(text)) is None:
        raise CommandError(INVALID_ID)
    options.entry_id = entry_id
    return True


def _read_trimming(options: Options, args: list[bytes]) -> bool:
    """Read the option that stands at the position, if it is one of trimming."""
    word, more = args[options.position].upper(), len(args) - 1 - options.position
    if not more or word not in (b"MAXLEN", b"MINID", b"LIMIT"):
        return False
    options.position += 1
    if word == b"LIMIT":
        options.limit = _counted("LIMIT", args[options.position])
        return True
    if options.trims:
        text = "ERR syntax error, MAXLEN and MINID options at the same time are not compatible"
        raise CommandError(text)
    if more >= 2 and args[options.position] in (b"~", b"="):
        options.approx = args[options.position] == b"~"
        options.position += 1
    if word == b"MAXLEN":
        options.maxlen = _counted("MAXLEN", args[options.position])
    else:
        options.minid = id_argument(args[options.position])
    return True


def _counted(word: str, text: bytes) -> int:
    number = integer_argument(text)
    if number < 0:
        raise CommandError(f"ERR The {word} argument must be >= 0.")
    return number


def _check_limit(options: Options) -> None:
    if options.limit > 0 and not options.trims:
        text = "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"
        raise CommandError(text)
    if options.limit >= 0 and not options.approx:
        raise CommandError("ERR syntax error, LIMIT cannot be used without the special ~ option")
    if options.limit < 0:
        options.limit = _LIMIT if options.approx else 0


def cut(body: StreamBody, options: Options, new_id: int | None = None) -> bytes | None:
    """The last of the entries to remove, as `StreamBody.trim` wants it, or None when there are none.

    `new_id` is the id of the entry that is about to be added: it counts, and may have to go at once.
    """
    size = len(body) + (new_id is not None)
    count = _surplus(body, options, new_id, size)
    if options.approx:
        count = _in_whole_nodes(body.added - len(body), size, count, options.limit)
    if count <= 0:
        return None
    if count > len(body):
        return None if new_id is None else encode(new_id)
    if count == 1:
        return encode(body.first_id)
    return encode(next(islice(body.entries.irange(), count - 1, None)))


def _surplus(body: StreamBody, options: Options, new_id: int | None, size: int) -> int:
    """How many of `size` entries are too many or too old; counted no further than the limit matters."""
    if options.minid is None:
        return size - (options.maxlen or 0)
    low = body.entries.irange(None, options.minid, (True, False))
    stop = options.limit + _NODE if options.limit else None
    count = sum(1 for _ in islice(low, stop))
    return count + 1 if count == len(body) and new_id is not None and new_id < options.minid else count


def _in_whole_nodes(first: int, size: int, surplus: int, limit: int) -> int:
    """How many of the surplus are whole nodes, within the limit; `first` entries were before these `size`."""
    taken = 0
    while taken < surplus:
        node = min(_NODE - (first + taken) % _NODE, size - taken)
        if taken + node > surplus or (limit and taken + node > limit):
            break
        taken += node
    return taken
