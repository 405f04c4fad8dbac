"""The texts with which several commands refuse: Redis's own words, because clients look for them."""

SYNTAX = "ERR syntax error"
NOT_AN_INTEGER = "ERR value is not an integer or out of range"
OUT_OF_RANGE = "ERR value is out of range"
MUST_BE_POSITIVE = "ERR value is out of range, must be positive"
NOT_A_FLOAT = "ERR value is not a valid float"
NAN_OR_INFINITY = "ERR increment would produce NaN or Infinity"
DECREMENT_OVERFLOW = "ERR decrement would overflow"
OFFSET_OUT_OF_RANGE = "ERR offset is out of range"
NO_SUCH_KEY = "ERR no such key"
SAME_OBJECT = "ERR source and destination objects are the same"
DB_OUT_OF_RANGE = "ERR DB index is out of range"
TOO_LONG = "ERR string exceeds maximum allowed size (proto-max-bulk-len)"

PROTO_MAX_BULK_LEN = 512 * 1024 * 1024
"""Bytes in the longest string a command may make: Redis's default `proto-max-bulk-len`."""


def wrong_arity(name: str) -> str:
    """The refusal of a wrong number of arguments to `name`, which is written as in the table."""
    return f"ERR wrong number of arguments for '{name}' command"


def invalid_expire(name: str) -> str:
    """The refusal of an expire time that is not positive, or too far away to count in milliseconds."""
    return f"ERR invalid expire time in '{name}' command"


def quoted(argument: bytes, size_max: int = 128) -> str:
    """A client's argument inside an error text, cut short, and at a zero byte as C would."""
    return argument[:size_max].partition(b"\0")[0].decode("utf-8", "replace")
