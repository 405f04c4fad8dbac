"""SLOWLOG, LATENCY, INFO's counts, DEBUG, MEMORY, and what administrators are refused."""

import re
from typing import Any

import hiredis
import pytest

from tests.unit.server.answers_subject import Client, Subject, make_subject
from tests.unit.server.test_pause_and_monitor import pass_time
from tests.unit.server.test_pubsub import heard, resp3
from trio_dynomite.server.answers.latency import draw
from trio_dynomite.server.latency import Event
from trio_dynomite.server.modes import TIMED
from trio_dynomite.server.slowlog import SlowLog, cut


@pytest.fixture
def subject() -> Subject:
    return make_subject(hosts=("127.0.0.1",), racks=("r1",))


@pytest.fixture
def client(subject: Subject) -> Client:
    return subject.client()


def facts(client: Client, section: str) -> dict[str, str]:
    lines = client.text("INFO", section).split("\r\n")
    return dict(line.split(":", 1) for line in lines if ":" in line)


class TestSlowLog:
    def test_with_a_threshold_of_0_every_command_is_logged_in_order(
        self, subject: Subject, client: Client
    ) -> None:
        client("CLIENT", "SETNAME", "bob")
        client("CONFIG", "SET", "slowlog-log-slower-than", "0")
        client("SET", "k", "v")
        client("GET", "k")
        newest, older, oldest = client("SLOWLOG", "GET", "-1")
        now_s = subject.engine.now_ms // 1000
        assert (newest[0], newest[1], newest[3:]) == (2, now_s, [[b"GET", b"k"], b"10.0.0.9:5000", b"bob"])
        assert (older[0], older[3]) == (1, [b"SET", b"k", b"v"])
        assert oldest[3] == [b"CONFIG", b"SET", b"slowlog-log-slower-than", b"0"]
        assert 0 <= newest[2] < 1_000_000

    def test_commands_of_a_pipeline_are_logged_one_by_one(self, client: Client) -> None:
        client("CONFIG", "SET", "slowlog-log-slower-than", "0")
        client("SLOWLOG", "RESET")
        client.session.received(hiredis.pack_command(("GET", "a")) * 3)  # type: ignore[arg-type]
        assert client("SLOWLOG", "LEN") == 4

    def test_a_negative_threshold_logs_nothing(self, client: Client) -> None:
        client("CONFIG", "SET", "slowlog-log-slower-than", "0")
        client("CONFIG", "SET", "slowlog-log-slower-than", "-1")
        client("SLOWLOG", "RESET")
        client("GET", "k")
        assert client("SLOWLOG", "LEN") == 0
        assert client.session.server.modes == 0

    def test_it_keeps_the_newest_and_its_numbers_go_on(self, client: Client) -> None:
        client("CONFIG", "SET", "slowlog-log-slower-than", "0", "slowlog-max-len", "2")
        for _ in range(5):
            client("PING")
        assert [entry[0] for entry in client("SLOWLOG", "GET")] == [5, 4]
        client("CONFIG", "SET", "slowlog-max-len", "1")
        assert client("SLOWLOG", "LEN") == 1

    def test_secrets_are_not_logged(self, client: Client) -> None:
        client("CONFIG", "SET", "slowlog-log-slower-than", "0")
        client.raw("AUTH", "default", "pw")
        assert client("SLOWLOG", "GET", "1")[0][3] == [b"AUTH", b"(redacted)", b"(redacted)"]

    def test_commandlog_is_its_newer_name(self, client: Client) -> None:
        client("CONFIG", "SET", "commandlog-execution-slower-than", "0")
        client("PING")
        assert client("COMMANDLOG", "GET", "1", "slow")[0][3] == [b"PING"]
        assert client("COMMANDLOG", "LEN", "large-reply") == 0
        assert client.error("COMMANDLOG", "LEN", "foo") == (
            "ERR type should be one of the following: slow, large-request, large-reply"
        )
        assert client("CONFIG", "GET", "slowlog-log-slower-than")[1] == b"0"

    def test_a_slow_pipeline_is_looked_at_one_by_one_for_a_while(self, subject: Subject) -> None:
        server = subject.server
        server.tallies.ran_together({"get": 100}, 0.05)
        assert server.modes & TIMED
        pass_time(subject, 11)
        assert not server.modes & TIMED

    @pytest.mark.parametrize("count", ["x", "-2"])
    def test_bad_counts(self, client: Client, count: str) -> None:
        assert client.error("SLOWLOG", "GET", count) == "ERR count should be greater than or equal to -1"

    def test_arguments_are_cut_as_redis_cuts_them(self) -> None:
        assert cut([b"a"] * 32) == (b"a",) * 32
        assert cut([b"a"] * 40) == (*[b"a"] * 31, b"... (9 more arguments)")
        assert cut([b"x" * 128, b"y" * 130]) == (b"x" * 128, b"y" * 128 + b"... (2 more bytes)")

    def test_only_what_is_slow_enough_is_kept(self) -> None:
        log = SlowLog(threshold_usec=100)
        log.add(1, 99, [b"A"], "", b"")
        log.add(2, 100, [b"B"], "", b"")
        assert [entry.args for entry in log.entries] == [(b"B",)]


