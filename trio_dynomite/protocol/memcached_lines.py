"""One line of memcached's text protocol → a request, or the refusal that memcached 1.6.18 gives.

A row of `_LINES` for each command: how many words it may have, and what reads them. The order of the checks
is memcached's, for what a client is told depends on it, and whether what follows a wrong line is data or the
next request.
Source: `process_command_ascii` and what it calls in `proto_text.c`.
"""

from collections.abc import Callable, Mapping

from attrs import define

from trio_dynomite.protocol.memcached_words import (
    BAD_EXPTIME,
    BAD_FORMAT,
    ERROR,
    KEY_MAX,
    WordError,
    check_opaque,
    decoded_key,
    meta_flags,
    signed32,
    unsigned32,
    unsigned64,
)

_WORDS_MAX = 23
"""Words of a line that memcached looks at."""
_FLAGS_MAX = 19
_SIZE_MAX = 2**31 - 3
STORING = frozenset([b"set", b"add", b"replace", b"append", b"prepend", b"cas"])


@define
class Request:
    """What a client asks for."""

    verb: bytes
    words: list[bytes]
    """What follows the verb, as it is to be taken; the key first, where there is one."""
    flags: bytes = b"0"
    """Of a value to be stored: the client's own 32 bits."""
    size: int = -1
    """Bytes of the data that follow; -1: none do."""
    data: bytes | None = None
    reply: bytes = b""
    """What to answer, where that is known already."""
    is_quiet: bool = False
    """The client wants no reply, whatever it is."""


def parse(words: list[bytes]) -> Request | None:
    """The request in the words of a line; None when it is one that memcached hangs up at."""
    if not words or len(words[0]) < 2:
        return Request(b"", [], reply=ERROR)
    row = _LINES.get(words[0])
    if row is None:
        if words[min(len(words), _WORDS_MAX) - 1].startswith(b"HTTP/"):
            return None
        return Request(words[0], [], reply=ERROR)
    least, most, read = row
    if not least <= len(words) <= most:
        return Request(words[0], [], reply=ERROR)
    return read(words)


def _refused(words: list[bytes], reply: bytes, *, is_quiet: bool = False) -> Request:
    return Request(words[0], [], reply=reply, is_quiet=is_quiet)


def _is_quiet(words: list[bytes]) -> bool:
    return words[-1] == b"noreply"


def _get(words: list[bytes]) -> Request:
    if max(map(len, words)) > KEY_MAX:
        return _refused(words, BAD_FORMAT)
    return Request(words[0], words[1:])


def _get_and_touch(words: list[bytes]) -> Request:
    exptime = signed32(words[1])
    if exptime is None:
        return _refused(words, BAD_EXPTIME)
    return _get([words[0], b"%d" % exptime, *words[2:]])


def _store(words: list[bytes]) -> Request:
    is_quiet = _is_quiet(words)
    flags, exptime, size = unsigned32(words[2]), signed32(words[3]), signed32(words[4])
    if len(words[1]) > KEY_MAX or flags is None or exptime is None or size is None:
        return _refused(words, BAD_FORMAT, is_quiet=is_quiet)
    told = [words[1], b"%d" % exptime]
    if len(words) > 5 and words[0] == b"cas":
        unique = unsigned64(words[5])
        if unique is None:
            return _refused(words, BAD_FORMAT, is_quiet=is_quiet)
        told.append(b"%d" % unique)
    if not 0 <= size <= _SIZE_MAX:
        return _refused(words, BAD_FORMAT, is_quiet=is_quiet)
    return Request(words[0], told, b"%d" % flags, size, is_quiet=is_quiet)


def _touch(words: list[bytes]) -> Request:
    is_quiet = _is_quiet(words)
    if len(words[1]) > KEY_MAX:
        return _refused(words, BAD_FORMAT, is_quiet=is_quiet)
    exptime = signed32(words[2])
    if exptime is None:
        return _refused(words, BAD_EXPTIME, is_quiet=is_quiet)
    return Request(words[0], [words[1], b"%d" % exptime], is_quiet=is_quiet)


def _count(words: list[bytes]) -> Request:
    is_quiet = _is_quiet(words)
    if len(words[1]) > KEY_MAX:
        return _refused(words, BAD_FORMAT, is_quiet=is_quiet)
    delta = unsigned64(words[2])
    if delta is None:
        return _refused(words, b"CLIENT_ERROR invalid numeric delta argument\r\n", is_quiet=is_quiet)
    return Request(words[0], [words[1], b"%d" % delta], is_quiet=is_quiet)


def _delete(words: list[bytes]) -> Request:
    is_quiet = len(words) > 2 and _is_quiet(words)
    holds_zero = len(words) > 2 and words[2] == b"0"
    if len(words) > 2 and not (holds_zero or is_quiet if len(words) == 3 else holds_zero and is_quiet):
        usage = b"CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n"
        return _refused(words, usage, is_quiet=is_quiet)
    if len(words[1]) > KEY_MAX:
        return _refused(words, BAD_FORMAT, is_quiet=is_quiet)
    return Request(words[0], [words[1]], is_quiet=is_quiet)


