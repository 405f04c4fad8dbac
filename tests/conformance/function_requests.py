"""Random requests about scripts and functions for the oracle: few of either, so that they meet."""

from hashlib import sha1

from hypothesis import strategies as st

from tests.conformance.conversations import request, some

SOURCES = [
    b"return 1",
    b"return {KEYS[1], ARGV[1]}",
    b"return redis.call('set', KEYS[1], ARGV[1])",
    b"return redis.call('get', KEYS[1])",
    b"#!lua flags=no-writes\nreturn redis.call('incr', KEYS[1])",
    b"#!lua\nreturn redis.call('incr', KEYS[1])",
    b"#!lua flags=what\nreturn 1",
    b"syntax error",
    b"",
]
SHAS = [sha1(source).hexdigest().encode() for source in SOURCES[:6]]
_SHA = st.sampled_from([*SHAS, SHAS[0].upper(), SHAS[0][:-1], b"x" * 40, b""])
_COUNT = st.sampled_from([b"0", b"1", b"1", b"2", b"-1", b"x", b"", b"9223372036854775808"])
_MODE = st.sampled_from([b"SYNC", b"async", b"x"])
_POLICY = st.sampled_from([b"FLUSH", b"x"])
_LISTED = st.sampled_from([b"WITHCODE", b"LIBRARYNAME", b"o*", b"O?E", b"*", b"x"])
_WORDS = st.lists(st.sampled_from([b"a", b"b", b"1", b"text"]), max_size=3)


def library(name: str, body: str) -> bytes:
    """The code of a library."""
    return f"#!lua name={name}\n{body}".encode()


def registered(name: str, body: str, more: str = "") -> str:
    """Lua that registers a function."""
    callback = f"callback=function(keys, args) {body} end"
    return f"redis.register_function{{function_name='{name}', {callback}{more}}}"


_F1 = "redis.register_function('f1', function(keys, args) return {keys, args} end)"
_CODES = [
    library("one", _F1),
    library("one", registered("f1", "return redis.call('incr', keys[1])")),
    library("one", registered("f2", "return redis.call('get', keys[1])", ", flags={'no-writes'}")),
    library("one", registered("f2", "return 2", ", flags={'allow-stale', 'allow-oom'}")),
    library("two", registered("f2", "return 2", ", description='the second'")),
    library("two", registered("F1", "error('no')")),
    library("two", registered("f3", "return KEYS")),
    library("two", registered("f3", "return redis.register_function")),
    library("two", registered("f3", "return 1", ", flags={'no-cluster'}")),
    library("one", "local n = 0 redis.register_function('f1', function() n = n + 1 return n end)"),
    library("one", "redis.register_function('f1')"),
    library("one", "redis.register_function()"),
    library("one", "redis.register_function('a', 'b', 'c')"),
    library("one", "redis.register_function(nil, function() end)"),
    library("one", "redis.register_function('f1', 'f')"),
    library("one", "redis.register_function('a b', function() end)"),
    library("one", "redis.register_function('', function() end)"),
    library("one", "redis.register_function(5, function() return 5 end)"),
    library("one", f"{_F1} {_F1}"),
    library("one", f"{_F1} return math.random()"),
    library("one", f"{_F1} return redis.call('ping')"),
    library("one", f"{_F1} local v = redis.REDIS_VERSION .. redis.LOG_DEBUG"),
    library("one", f"{_F1} x = 1"),
    library("one", f"{_F1} redis.x = 1"),
    library("one", "return 1"),
    library("one", "syntax error"),
    library("one", "redis.register_function{}"),
    library("one", "redis.register_function{function_name='f1'}"),
    library("one", "redis.register_function{callback=function() end}"),
    library("one", "redis.register_function{function_name=function() end, callback=function() end}"),
    library("one", "redis.register_function{function_name='f1', callback=5}"),
    library("one", registered("f1", "", ", description={}")),
    library("one", registered("f1", "", ", description=7")),
    library("one", registered("f1", "", ", flags=5")),
    library("one", registered("f1", "", ", flags={'NO-writes'}")),
    library("one", registered("f1", "", ", flags={'nope'}")),
    library("one", registered("f1", "", ", flags={{}}")),
    library("one", registered("f1", "", ", nope=1")),
    library("one", registered("f1", "", ", [1]=1")),
    *(b"", b"x", b"#!lua name=a", b"#!lua\n", b"#!\n", b"#!lua name=\n", b"#!lua name=a name=b\n"),
    *(b"#!lua name=a-b\n", b"#!lua NAME=one x=y\n", b"#!py name=one\n", b'#!lua name="one\n'),
    b'#!LUA name="one"\n' + _F1.encode(),
]
_CODE = st.one_of(st.sampled_from(_CODES[:9]), st.sampled_from(_CODES))
_NAME = st.sampled_from([b"f1", b"F1", b"f2", b"f3", b"nope", b"5", b""])

EVALS = [
    *[request(name, st.sampled_from(SOURCES), _COUNT, _WORDS) for name in (b"EVAL", b"EVAL_RO")],
    *[request(name, _SHA, _COUNT, _WORDS) for name in (b"EVALSHA", b"EVALSHA_RO")],
]
SCRIPTS = [
    request(b"SCRIPT", st.just(b"LOAD"), some(st.sampled_from(SOURCES), 0, 2)),
    request(b"SCRIPT", st.just(b"EXISTS"), some(_SHA)),
    request(b"SCRIPT", st.just(b"SHOW"), some(_SHA, 0, 2)),
    request(b"SCRIPT", st.sampled_from([b"FLUSH", b"flush"]), some(_MODE, 0, 2)),
    request(b"SCRIPT", st.sampled_from([b"KILL", b"HELP", b"nope"]), some(st.just(b"x"), 0, 1)),
    request(b"SCRIPT", st.just(b"DEBUG"), some(st.sampled_from([b"no", b"x"]), 0, 1)),
    request(b"SCRIPT"),
]
FUNCTIONS = [
    request(b"FUNCTION", st.just(b"LOAD"), _CODE),
    request(b"FUNCTION", st.just(b"LOAD"), st.sampled_from([b"REPLACE", b"replace", b"x"]), _CODE),
    *[request(name, _NAME, _COUNT, _WORDS) for name in (b"FCALL", b"FCALL", b"FCALL_RO")],
    request(b"FUNCTION", st.just(b"DELETE"), st.sampled_from([b"one", b"two", b"ONE", b""])),
    request(b"FUNCTION", st.just(b"LIST"), some(_LISTED)),
    request(b"FUNCTION", st.sampled_from([b"STATS", b"KILL", b"HELP", b"nope"]), some(st.just(b"x"), 0, 1)),
    request(b"FUNCTION", st.just(b"FLUSH"), some(_MODE, 0, 2)),
    request(b"FUNCTION", st.just(b"RESTORE"), st.just(b"damaged"), some(_POLICY, 0, 2)),
]
