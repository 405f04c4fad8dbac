"""Requests of the stream commands, good and bad, on few keys, groups, consumers and ids, so that they meet.

Ids are small, or lie in the far future, so that the time of day chooses none of them. `MINID ~` is missing,
and `~` altogether in storms: after XDEL Valkey's choice depends on what was deleted in a node of its tree.
"""

import re
from random import Random

from hypothesis import strategies as st

from tests.conformance.conversations import KEYS, request, some, words

FAR = b"9999999999999-1"
"""After this id `*` gives the next one, whatever time it is."""
PLAIN_IDS = [b"%d-%d" % (upper, lower) for upper in range(1, 4) for lower in range(3)] + [b"2", b"4", b"5-0"]
ODD_IDS = [b"0", b"0-0", b"0-1", b"x", b"", b"-", b"+", b"1-", b"-1", b"1-1-1", b"(1-1", b"1-*", b"*", b"+7"]
ODD_IDS += [
    b" 3-+1",
    b"3--01",
    b"3--1",
    b"18446744073709551615-18446744073709551615",
    b"18446744073709551615",
]
ODD_IDS += [b"18446744073709551616-1", b"1-18446744073709551615", b"00002-1", b"$", b">", b"1" * 128, FAR]
IDS = st.sampled_from(PLAIN_IDS * 2 + ODD_IDS)
GOOD_IDS = st.sampled_from(PLAIN_IDS)
NEW_IDS = st.one_of(
    st.sampled_from([b"%d-%d" % (upper, lower) for upper in range(1, 9) for lower in range(9)]),
    st.sampled_from([b"1-*", b"2-*", b"3-*", b"0-*", b"7-*", FAR]),
    IDS.filter(lambda text: text != b"*"),
)
BOUNDS = st.one_of(
    st.sampled_from([b"-", b"+", b"(1-1", b"(2", b"(3-0", b"(-", b"(", b"(0-0", b"(0", b"2-1", b"1"]),
    st.just(b"(18446744073709551615-18446744073709551615"),
    IDS,
)
GROUPS = st.sampled_from([b"g", b"g", b"h"])
CONSUMERS = st.sampled_from([b"c", b"c", b"d", b"e\0f"])
NUMBERS = st.sampled_from([b"0", b"1", b"2", b"3", b"10"])
ODD_NUMBERS = st.one_of(NUMBERS, st.sampled_from([b"-1", b"x", b"", b"01", b"9223372036854775808"]))
FIELDS = some(st.sampled_from([b"f", b"v", b"", b"12", b"\r\n\0"]), 2, 2)
MORE_FIELDS = some(st.sampled_from([b"f", b"v", b"w", b"*"]), 0, 5)
IDLE = st.sampled_from([b"0", b"0", b"0", b"10000000", b"-1", b"x"])
"""Ten thousand seconds: never over while a test runs, unless XCLAIM told an IDLE of more."""

TRIMMINGS = st.one_of(
    st.tuples(st.sampled_from([b"MAXLEN", b"maxlen"]), ODD_NUMBERS).map(list),
    st.tuples(st.just(b"MAXLEN"), st.sampled_from([b"=", b"~"]), NUMBERS).map(list),
    st.tuples(st.just(b"MINID"), IDS).map(list),
    st.tuples(st.just(b"minid"), st.just(b"="), GOOD_IDS).map(list),
    st.tuples(st.just(b"MAXLEN"), st.just(b"~"), NUMBERS, st.just(b"LIMIT"), ODD_NUMBERS).map(list),
    st.sampled_from([[b"LIMIT", b"0"], [b"LIMIT", b"5"], [b"MAXLEN"], [b"MINID", b"~"], [b"LIMIT", b"-5"]]),
)
ADD_OPTIONS = some(st.one_of(TRIMMINGS, TRIMMINGS, st.sampled_from([[b"NOMKSTREAM"], [b"foo"]])), 0, 2).map(
    lambda chosen: [argument for option in chosen for argument in option]
)
COUNT = st.one_of(st.just([]), st.tuples(st.sampled_from([b"COUNT", b"count"]), ODD_NUMBERS).map(list))
READ_OPTIONS = some(
    st.one_of(
        st.tuples(st.just(b"COUNT"), ODD_NUMBERS).map(list),
        st.sampled_from([[b"BLOCK", b"1"], [b"block", b"x"], [b"BLOCK", b"-1"], [b"foo"], [b"BLOCK"]]),
        st.just([b"BLOCK", b"9223372036854775807"]),
    ),
    0,
    2,
).map(lambda chosen: [argument for option in chosen for argument in option])