def _flush_all(words: list[bytes]) -> Request:
    is_quiet = _is_quiet(words)
    delay = signed32(b"0" if len(words) == (2 if is_quiet else 1) else words[1])
    if delay is None:
        return _refused(words, BAD_EXPTIME, is_quiet=is_quiet)
    return Request(words[0], [b"%d" % delay], is_quiet=is_quiet)


def _verbosity(words: list[bytes]) -> Request:
    reply = BAD_FORMAT if unsigned32(words[1]) is None else b"OK\r\n"
    return _refused(words, reply, is_quiet=_is_quiet(words))


def _plain(words: list[bytes]) -> Request:
    return Request(words[0], words[1:])


def _shutdown(words: list[bytes]) -> Request:
    return _refused(words, b"ERROR: shutdown not enabled\r\n")


def _meta_nothing(words: list[bytes]) -> Request:
    return _refused(words, b"MN\r\n")


def _meta_debug(words: list[bytes]) -> Request:
    if len(words) < 2 or len(words[1]) > KEY_MAX:
        return _refused(words, BAD_FORMAT)
    flags = [b"b"] if words[2:3] == [b"b"] else []
    key = decoded_key(words[1]) if flags else words[1]
    return _refused(words, BAD_FORMAT) if key is None else Request(words[0], [key, *flags])


def _meta_get(words: list[bytes]) -> Request:
    if len(words[1]) > KEY_MAX:
        return _refused(words, BAD_FORMAT)
    if len(words) > _FLAGS_MAX:
        return _refused(words, b"CLIENT_ERROR options flags are too long\r\n")
    try:
        return _meta(words, words[2:])
    except WordError as error:
        return _refused(words, error.args[0])


def _meta_change(words: list[bytes]) -> Request:
    """md and ma."""
    if len(words[1]) > KEY_MAX:
        return _refused(words, BAD_FORMAT)
    if len(words) > _FLAGS_MAX:
        return _refused(words, b"CLIENT_ERROR options flags too long\r\n")
    try:
        request = _meta(words, words[2:], b"CLIENT_ERROR invalid or duplicate flag\r\n")
    except WordError as error:
        return _refused(words, error.args[0])
    return request


def _meta_set(words: list[bytes]) -> Request:
    if len(words[1]) > KEY_MAX or len(words) == 2:
        return _refused(words, BAD_FORMAT)
    if len(words) > _FLAGS_MAX:
        return _refused(words, b"CLIENT_ERROR options flags too long\r\n")
    size = signed32(words[2])
    if size is None or not 0 <= size <= _SIZE_MAX:
        return _refused(words, BAD_FORMAT)
    try:
        request = _meta(words, words[3:])
    except WordError as error:
        request = _refused(words, error.args[0])
    request.size = size
    return request


_MODES = {b"ms": b"EAPRS", b"ma": b"I+D-"}


def _meta(words: list[bytes], told: list[bytes], instead: bytes = b"") -> Request:
    """A meta command with its key and flags. Raises WordError (of wrong flags it may say something else)."""
    verb, key = words[0], words[1]
    found: bytes | None = key
    try:
        flags = meta_flags(told)
        if b"b" in flags and (found := decoded_key(key)) is None:
            raise WordError(b"CLIENT_ERROR error decoding key\r\n")
    except WordError as error:
        raise WordError(instead or error.args[0]) from None
    assert found is not None
    mode = next((flag[1:] for flag in flags if flag[0] == 77), b"")
    if verb in _MODES and mode not in _MODES[verb]:
        raise WordError(b"CLIENT_ERROR invalid mode for %b M token\r\n" % verb)
    check_opaque(flags)
    number = next((flag[1:] for flag in flags if flag[0] == 70), b"0")
    return Request(verb, [found, *flags], number)


_MANY = 1 << 62
_LINES: Mapping[bytes, tuple[int, int, Callable[[list[bytes]], Request]]] = {
    b"get": (2, _MANY, _get),
    b"gets": (2, _MANY, _get),
    b"bget": (2, _MANY, _get),
    b"gat": (2, _MANY, _get_and_touch),
    b"gats": (2, _MANY, _get_and_touch),
    b"set": (5, 6, _store),
    b"add": (5, 6, _store),
    b"replace": (5, 6, _store),
    b"append": (5, 6, _store),
    b"prepend": (5, 6, _store),
    b"cas": (6, 7, _store),
    b"touch": (3, 4, _touch),
    b"incr": (3, 4, _count),
    b"decr": (3, 4, _count),
    b"delete": (2, 4, _delete),
    b"flush_all": (1, 3, _flush_all),
    b"verbosity": (2, 3, _verbosity),
    b"version": (1, _MANY, _plain),
    b"quit": (1, _MANY, _plain),
    b"stats": (1, _MANY, _plain),
    b"config": (1, _MANY, _plain),
    b"shutdown": (1, _MANY, _shutdown),
    b"mn": (1, _MANY, _meta_nothing),
    b"me": (1, _MANY, _meta_debug),
    b"mg": (2, _MANY, _meta_get),
    b"ms": (2, _MANY, _meta_set),
    b"md": (2, _MANY, _meta_change),
    b"ma": (2, _MANY, _meta_change),
}
