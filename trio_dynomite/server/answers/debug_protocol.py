"""DEBUG PROTOCOL: an example of every type of both protocols, byte for byte Valkey's."""

from __future__ import annotations

from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import FALSE, NULL, TRUE, array, bulk, integer, mapping, set_of, verbatim

_NAMES = "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false"
_NUMBERS = [integer(number) for number in range(3)]
_BIG = b"1234567999999999999999999999999999999"
_ATTRIBUTED = bulk(b"Some real reply following the attribute")
_ATTRIBUTE = b"|1\r\n" + bulk(b"key-popularity") + array([bulk(b"key:123"), integer(90)])
_PUSHED = (
    bulk(b"Some real reply following the push reply") + b">2\r\n" + bulk(b"server-cpu-usage") + integer(42)
)


def example(kind: bytes, resp: int) -> bytes:
    """The reply of type `kind`. Raises CommandError when there is none."""
    match kind:
        case b"string":
            return bulk(b"Hello World")
        case b"integer":
            return integer(12345)
        case b"double":
            return b",3.141\r\n" if resp == 3 else bulk(b"3.141")
        case b"bignum":
            return b"(%b\r\n" % _BIG if resp == 3 else bulk(_BIG)
        case b"null":
            return NULL[resp]
        case b"array":
            return array(_NUMBERS)
        case b"set":
            return set_of(_NUMBERS, resp)
        case b"map":
            return mapping(
                [(number, (FALSE, TRUE)[at == 1][resp]) for at, number in enumerate(_NUMBERS)], resp
            )
        case b"attrib":
            return _ATTRIBUTE + _ATTRIBUTED if resp == 3 else _ATTRIBUTED
        case b"push":
            if resp < 3:
                raise CommandError("ERR RESP2 is not supported by this command")
            return _PUSHED
        case b"verbatim":
            return verbatim(b"This is a verbatim\nstring", resp)
        case b"true":
            return TRUE[resp]
        case b"false":
            return FALSE[resp]
    raise CommandError(f"ERR Wrong protocol type name. Please use one of the following: {_NAMES}")