class TestLatency:
    def spike(self, subject: Subject, seconds: float, name: str = "get") -> None:
        subject.server.tallies.on_slow(next(iter(subject.server.sessions.values())), name, [b"X"], seconds)

    def test_spikes_are_kept_by_event_and_second(self, subject: Subject, client: Client) -> None:
        assert client("LATENCY", "LATEST") == []
        client("CONFIG", "SET", "latency-monitor-threshold", "60000")
        now_s = subject.engine.now_ms // 1000
        for seconds, name in ((60, "get"), (90, "get"), (59, "get"), (70, "lrange")):
            self.spike(subject, seconds, name)
        latest = {entry[0]: entry[1:] for entry in client("LATENCY", "LATEST")}
        assert latest == {
            b"fast-command": [now_s, 90_000, 90_000, 150_000, 2],
            b"command": [now_s, 70_000, 70_000, 70_000, 1],
        }
        assert client("LATENCY", "HISTORY", "fast-command") == [[now_s, 90_000]]
        assert client("LATENCY", "HISTORY", "nope") == []
        assert client("LATENCY", "RESET", "command", "nope") == 1
        assert client("LATENCY", "RESET") == 1

    def test_the_doctor_says_what_was_seen(self, subject: Subject, client: Client) -> None:
        assert "Latency monitoring is disabled" in client.text("LATENCY", "DOCTOR")
        client("CONFIG", "SET", "latency-monitor-threshold", "60000")
        assert "no latency spike was observed" in client.text("LATENCY", "DOCTOR")
        self.spike(subject, 70)
        assert "1 latency spikes (average 70000ms, worst 70000ms)" in client.text("LATENCY", "DOCTOR")

    def test_a_graph_is_higher_where_it_took_longer(self) -> None:
        event = Event()
        for time_s, milliseconds in ((100, 10), (101, 30), (1000, 20)):
            event.add(time_s, milliseconds)
        lines = draw("command", event, 1060).split("\n")
        assert lines[0] == "command - high 30 ms, low 10 ms (all time high 30 ms)"
        assert lines[2] == " ` "
        assert lines[5] == "_||"
        assert lines[7:10] == ["111", "65m", "mm "]

    def test_no_graph_without_samples(self, client: Client) -> None:
        assert client.error("LATENCY", "GRAPH", "foo") == "ERR No samples available for event 'foo'"

    def test_histograms_count_every_call(self, client: Client) -> None:
        client("CONFIG", "RESETSTAT")
        client("SET", "a", "1")
        client.session.received(hiredis.pack_command(("SET", "a", "2")) * 2)  # type: ignore[arg-type]
        client("CLIENT", "ID")
        told: Any = dict(
            zip(*[iter(client("LATENCY", "HISTOGRAM", "set", "client", "nosuch"))] * 2, strict=True)
        )
        assert set(told) == {b"set", b"client|id"}
        calls, buckets = told[b"set"][1], told[b"set"][3]
        assert calls == buckets[-1] == 3
        assert buckets[1::2] == sorted(buckets[1::2])
        assert client("LATENCY", "HISTOGRAM", "nosuch") == []


