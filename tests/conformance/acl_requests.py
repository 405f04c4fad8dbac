"""Rules of access control, good and bad, and requests that they may forbid, for Hypothesis to draw from."""

import string

from hypothesis import strategies as st

from tests.conformance.oracle import OURS_ALONE
from trio_dynomite.access.rules import CATEGORIES, EVERY_ROW

NAMES = (b"alice", b"bob", b"default")

_COMMANDS = [name for name in EVERY_ROW if name not in OURS_ALONE]
_cased = st.sampled_from([str.lower, str.upper, str.capitalize])
_word = st.text("ab*?[r-]", max_size=4)


def _joined(*parts: "st.SearchStrategy[str] | str") -> st.SearchStrategy[bytes]:
    pieces = [st.just(part) if isinstance(part, str) else part for part in parts]
    return st.tuples(*pieces).map("".join).map(str.encode)


_command = st.builds(lambda name, case: case(name), st.sampled_from(_COMMANDS), _cased)
_category = st.builds(lambda name, case: case(name), st.sampled_from([*CATEGORIES, "all"]), _cased)
_database = st.sampled_from(
    ["0", "1", "5,3,3", "0,1", "", "x", "-1", "-0", "+1", "01", "1,", " 1", "1 ", "9" * 20]
)

_SELECTOR_RULES = st.one_of(
    _joined(st.sampled_from("+-"), _command),
    _joined(st.sampled_from("+-"), "@", _category),
    st.sampled_from(
        [b"+get", b"+set", b"+@read", b"-@write", b"+config|get", b"-config", b"+select|0", b"+@all"]
    ),
    _joined(
        st.sampled_from("+-"), st.sampled_from(["get", "select", "Config", "nosuch", "ping"]), "|", _word
    ),
    _joined(
        st.sampled_from(["~", "~a", "%R~", "%w~", "%RW~", "%WR~", "%r~b", "%R", "%X~", "%RR~", "%~", "%"]),
        _word,
    ),
    _joined("&", _word),
    _joined("db=", _database),
    _joined(st.text(string.ascii_lowercase + "+-~&%@# ", max_size=5)),
    st.sampled_from(
        [
            *(b"allkeys", b"ALLKEYS", b"resetkeys", b"allchannels", b"resetchannels", b"allcommands"),
            *(b"nocommands", b"alldbs", b"resetdbs", b"~*", b"&*", b"+@all", b"-@all"),
        ]
    ),
)
_HASH = "2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90"  # of "a"
_USER_RULES = st.one_of(
    st.sampled_from(
        [b"on", b"OFF", b"nopass", b"resetpass", b"reset", b"clearselectors", b"sanitize-payload", b""]
    ),
    st.sampled_from(
        [b">a", b">b", b"<a", b"<nosuch", b"#short", b"!short", b">", b")", b"(", b"(on)", b"()"]
    ),
    st.sampled_from([f"#{_HASH}".encode(), f"!{_HASH}".encode(), f"#{_HASH.upper()}".encode()]),
)
_SELECTOR = st.lists(_SELECTOR_RULES, max_size=3).map(lambda rules: b"(%b)" % b" ".join(rules))
_SPLIT = st.lists(_SELECTOR_RULES, min_size=1, max_size=3).map(
    lambda rules: [b"(" + rules[0], *rules[1:], b"~x)"]
)

RULES = st.one_of(
    st.lists(st.one_of(_SELECTOR_RULES, _SELECTOR_RULES, _USER_RULES, _SELECTOR), max_size=5),
    st.tuples(st.lists(_SELECTOR_RULES, max_size=2), _SPLIT).map(lambda parts: parts[0] + parts[1]),
)
"""The rules of one ACL SETUSER."""

GOOD_RULES = st.lists(
    st.sampled_from(
        [
            *(
                b"+get",
                b"+set",
                b"-set",
                b"+@read",
                b"+@write",
                b"-@dangerous",
                b"+@all",
                b"+config|get",
                b"-config",
            ),
            *(
                b"+select|0",
                b"+@keyspace",
                b"+@pubsub",
                b"+mset",
                b"+del",
                b"+copy",
                b"+@connection",
                b"-@fast",
            ),
            *(b"resetkeys", b"resetchannels", b"resetdbs", b"alldbs", b"db=0", b"db=1"),
            *(b"%R~a*", b"%W~b*", b"%RW~c", b"~ab*", b"%R~*", b"&a*", b"&b?"),
            *(
                b"(+get ~b)",
                b"(+@all ~a db=1)",
                b"(+@write %W~a* &b)",
                b"(+set %R~a %W~a resetdbs)",
                b"(+@all ~* &*)",
            ),
        ]
    ),
    max_size=8,
)
"""Rules that mostly fit together."""

