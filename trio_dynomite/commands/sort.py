"""SORT and SORT_RO (https://valkey.io/commands/sort/): the elements of a list, set or sorted set in order.

They are ordered by the numbers that they spell, or that other keys hold for them (BY), and by their bytes
where those are equal. ALPHA orders by bytes, whatever the locale. BY a pattern without a star leaves them as
they stand. In Valkey's cluster mode BY and GET are restricted; here they may name any keys.
"""

from collections.abc import Callable

from trio_dynomite.commands.row import Keyspace
from trio_dynomite.commands.scores import score_argument
from trio_dynomite.commands.sort_options import SortOptions, patterns, sort_options
from trio_dynomite.protocol.replies import NULL, array, bulk, integer

_NO_NUMBER = "ERR One or more scores can't be converted into double"


def sort(ks: Keyspace, args: list[bytes]) -> bytes:
    """SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA] [STORE key]."""
    options = sort_options(args, may_store=True)
    values = _values(ks, args[1], options)
    if options.store is None:
        return _answer(ks, values)
    _store(ks, options.store, [value or b"" for value in values])
    return integer(len(values))


def sort_ro(ks: Keyspace, args: list[bytes]) -> bytes:
    """SORT_RO key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA]."""
    return _answer(ks, _values(ks, args[1], sort_options(args, may_store=False)))


def _answer(ks: Keyspace, values: list[bytes | None]) -> bytes:
    null = NULL[ks.resp]
    return array([null if value is None else bulk(value) for value in values])


def _store(ks: Keyspace, key: bytes, values: list[bytes]) -> None:
    """`key` becomes this list, whatever it was; without values it is deleted."""
    existed = ks.delete(key)
    if values:
        ks.list_at(key).push(values, left=False)
    if ks.wants_events and (values or existed):
        ks.event("sortstore" if values else "del", key)


def _values(ks: Keyspace, key: bytes, options: SortOptions) -> list[bytes | None]:
    """What to answer: the elements that LIMIT chooses, or what GET's patterns lead to from each."""
    elements = _chosen(ks, key, options)
    if not options.gets:
        return list(elements)
    finders = [_finder(ks, pattern) for pattern in options.gets]
    return [find(element) for element in elements for find in finders]


def _chosen(ks: Keyspace, key: bytes, options: SortOptions) -> list[bytes]:
    kind = ks.kind(key)
    if options.keeps_order and kind != "set":
        return _slice(ks, key, kind, options)
    elements = _elements(ks, key, kind)
    if not options.keeps_order:
        elements = _ordered(ks, elements, options)
    elif options.store is not None or not ks.may_block:
        # What is stored, or handed to a script, shall not depend on how a node happens to keep a set.
        elements.sort(reverse=options.descending)
    first, end = options.bounds(len(elements))
    return elements[first:end]


def _slice(ks: Keyspace, key: bytes, kind: str | None, options: SortOptions) -> list[bytes]:
    """What LIMIT chooses of a list or sorted set as it stands, or (DESC) backwards; nothing else is read."""
    size = len(ks.sorted_set_at(key) if kind == "zset" else ks.list_at(key))
    first, end = options.bounds(size)
    if options.descending:
        first, end = size - end, size - first
    if kind == "zset":
        found = [member for member, _ in ks.sorted_set_at(key).slice(first, end)]
    else:
        found = ks.list_at(key).slice(first, end)
    return found[::-1] if options.descending else found


def _elements(ks: Keyspace, key: bytes, kind: str | None) -> list[bytes]:
    if kind == "set":
        return list(ks.set_at(key))
    if kind == "zset":
        members = ks.sorted_set_at(key)
        return [member for member, _ in members.slice(0, len(members))]
    return list(ks.list_at(key))


def _ordered(ks: Keyspace, elements: list[bytes], options: SortOptions) -> list[bytes]:
    backwards = options.descending
    if options.by is None and options.alpha:
        return sorted(elements, reverse=backwards)
    if options.by is None:
        numbers = [_number(element) for element in elements]
        return _by_number(numbers, elements, backwards)
    find = _finder(ks, options.by)
    weights = [find(element) for element in elements]
    if options.alpha:
        # An element without a weight comes first, before one whose weight is empty.
        order = [(weight is not None, weight or b"") for weight in weights]
        places = sorted(range(len(order)), key=order.__getitem__, reverse=backwards)
        return [elements[place] for place in places]
    return _by_number([0.0 if weight is None else _number(weight) for weight in weights], elements, backwards)


def _by_number(numbers: list[float], elements: list[bytes], backwards: bool) -> list[bytes]:
    return [element for _, element in sorted(zip(numbers, elements, strict=True), reverse=backwards)]


def _number(text: bytes) -> float:
    # Redis reads a C string here, which a zero byte ends.
    return score_argument(text.partition(b"\0")[0], _NO_NUMBER)


def weight_keys(ks: Keyspace, args: list[bytes]) -> list[bytes]:
    """For `Row.leads_to`: the keys to which BY and GET lead from the elements."""
    found = patterns(args)
    if not found or (kind := ks.kind(args[1])) not in ("list", "set", "zset"):
        return []
    elements, parts = _elements(ks, args[1], kind), [_parts(pattern) for _, pattern in found]
    return [before + element + after for before, after, _ in parts for element in elements]


def _parts(pattern: bytes) -> tuple[bytes, bytes, bytes]:
    """Of a pattern with a star: what is before and behind an element in the key, and the field or nothing."""
    before, _, after = pattern.partition(b"*")
    name, _, field = after.partition(b"->")
    return (before, name, field) if field else (before, after, b"")


def _finder(ks: Keyspace, pattern: bytes) -> Callable[[bytes], bytes | None]:
    """A function from an element to what `pattern` leads to: `#` to itself, `a*b` to the string at the key
    with the element in the star's place, `a*b->field` to that field of the hash there, no star nowhere."""
    if pattern == b"#":
        return lambda element: element
    if b"*" not in pattern:
        return lambda element: None
    before, after, field = _parts(pattern)
    if field:
        return lambda element: _field_at(ks, before + element + after, field)
    return lambda element: _string_at(ks, before + element + after)


def _string_at(ks: Keyspace, key: bytes) -> bytes | None:
    return ks.get(key) if ks.kind(key) == "string" else None


def _field_at(ks: Keyspace, key: bytes, field: bytes) -> bytes | None:
    return ks.hash_at(key).get(field) if ks.kind(key) == "hash" else None