class TestCounts:
    def test_calls_failures_and_rejections_by_command(self, client: Client) -> None:
        client("SET", "k", "v")
        client.error("INCR", "k")
        client.error("GET")
        client.error("NOSUCH")
        client.error("CLIENT", "KILL", "x")
        told = facts(client, "commandstats")
        assert re.fullmatch(
            r"calls=1,usec=\d+,usec_per_call=\d+\.\d\d,rejected_calls=0,failed_calls=0", told["cmdstat_set"]
        )
        assert told["cmdstat_incr"].startswith("calls=1,")
        assert told["cmdstat_incr"].endswith("failed_calls=1")
        assert told["cmdstat_get"].endswith("rejected_calls=1,failed_calls=0")
        assert told["cmdstat_client|kill"].endswith("rejected_calls=0,failed_calls=1")
        assert facts(client, "errorstats") == {"errorstat_ERR": "count=4"}
        assert facts(client, "stats")["total_error_replies"] == "4"

    def test_a_mixed_pipeline_is_counted_by_command(self, client: Client) -> None:
        commands = [
            ("SET", "k", "1"),
            ("GET", "k"),
            ("GET", "k"),
            ("PING",),
            ("GET", "k"),
            ("LRANGE", "l", "0", "1"),
        ]
        client.session.received(b"".join([hiredis.pack_command(words) for words in commands]))  # type: ignore[arg-type]
        told = facts(client, "commandstats")
        calls = {name: told[f"cmdstat_{name}"].split(",")[0] for name in ("set", "get", "ping", "lrange")}
        assert calls == {"set": "calls=1", "get": "calls=3", "ping": "calls=1", "lrange": "calls=1"}

    def test_commands_of_a_transaction_are_counted(self, client: Client) -> None:
        for words in (("MULTI",), ("SET", "k", "v"), ("PING",), ("EXEC",)):
            client(*words)
        told = facts(client, "commandstats")
        assert {name for name in told} >= {"cmdstat_multi", "cmdstat_set", "cmdstat_ping", "cmdstat_exec"}

    def test_commands_of_scripts_are_counted(self, client: Client) -> None:
        client.raw("EVAL", "redis.call('SET', KEYS[1], '1') redis.call('SET', KEYS[1], '2')", "1", "k")
        assert facts(client, "commandstats")["cmdstat_set"].startswith("calls=2,")

    def test_resetstat_begins_again(self, client: Client) -> None:
        client("GET", "k")
        client.error("NOSUCH")
        client("CONFIG", "RESETSTAT")
        assert "cmdstat_get" not in facts(client, "commandstats")
        assert facts(client, "errorstats") == {}

    def test_percentiles_can_be_chosen(self, client: Client) -> None:
        client("GET", "k")
        told = facts(client, "latencystats")["latency_percentiles_usec_get"]
        assert re.fullmatch(r"p50=\d+\.\d{3},p99=\d+\.\d{3},p99\.9=\d+\.\d{3}", told)
        client("CONFIG", "SET", "latency-tracking-info-percentiles", "10")
        assert facts(client, "latencystats")["latency_percentiles_usec_get"].startswith("p10=")
        assert "between 0.0 and 100.0" in client.error(
            "CONFIG", "SET", "latency-tracking-info-percentiles", "101"
        )

    def test_latencies_can_be_hidden(self, client: Client) -> None:
        client("GET", "k")
        client("CONFIG", "SET", "latency-tracking", "no")
        client("GET", "k")
        assert facts(client, "latencystats") == {}
        assert client("LATENCY", "HISTOGRAM") == []
        client("CONFIG", "SET", "latency-tracking", "yes")
        client("GET", "k")
        assert "latency_percentiles_usec_get" in facts(client, "latencystats")

    def test_clients_in_every_state_are_counted(self, subject: Subject, client: Client) -> None:
        subject.client().raw("SUBSCRIBE", "c")
        subject.client().raw("BLPOP", "l", "0")
        subject.client()("WATCH", "a", "b")
        subject.client()("CLIENT", "TRACKING", "ON")
        told = facts(client, "clients")
        states = (
            "pubsub_clients",
            "blocked_clients",
            "watching_clients",
            "total_watched_keys",
            "tracking_clients",
        )
        assert [told[state] for state in states] == ["1", "1", "1", "2", "1"]