_key = st.sampled_from([b"a", b"ab", b"b", b"bc", b"c", b"ac"])
_channel = st.sampled_from([b"a", b"ab", b"bc", b"c", b"a*"])


def _request(line: str) -> st.SearchStrategy[tuple[bytes, ...]]:
    """A request, with a key for each K, and a channel for each C."""
    parts = {"K": _key, "C": _channel}
    return st.tuples(*[parts.get(word, st.just(word.encode())) for word in line.split()])


REQUESTS = st.one_of(
    [
        _request(line)
        for line in (
            *(
                "GET K",
                "get K",
                "SET K 1",
                "SET K 1 GET",
                "SET K 1 NX get",
                "MSET K 1 K 2",
                "MGET K K",
                "DEL K K",
            ),
            *(
                "COPY K K",
                "COPY K K DB 0",
                "COPY K K DB 1 REPLACE",
                "RENAME K K",
                "OBJECT ENCODING K",
                "TYPE K",
            ),
            *("STRLEN K", "EXISTS K K", "EXPIRE K 1", "LCS K K", "APPEND K x", "GETDEL K", "GETEX K PERSIST"),
            *(
                "RESTORE K 0 x",
                "DUMP K",
                "TTL K",
                "OBJECT HELP",
                "OBJECT NOSUCH K",
                "GETRANGE K 0 1",
                "GETSET K 1",
            ),
            *(
                "KEYS x",
                "SCAN 0",
                "DBSIZE",
                "RANDOMKEY",
                "FLUSHALL",
                "FLUSHDB",
                "PING",
                "ECHO x",
                "TIME",
                "INFO",
            ),
            *(
                "SELECT 0",
                "SELECT 1",
                "SELECT x",
                "CONFIG GET x",
                "CONFIG SET x y",
                "CLIENT ID",
                "CLIENT KILL x",
            ),
            *(
                "COMMAND",
                "COMMAND COUNT",
                "ACL LIST",
                "ACL WHOAMI",
                "AUTH x",
                "HELLO 3",
                "RESET",
                "QUIT",
                "ROLE",
            ),
            *(
                "PUBLISH C x",
                "SPUBLISH C x",
                "SUBSCRIBE C C",
                "PSUBSCRIBE C C",
                "SSUBSCRIBE C",
                "UNSUBSCRIBE C",
            ),
            *("GET", "GET K K", "NOSUCH K", "CONFIG NOSUCH", "CONFIG", "CLUSTER SLOTS", "LOLWUT", "WAIT 0 0"),
            *(
                "HSET K f v",
                "HGETALL K",
                "HDEL K f",
                "LPUSH K x",
                "LRANGE K 0 1",
                "RPOPLPUSH K K",
                "LMOVE K K LEFT LEFT",
            ),
            *(
                "BLPOP K K 0",
                "LMPOP 2 K K LEFT",
                "SADD K x",
                "SUNIONSTORE K K K",
                "SMOVE K K x",
                "SINTERCARD 2 K K",
            ),
            *(
                "ZADD K 1 x",
                "ZUNIONSTORE K 2 K K",
                "ZRANGESTORE K K 0 1",
                "ZMPOP 1 K MIN",
                "SORT K",
                "SORT K STORE K",
            ),
            *(
                "SORT K BY x_* GET #",
                "XADD K * f v",
                "XREAD COUNT 1 STREAMS K K 0 0",
                "XREADGROUP GROUP g c STREAMS K 0",
            ),
            *(
                "BITFIELD K GET u8 0",
                "BITFIELD K SET u8 0 1",
                "BITOP AND K K K",
                "PFMERGE K K",
                "PFCOUNT K K",
            ),
            *(
                "GEORADIUS K 1 1 1 m",
                "GEORADIUS K 1 1 1 m STORE K",
                "GEOSEARCHSTORE K K FROMMEMBER x BYRADIUS 1 m",
            ),
            *("EVAL x 1 K", "EVAL x 0", "EVAL_RO x 2 K K", "WATCH K K", "MULTI", "EXEC"),
        )
    ]
)
"""Requests of every kind of key specification, some of which there are not."""