def _streams(ids: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[bytes]]:
    """STREAMS with one key and its id, with two, or with a wrong number of them."""
    pairs = some(st.tuples(KEYS, ids), 1, 2).map(
        lambda chosen: [b"STREAMS", *[key for key, _ in chosen], *[text for _, text in chosen]]
    )
    return st.one_of(pairs, pairs, pairs, st.tuples(st.just(b"streams"), KEYS, KEYS, ids).map(list))


READ_IDS = st.one_of(st.sampled_from([b"$", b"+", b"0", b"0-0", b"1", b"2-1"]), IDS)
GROUP_READ_IDS = st.one_of(st.sampled_from([b">", b">", b">", b">", b"0", b"1", b"2-1"]), IDS)
CLAIM_OPTIONS = some(
    st.one_of(
        st.sampled_from([[b"JUSTID"], [b"FORCE"], [b"force"], [b"foo"], [b"IDLE"], [b"IDLE", b"x"]]),
        st.sampled_from([[b"IDLE", b"20000000"], [b"IDLE", b"5000"], [b"IDLE", b"-5"], [b"TIME", b"x"]]),
        st.sampled_from([[b"TIME", b"1"], [b"TIME", b"-1"], [b"TIME", b"9223372036854775807"]]),
        st.tuples(st.just(b"RETRYCOUNT"), ODD_NUMBERS).map(list),
        st.tuples(st.just(b"LASTID"), IDS).map(list),
    ),
    0,
    3,
).map(lambda chosen: [argument for option in chosen for argument in option])
CREATE_OPTIONS = some(
    st.sampled_from(
        [[b"MKSTREAM"], [b"ENTRIESREAD", b"2"], [b"entriesread", b"-1"], [b"ENTRIESREAD", b"-2"]]
    ),
    0,
    2,
).map(lambda chosen: [argument for option in chosen for argument in option])

ADD = request(b"XADD", KEYS, NEW_IDS, FIELDS)
READ_NEW = request(
    b"XREADGROUP",
    st.just(b"GROUP"),
    GROUPS,
    CONSUMERS,
    words(b"NOACK", most=1),
    COUNT.filter(lambda option: option == [] or option[1].isdigit()),
    st.just(b"STREAMS"),
    KEYS,
    st.just(b">"),
)
CREATE = request(
    b"XGROUP", st.just(b"CREATE"), KEYS, GROUPS, st.sampled_from([b"0", b"$", b"2"]), st.just(b"MKSTREAM")
)