class TestDebug:
    def test_sleep_lets_only_this_client_wait(self, subject: Subject, client: Client) -> None:
        assert client.raw("DEBUG", "SLEEP", "0.5") == b""
        assert client.raw("PING") == b""
        assert subject.client().raw("PING") == b"+PONG\r\n"
        pass_time(subject, 0.6)
        assert heard(client) == b"+OK\r\n+PONG\r\n"
        told = facts(client, "latencystats")["latency_percentiles_usec_debug"]
        assert float(told.split("=")[-1]) >= 500_000

    def test_object_tells_the_encoding(self, client: Client) -> None:
        client("SET", "k", "12")
        assert b" encoding:int serializedlength:" in client("DEBUG", "OBJECT", "k")
        assert client.error("DEBUG", "OBJECT", "nope") == "ERR no such key"

    def test_digests_depend_on_what_is_there(self, client: Client) -> None:
        assert client("DEBUG", "DIGEST") == b"0" * 40
        client("SET", "a", "1")
        client("SET", "b", "1")
        one = client("DEBUG", "DIGEST")
        same, other, absent = client("DEBUG", "DIGEST-VALUE", "a", "b", "c")
        assert same == other != absent == b"0" * 40
        client("SET", "a", "2")
        assert client("DEBUG", "DIGEST") != one
        client("SET", "a", "1")
        assert client("DEBUG", "DIGEST") == one

    def test_the_same_value_has_the_same_digest_twice(self, client: Client) -> None:
        client("SET", "s", "1")
        client("RPUSH", "l", "1", "2")
        client("XADD", "x", "1-1", "f", "v")
        client("XGROUP", "CREATE", "x", "g", "0")
        assert client("DEBUG", "DIGEST") == client("DEBUG", "DIGEST")
        told = client("DEBUG", "DIGEST-VALUE", "s", "l", "x")
        assert told == client("DEBUG", "DIGEST-VALUE", "s", "l", "x")

    @pytest.mark.parametrize(("add", "more"), [("SADD", ()), ("HSET", ("v",)), ("ZADD", ())])
    def test_digests_do_not_depend_on_the_order_in_which_elements_came(
        self, client: Client, add: str, more: tuple[str, ...]
    ) -> None:
        digests = []
        for names in ("abc", "cab"):
            client("DEL", "k")
            for name in names:
                client(add, "k", *(("1",) if add == "ZADD" else ()), name, *more)
            digests.append((client("DEBUG", "DIGEST"), client("DEBUG", "DIGEST-VALUE", "k")))
        assert digests[0] == digests[1]
        client("PEXPIREAT", "k", "99999999999999")
        assert client("DEBUG", "DIGEST") != digests[1][0]

    def test_populate_makes_keys_and_leaves_those_that_are_there(
        self, subject: Subject, client: Client
    ) -> None:
        client("SET", "x:1", "mine")
        client.raw("DEBUG", "POPULATE", "1200", "x", "12")
        pass_time(subject, 0)
        pass_time(subject, 0)
        assert heard(client) == b"+OK\r\n"
        assert client("GET", "x:1") == b"mine"
        assert client("GET", "x:1199") == b"value:1199\0\0"
        assert client("GET", "x:1200") is None

    def test_active_expiry_can_be_turned_off(self, subject: Subject, client: Client) -> None:
        client("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        client("SET", "k", "v", "PX", "10")
        store = subject.engine.keyspace.store

        def keys_after(seconds: float) -> int:
            subject.engine.begin(
                subject.engine.now_ms + round(seconds * 1000), subject.engine.mono_s + seconds
            )
            subject.server.tick()
            return store.key_count(0, len(store.records) - 1)

        assert keys_after(3) == 1
        client("DEBUG", "SET-ACTIVE-EXPIRE", "1")
        assert keys_after(3) == 0

    @pytest.mark.parametrize(
        ("kind", "resp2", "resp3_"),
        [
            ("double", b"$5\r\n3.141\r\n", b",3.141\r\n"),
            ("null", b"$-1\r\n", b"_\r\n"),
            (
                "map",
                b"*6\r\n:0\r\n:0\r\n:1\r\n:1\r\n:2\r\n:0\r\n",
                b"%3\r\n:0\r\n#f\r\n:1\r\n#t\r\n:2\r\n#f\r\n",
            ),
            ("true", b":1\r\n", b"#t\r\n"),
            (
                "verbatim",
                b"$25\r\nThis is a verbatim\nstring\r\n",
                b"=29\r\ntxt:This is a verbatim\nstring\r\n",
            ),
            ("push", b"-ERR RESP2 is not supported by this command\r\n", None),
        ],
    )
    def test_protocol_shows_every_type(
        self, subject: Subject, client: Client, kind: str, resp2: bytes, resp3_: bytes | None
    ) -> None:
        assert client.raw("DEBUG", "PROTOCOL", kind) == resp2
        if resp3_ is not None:
            assert resp3(subject).raw("DEBUG", "PROTOCOL", kind) == resp3_

    def test_other_parts(self, client: Client) -> None:
        assert client("DEBUG", "STRINGMATCH-LEN", "1000", "a*a*a*b") == 0
        assert client("DEBUG", "STRINGMATCH-LEN", "10", "a*") == 1
        assert client("DEBUG", "RELOAD") == client("DEBUG", "QUICKLIST-PACKED-THRESHOLD", "1b") == b"OK"
        assert client.error("DEBUG", "ERROR", "FOO bar") == "FOO bar"
        assert client.error("DEBUG", "SEGFAULT").startswith("ERR DEBUG SEGFAULT is refused")
        assert client.error("DEBUG", "JMAP") == (
            "ERR unknown subcommand or wrong number of arguments for 'JMAP'. Try DEBUG HELP."
        )


@pytest.mark.parametrize(
    ("words", "beginning"),
    [
        ("SAVE", "ERR SAVE is not supported: storage.snapshot_every is 0"),
        ("BGSAVE SCHEDULE", "ERR BGSAVE is not supported"),
        ("BGREWRITEAOF", "ERR BGREWRITEAOF is not supported"),
        ("SHUTDOWN NOSAVE", "ERR SHUTDOWN is not supported"),
        ("REPLICAOF host 1", "ERR REPLICAOF not allowed in cluster mode."),
        ("SWAPDB 0 1", "ERR SWAPDB is not allowed in cluster mode"),
        ("MOVE k 1", "ERR MOVE is not allowed in cluster mode"),
        ("FAILOVER", "ERR FAILOVER not allowed in cluster mode."),
        ("MIGRATE h 1 k 0 5", "ERR MIGRATE is not supported"),
        ("SYNC", "ERR SYNC is not supported"),
        ("PSYNC ? -1", "ERR PSYNC is not supported"),
        ("REPLCONF a b", "ERR REPLCONF is not supported"),
        ("WAITAOF 1 0 0", "ERR WAITAOF cannot be used when numlocal is set"),
        ("MODULE LOAD x", "ERR MODULE command not allowed"),
    ],
)
def test_what_does_not_exist_here_is_refused(client: Client, words: str, beginning: str) -> None:
    assert client.error(*words.split()).startswith(beginning)


def test_what_can_be_answered_honestly_is(subject: Subject, client: Client) -> None:
    assert client("REPLICAOF", "NO", "ONE") == client("SLAVEOF", "no", "one") == b"OK"
    assert client("LASTSAVE") == subject.server.started_ms // 1000
    assert client("WAITAOF", "0", "0", "0") == [0, 0]
    assert client("MODULE", "LIST") == []
    stats = client("MEMORY", "STATS")
    numbers = dict(zip(stats[::2], stats[1::2], strict=True))
    assert numbers[b"peak.allocated"] >= numbers[b"total.allocated"] > 0
    assert "Sam" in client.text("MEMORY", "DOCTOR")
    assert client("MEMORY", "PURGE") == b"OK"


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("appendfsync", "always", None),
        ("list-max-listpack-size", "-3", None),
        ("activedefrag", "maybe", "argument must be 'yes' or 'no'"),
        ("hz", "fast", "argument couldn't be parsed into an integer"),
        ("appendonly", "yes", "can't set immutable config"),
        ("slowlog-max-len", "-1", "argument must be between 0 and 9223372036854775807 inclusive"),
    ],
)
def test_parameters_of_redis_are_taken_as_far_as_their_kind(
    client: Client, name: str, value: str, error: str | None
) -> None:
    if error is None:
        assert client("CONFIG", "SET", name, value) == b"OK"
        assert client("CONFIG", "GET", name) == [name.encode(), value.encode()]
    else:
        assert client.error("CONFIG", "SET", name, value).endswith(f") - {error}")


