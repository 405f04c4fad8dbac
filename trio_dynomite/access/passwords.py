"""Passwords as they are kept: their SHA-256, in hexadecimal; the password itself is kept nowhere.

Source: https://valkey.io/topics/acl and `acl.c`.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable

HASH_MARK = b"sha256:"
"""Before a hash where a password could stand as well."""
_HASH = re.compile(rb"[0-9a-f]{64}")


def hashed(password: bytes) -> bytes:
    """What is kept of `password`."""
    return hashlib.sha256(password).hexdigest().encode()


def is_hash(text: bytes) -> bool:
    """May `text` be what `hashed` gives?"""
    return _HASH.fullmatch(text) is not None


def hash_of(given: bytes) -> bytes:
    """What is kept of a setting: a password, or `sha256:` and its hash. Raises ValueError without either."""
    if not given.startswith(HASH_MARK):
        return hashed(given)
    found = given.removeprefix(HASH_MARK)
    if not is_hash(found):
        raise ValueError("must have 64 hexadecimal digits in lower case after sha256:")
    return found


def is_among(password: bytes, hashes: Iterable[bytes]) -> bool:
    """Is `password` one of those? How long this takes tells nothing about how nearly it is."""
    given = hashed(password)
    return any([hmac.compare_digest(given, known) for known in hashes])