STREAMS = [
    request(b"XADD", KEYS, ADD_OPTIONS, NEW_IDS, FIELDS),
    request(b"XADD", KEYS, ADD_OPTIONS, NEW_IDS, MORE_FIELDS),
    request(b"XADD", KEYS, ADD_OPTIONS),
    *[request(name, KEYS) for name in (b"XLEN", b"xlen")],
    *[request(name, KEYS, BOUNDS, BOUNDS, COUNT) for name in (b"XRANGE", b"XREVRANGE")],
    request(b"XRANGE", KEYS, BOUNDS, BOUNDS, words(b"COUNT", b"1", b"foo", most=4)),
    request(b"XDEL", KEYS, some(GOOD_IDS, 1, 3)),
    request(b"XDEL", KEYS, some(IDS, 0, 3)),
    request(b"XTRIM", KEYS, TRIMMINGS),
    request(b"XTRIM", KEYS, ADD_OPTIONS),
    request(
        b"XSETID",
        KEYS,
        IDS,
        some(
            st.one_of(
                st.tuples(st.just(b"ENTRIESADDED"), st.sampled_from([b"0", b"7", b"1050", b"-1", b"x"])),
                st.tuples(st.just(b"maxdeletedid"), IDS),
                st.just((b"foo",)),
            ),
            0,
            2,
        ).map(lambda chosen: [argument for option in chosen for argument in option]),
    ),
    request(b"XREAD", READ_OPTIONS, _streams(READ_IDS)),
    request(b"XREAD", words(b"NOACK", b"GROUP", b"g", most=2), _streams(READ_IDS)),
    request(b"XREADGROUP", st.just(b"GROUP"), GROUPS, CONSUMERS, READ_OPTIONS, _streams(GROUP_READ_IDS)),
    request(b"XREADGROUP", READ_OPTIONS, words(b"NOACK", b"GROUP", b"g", b"c", most=4), _streams(READ_IDS)),
    READ_NEW,
    request(b"XACK", KEYS, GROUPS, some(GOOD_IDS, 1, 4)),
    request(b"XACK", KEYS, GROUPS, some(IDS, 0, 2)),
    request(b"XPENDING", KEYS, GROUPS),
    request(b"XPENDING", KEYS, GROUPS, words(b"IDLE", most=1), some(IDLE, 0, 1), BOUNDS, BOUNDS, ODD_NUMBERS),
    request(b"XPENDING", KEYS, GROUPS, BOUNDS, BOUNDS, NUMBERS, CONSUMERS),
    request(
        b"XPENDING",
        KEYS,
        GROUPS,
        st.just([b"IDLE", b"10000000"]),
        st.just([b"-", b"+", b"9"]),
        some(CONSUMERS),
    ),
    request(b"XCLAIM", KEYS, GROUPS, CONSUMERS, IDLE, some(GOOD_IDS, 1, 4), CLAIM_OPTIONS),
    request(b"XCLAIM", KEYS, GROUPS, CONSUMERS, IDLE, some(IDS, 0, 3), CLAIM_OPTIONS),
    request(b"XAUTOCLAIM", KEYS, GROUPS, CONSUMERS, IDLE, BOUNDS, COUNT, words(b"JUSTID", b"foo", most=1)),
    request(b"XAUTOCLAIM", KEYS, GROUPS, CONSUMERS, IDLE, st.just([b"0", b"COUNT"]), NUMBERS),
    CREATE,
    request(b"XGROUP", st.just(b"CREATE"), KEYS, GROUPS, IDS, CREATE_OPTIONS),
    request(b"XGROUP", st.just(b"setid"), KEYS, GROUPS, st.sampled_from([b"0", b"1-1", b"2", b"$", b"-"])),
    request(b"XGROUP", st.just(b"SETID"), KEYS, GROUPS, IDS, CREATE_OPTIONS),
    request(b"XGROUP", st.sampled_from([b"DESTROY", b"destroy"]), KEYS, GROUPS),
    *[
        request(b"XGROUP", st.just(name), KEYS, GROUPS, CONSUMERS)
        for name in (b"CREATECONSUMER", b"DELCONSUMER", b"delconsumer")
    ],
    request(b"XGROUP", words(b"HELP", b"CREATE", b"nope", b"DESTROY", most=3)),
    request(b"XINFO", words(b"HELP", b"STREAM", b"nope", b"GROUPS", most=2)),
    request(b"XINFO", st.sampled_from([b"GROUPS", b"STREAM", b"groups"]), KEYS),
    request(b"XINFO", st.just(b"CONSUMERS"), KEYS, GROUPS),
    request(b"XINFO", st.just(b"STREAM"), KEYS, st.sampled_from([b"FULL", b"foo"]), COUNT),
    *[request(name, KEYS) for name in (b"DEL", b"TYPE", b"PLANT")],
]
"""One strategy for each form of each command; a conversation begins best with `ADD`, `CREATE`, `READ_NEW`."""

PREPARED = [
    tuple(line.encode().split())
    for line in (
        "XGROUP CREATE a g 0 MKSTREAM",
        *(f"XADD a {entry_id} field value{entry_id}" for entry_id in ("1-0", "1-1", "2-0", "2-1", "3-0")),
        "XREADGROUP GROUP g c COUNT 2 STREAMS a >",
        "XREADGROUP GROUP g d COUNT 2 STREAMS a >",
        "XGROUP CREATE a h 2",
        "XADD b 2-2 f v",
        "XGROUP CREATE b g 0",
        "XREADGROUP GROUP g c STREAMS b >",
    )
]
"""A beginning after which most requests find something."""