def test_sizes_are_kept_in_bytes(client: Client) -> None:
    client("CONFIG", "SET", "maxmemory", "2gb", "maxmemory-policy", "allkeys-lru")
    assert client("CONFIG", "GET", "maxmemory") == [b"maxmemory", b"2147483648"]
    assert facts(client, "memory")["maxmemory_policy"] == "allkeys-lru"
    assert "must be one of the following: volatile-lru" in client.error(
        "CONFIG", "SET", "maxmemory-policy", "foo"
    )


def test_pictures_have_the_size_that_is_asked_for(client: Client) -> None:
    schotter = client.text("LOLWUT", "VERSION", "5", "30", "3", "4").split("\n")
    assert {len(line) for line in schotter[:-3]} == {30}
    assert any(set(line) - {"\u2800"} for line in schotter[:-3])
    skyline = client.text("LOLWUT", "VERSION", "6", "40", "10").split("\n")
    assert len(skyline) == 13
    assert max(map(len, skyline[:10])) <= 40
    assert "A ring has no master." in client.text("LOLWUT")
    assert client.error("LOLWUT", "VERSION", "x") == "ERR value is not an integer or out of range"


@pytest.mark.parametrize("container", ["SLOWLOG", "COMMANDLOG", "LATENCY", "MEMORY", "MODULE", "PUBSUB"])
def test_help_names_every_subcommand(client: Client, container: str) -> None:
    heads = {line.decode().split()[0] for line in client(container, "HELP")[1:] if line[:1] != b" "}
    listed = client("COMMAND", "LIST", "FILTERBY", "PATTERN", f"{container.lower()}|*")
    assert {name.partition(b"|")[2].upper().decode() for name in listed} <= heads
