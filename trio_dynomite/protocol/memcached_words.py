"""The words of memcached's text protocol: its refusals, and numbers and flags as memcached 1.6.18 reads them.

Numbers are read as its `safe_strtol` and their kind do: white space before, a sign, digits, and then the end
of the word or white space with anything behind it. What is too long for 32 bits is cut to them.
Source: `util.c`, `base64.c` and `_meta_flag_preparse` in `proto_text.c`.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error

ERROR = b"ERROR\r\n"
BAD_FORMAT = b"CLIENT_ERROR bad command line format\r\n"
BAD_CHUNK = b"CLIENT_ERROR bad data chunk\r\n"
BAD_EXPTIME = b"CLIENT_ERROR invalid exptime argument\r\n"
TOO_LARGE = b"SERVER_ERROR object too large for cache\r\n"

KEY_MAX = 250
_SHORT = 10
"""Fewer digits fit into 31 bits, and need no care."""
_number = re.compile(rb"[\t-\r ]*([+-]?)0*([0-9]{1,20})(?![^\t-\r ])").match
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]+")
_OPAQUE_MAX = 32
_FLAGS = frozenset(b"kstcfvhulOPLqbNTRFCMJDI")
_SIGNED = frozenset(b"NTR")
_UNSIGNED = frozenset(b"FCJD")
_BAD_NUMBER = {
    ord("F"): BAD_FORMAT,
    ord("J"): b"CLIENT_ERROR invalid numeric initial value\r\n",
    ord("D"): b"CLIENT_ERROR invalid numeric delta value\r\n",
}
_BAD_TOKEN = b"CLIENT_ERROR bad token in command line format\r\n"
TOO_LONG_OPAQUE = b"CLIENT_ERROR opaque token too long\r\n"


class WordError(Exception):
    """A word is wrong; the first argument is the line to answer."""


def unsigned64(word: bytes) -> int | None:
    """The 64-bit number in `word`; of a negative one what C makes of it, if that is no large number."""
    if len(word) < _SHORT and word.isdigit():
        return int(word)
    found = _number(word)
    if found is None or (number := int(found[2])) >= 1 << 64:
        return None
    if found[1] == b"-":
        number = -number & (1 << 64) - 1
        return number if number < 1 << 63 else None
    return number


def unsigned32(word: bytes) -> int | None:
    """The lower 32 bits of a number."""
    number = unsigned64(word)
    return None if number is None else number & (1 << 32) - 1


def signed32(word: bytes) -> int | None:
    """The lower 32 bits of a number with a sign."""
    if len(word) < _SHORT and word.isdigit():
        return int(word)
    found = _number(word)
    if found is None:
        return None
    number = -int(found[2]) if found[1] == b"-" else int(found[2])
    if not -(1 << 63) <= number < 1 << 63:
        return None
    return ((number + (1 << 31)) & (1 << 32) - 1) - (1 << 31)


def decoded_key(word: bytes) -> bytes | None:
    """The key that stands in base64; None when it is none."""
    word = _NOT_BASE64.sub(b"", word)
    try:
        return b64decode(word) or None if word and len(word) % 4 == 0 else None
    except Base64Error:
        return None


def shown_key(key: bytes, flags: list[bytes]) -> bytes:
    """`key` as the flag k tells it: the way in which it was asked for."""
    return key if b"b" not in flags else b64encode(key) + b" b"


def meta_flags(words: list[bytes]) -> list[bytes]:
    """The flags of a meta command, each once, with its number as it is to be taken. Raises WordError."""
    seen: set[int] = set()
    flags: list[bytes] = []
    mistake = b""
    for word in words:
        letter = word[0]
        if letter >= 127 or letter in seen:
            raise WordError(b"CLIENT_ERROR duplicate flag\r\n")
        if letter not in _FLAGS:
            raise WordError(b"CLIENT_ERROR invalid flag\r\n")
        seen.add(letter)
        try:
            flags.append(_checked(letter, word))
        except WordError as error:
            mistake = mistake if error.args[0] is BAD_FORMAT and mistake else error.args[0]
    if mistake:
        raise WordError(mistake)
    return flags


def _checked(letter: int, word: bytes) -> bytes:
    number: int | None
    if letter in _SIGNED:
        number = signed32(word[1:])
    elif letter == 70:  # F
        number = unsigned32(word[1:])
    elif letter in _UNSIGNED:
        number = unsigned64(word[1:])
    elif letter == 77 and len(word) != 2:  # M
        raise WordError(b"CLIENT_ERROR incorrect length for M token\r\n")
    else:
        return word if letter in b"OM" else word[:1]
    if number is None:
        raise WordError(_BAD_NUMBER.get(letter, _BAD_TOKEN))
    return b"%c%d" % (letter, number)


def check_opaque(flags: list[bytes]) -> None:
    """Raise WordError when the flag O has too much to say."""
    if any(flag[0] == 79 and len(flag) > _OPAQUE_MAX for flag in flags):
        raise WordError(TOO_LONG_OPAQUE)