_FORMS = """
XADD key next f v | XADD key next f v | XADD key next f v g w | XADD key now-* f v | XADD key id-* f v
XADD key NOMKSTREAM next f v | XADD key MAXLEN few next f v | XADD key MAXLEN = few next f v
XADD key MINID id next f v | XADD key MINID = id next f v | XADD key id f v
XADD key next f v | XADD key next f v | XADD key next f v
XREADGROUP GROUP group who STREAMS key > | XREADGROUP GROUP group who COUNT few STREAMS key >
XREADGROUP GROUP group who COUNT few NOACK STREAMS key > | XREADGROUP GROUP group who STREAMS key 0
XREADGROUP GROUP group who STREAMS key id | XREADGROUP GROUP group who COUNT few STREAMS key key > >
XREADGROUP GROUP group who BLOCK 1 STREAMS key key > > | XREADGROUP GROUP group who STREAMS key key > 0
XREADGROUP GROUP group who BLOCK 1 COUNT few STREAMS key > | XREADGROUP GROUP group who STREAMS key $
XREADGROUP GROUP group who STREAMS key + | XREADGROUP GROUP group who STREAMS key x
XREAD STREAMS key id | XREAD COUNT few STREAMS key key id 0 | XREAD STREAMS key + | XREAD STREAMS key $
XREAD COUNT 0 STREAMS key 0
XREAD BLOCK 1 STREAMS key key $ id | XREAD STREAMS key key + > | XREAD BLOCK 1 COUNT few STREAMS key +
XACK key group id | XACK key group id id id | XDEL key id | XDEL key id id id | XDEL key id id id id id id
XTRIM key MAXLEN few | XTRIM key MINID id | XTRIM key MAXLEN = few
XTRIM key LIMIT 0 | XSETID key now | XSETID key id | XSETID key now-9 ENTRIESADDED 20
XSETID key now ENTRIESADDED few | XSETID key now ENTRIESADDED 1050 MAXDELETEDID id
XSETID key id ENTRIESADDED few MAXDELETEDID id
XCLAIM key group who idle id | XCLAIM key group who idle id id id id | XCLAIM key group who idle id id FORCE
XCLAIM key group who idle id id id IDLE 20000000 | XCLAIM key group who idle id id JUSTID
XCLAIM key group who 0 id id FORCE JUSTID | XCLAIM key group who idle id id TIME 5 RETRYCOUNT few
XCLAIM key group who 0 id LASTID id | XCLAIM key group who 0 LASTID id
XAUTOCLAIM key group who idle 0 | XAUTOCLAIM key group who idle id COUNT few
XAUTOCLAIM key group who idle (id COUNT 1 | XAUTOCLAIM key group who idle 0 COUNT few JUSTID
XPENDING key group | XPENDING key group - + 9 | XPENDING key group id + few who
XPENDING key group IDLE idle - (id 9 who | XPENDING key group IDLE 5000 - + 9 | XPENDING key group (id id 9
XGROUP CREATE key group 0 | XGROUP CREATE key group $ MKSTREAM | XGROUP SETID key group 0
XGROUP CREATE key group id MKSTREAM ENTRIESREAD few | XGROUP SETID key group id ENTRIESREAD few
XGROUP SETID key group id | XGROUP SETID key group $ | XGROUP CREATE key group 0 MKSTREAM
XGROUP DESTROY key group | XGROUP CREATECONSUMER key group who | XGROUP DELCONSUMER key group who
XINFO STREAM key | XINFO GROUPS key | XINFO CONSUMERS key group | XINFO STREAM key FULL
XINFO STREAM key FULL COUNT few | XINFO STREAM key FULL COUNT | XLEN key | DEL key
XRANGE key - + | XRANGE key id (id | XREVRANGE key + id COUNT few | XREVRANGE key (id - COUNT 2
XRANGE key id id COUNT 0
"""
FORMS = [form.split() for line in _FORMS.strip().splitlines() for form in line.split(" | ")]
_WORDS = {
    "key": ["a", "a", "b"],
    "group": ["g", "g", "h"],
    "who": ["c", "d", "e"],
    "few": ["0", "1", "2", "3", "4", "6"],
    "idle": ["0", "0", "10000000"],
}


def storm(rng: Random, length: int) -> list[tuple[bytes, ...]]:
    """Requests of all forms, good for the most part, with ids near those that are new."""
    now, requests = 1, []
    for _ in range(length):
        form = rng.choice(FORMS)
        now += "next" in form
        requests.append(tuple(_filled(rng, word, now).encode() for word in form))
    return requests


def _filled(rng: Random, word: str, now: int) -> str:
    if word in _WORDS:
        return rng.choice(_WORDS[word])
    near = f"{max(now - rng.randrange(7), 1)}"
    word = re.sub(r"^(\(?)id$", rf"\g<1>{near}" + rng.choice(["", "", "-1"]), word)
    return re.sub("^(?:next|now)", f"{now}", re.sub("^id-", f"{near}-", word))
