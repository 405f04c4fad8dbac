"""Tables become settings, with every mistake at its place.

cattrs walks the classes and collects the mistakes; the readers in `kinds` decide about single values. Each
section and each node is taken by itself, so that a mistake in one does not hide those in another.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.errors import (
    AttributeValidationNote,
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn

from trio_dynomite.config import kinds, servers
from trio_dynomite.config.sources import Place, Problem
from trio_dynomite.model import Level

T = TypeVar("T")


def structure(table: object, into: type[T], place: Place, problems: list[Problem]) -> T | None:
    """`table` as an `into`; None when it has mistakes, which are added to `problems`."""
    try:
        return CONVERTER.structure(table, into)
    except Exception as error:  # cattrs raises whatever the readers raised when it is not a group
        problems.extend(mistakes(error, place))
        return None


def mistakes(error: BaseException, place: Place) -> Iterator[Problem]:
    """Every single mistake in what cattrs raised, with its place."""
    if isinstance(error, IterableValidationError | ClassValidationError):
        located, elsewhere = error.group_exceptions()
        for inner, note in located:
            yield from mistakes(inner, (*place, _step(note)))
        for inner in elsewhere:
            yield from mistakes(inner, place)
    elif isinstance(error, ForbiddenExtraKeysError):
        for key in sorted(error.extra_fields):
            yield (*place, key), unknown(key, [each.name for each in attrs.fields(error.cl)])
    elif isinstance(error, KeyError):
        yield place, "is missing and has no default"
    else:
        yield place, str(error)


def unknown(key: str, known: list[str]) -> str:
    """What to say about a key that nobody knows."""
    return "unknown setting" + (kinds.did_you_mean(key, known) or f"; known here: {', '.join(known)}")


def _step(note: IterableValidationNote | AttributeValidationNote) -> str | int:
    step = note.index if isinstance(note, IterableValidationNote) else note.name
    return step if isinstance(step, int) else str(step)


def _class_hook(into: type, converter: Converter) -> Callable[[Any, Any], Any]:
    inner: Callable[[Any, Any], Any] = make_dict_structure_fn(into, converter, _cattrs_forbid_extra_keys=True)

    def structure_table(value: Any, _: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError(f"must be a table, not {type(value).__name__}")
        return inner(value, into)

    return structure_table


def _tuple_hook(into: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    items: Any = list[get_args(into)[0]]  # type: ignore[misc]

    def structure_list(value: Any, _: Any) -> Any:
        if isinstance(value, kinds.Text):
            value = value.parts()
        if not isinstance(value, list):
            raise ValueError(f"must be a list, not {value!r}")
        return tuple(converter.structure(value, items))

    return structure_list


def _is_tuple(into: Any) -> bool:
    return get_origin(into) is tuple


def _make_converter() -> Converter:
    converter = Converter(forbid_extra_keys=True, detailed_validation=True)
    converter.register_structure_hook_factory(attrs.has, _class_hook)
    converter.register_structure_hook_factory(_is_tuple, _tuple_hook)
    for kind, read in (*kinds.READERS, *servers.READERS):
        converter.register_structure_hook_func(_same(kind), _hook(read))
    converter.register_structure_hook(Level, _hook(kinds.level))
    return converter


def _same(kind: object) -> Callable[[Any], bool]:
    return lambda into: bool(into == kind)


def _hook(read: Callable[[object], object]) -> Callable[[Any, Any], Any]:
    return lambda value, _: read(value)


CONVERTER = _make_converter()
