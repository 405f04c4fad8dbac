"""Memcached sessions: what a client hears on one node, in which order on one of three; who may do what."""

from typing import Any

import hiredis
import pytest

from tests.unit.server.memcached_subject import Alone, MemcachedStage
from tests.unit.server.session_subject import Pipe
from trio_dynomite.model import Level
from trio_dynomite.protocol.replies import error
from trio_dynomite.server.memcached.words import spoken

KEY_MAX = 250


@pytest.fixture
def alone() -> Alone:
    return Alone()


@pytest.fixture
def stage() -> MemcachedStage:
    return MemcachedStage()


def redis(alone: Alone, *words: str | bytes) -> Any:
    """What a Redis client of the same node hears."""
    return alone.subject.client()(*words)


def version(alone: Alone, key: bytes) -> bytes:
    return alone.say(b"gets %b\r\n" % key).split()[4]


class TestOneKeySpace:
    def test_redis_sees_the_value_and_not_the_flags(self, alone: Alone) -> None:
        alone.say(b"set k 5 0 2\r\nhi\r\n")

        assert redis(alone, "GET", "k") == b"hi"
        assert redis(alone, "APPEND", "k", "!") == 3
        assert alone.say(b"get k\r\n") == b"VALUE k 5 3\r\nhi!\r\nEND\r\n"
        redis(alone, "SET", "k", "new")
        assert alone.say(b"get k\r\n") == b"VALUE k 0 3\r\nnew\r\nEND\r\n"

    def test_counters_are_common_and_keep_flags(self, alone: Alone) -> None:
        alone.say(b"set n 5 0 3\r\n100\r\n")

        assert redis(alone, "DECRBY", "n", "91") == 9
        assert alone.say(b"get n\r\n") == b"VALUE n 5 3\r\n9  \r\nEND\r\n"
        assert redis(alone, "GET", "n") == b"9"
        assert alone.say(b"incr n 5\r\n") == b"14\r\n"
        assert redis(alone, "GET", "n") == b"14"

    def test_deadlines_are_common(self, alone: Alone) -> None:
        alone.say(b"set k 0 100 1\r\nx\r\n")
        assert redis(alone, "TTL", "k") == 100
        redis(alone, "EXPIRE", "k", "50")
        assert alone.say(b"mg k t\r\n") == b"HD t50\r\n"

    def test_what_is_no_string(self, alone: Alone) -> None:
        redis(alone, "SADD", "s", "a")
        wrong = b"SERVER_ERROR the key holds another type than a string\r\n"

        assert alone.say(b"get s\r\ngets s\r\nmg s v\r\nme s\r\n") == b"END\r\nEND\r\nEN\r\nEN\r\n"
        assert alone.say(b"add s 0 0 1\r\nx\r\n") == b"NOT_STORED\r\n"
        assert alone.say(b"append s 0 0 1\r\nx\r\nms s 1 MP\r\nx\r\nmg s N0\r\n") == wrong * 3
        assert alone.say(b"incr s 1\r\n").startswith(b"CLIENT_ERROR cannot increment")
        assert alone.say(b"cas s 0 0 1 5\r\nx\r\n") == b"EXISTS\r\n"
        assert alone.say(b"touch s 100\r\n") == b"TOUCHED\r\n"
        assert redis(alone, "TTL", "s") == 100
        assert alone.say(b"replace s 0 0 1\r\nx\r\nget s\r\n") == b"STORED\r\nVALUE s 0 1\r\nx\r\nEND\r\n"

    def test_a_deleted_set_is_deleted(self, alone: Alone) -> None:
        redis(alone, "SADD", "s", "a")
        assert alone.say(b"delete s\r\ndelete s\r\n") == b"DELETED\r\nNOT_FOUND\r\n"


class TestItems:
    def test_cas(self, alone: Alone) -> None:
        alone.say(b"set k 0 0 1\r\nx\r\n")
        first = version(alone, b"k")
        alone.say(b"touch k 100\r\n")

        assert version(alone, b"k") == first
        assert alone.say(b"cas k 1 0 1 %b\r\ny\r\n" % first) == b"STORED\r\n"
        assert alone.say(b"cas k 1 0 1 %b\r\nz\r\n" % first) == b"EXISTS\r\n"
        assert alone.say(b"cas none 1 0 1 %b\r\nz\r\n" % first) == b"NOT_FOUND\r\n"
        assert version(alone, b"k") != first

    def test_a_version_is_not_used_again(self, alone: Alone) -> None:
        seen = set()
        for step in range(50):
            alone.say(b"set k 0 0 1\r\nx\r\n" if step % 2 else b"set k 0 0 1\r\n1\r\nincr k 1\r\n")
            seen.add(version(alone, b"k"))
            if step % 7 == 0:
                alone.later(65.536)
        assert len(seen) == 50

    def test_time(self, alone: Alone) -> None:
        now_s = alone.subject.engine.now_ms // 1000
        alone.say(
            b"set a 0 10 1\r\nx\r\nset b 0 %d 1\r\nx\r\nset c 0 %d 1\r\nx\r\n" % (now_s + 20, now_s - 1)
        )
        alone.say(b"set d 0 2592000 1\r\nx\r\nset e 0 -1 1\r\nx\r\n")

        assert alone.say(b"mg a t\r\nmg b t\r\nmg c t\r\nmg d t\r\nmg e t\r\n") == (
            b"HD t10\r\nHD t20\r\nEN\r\nHD t2592000\r\nEN\r\n"
        )
        alone.later(11)
        assert alone.say(b"get a b\r\n") == b"VALUE b 0 1\r\nx\r\nEND\r\n"
        assert alone.say(b"gat 500 b\r\nmg b t\r\n") == b"VALUE b 0 1\r\nx\r\nEND\r\nHD t500\r\n"
        assert alone.say(b"gat -1 b\r\nget b\r\n") == b"VALUE b 0 1\r\nx\r\nEND\r\nEND\r\n"

    def test_numbers_wrap_and_stop_at_zero(self, alone: Alone) -> None:
        alone.say(b"set n 3 0 20\r\n18446744073709551614\r\n")
        assert alone.say(b"incr n 1\r\nincr n 1\r\ndecr n 5\r\nget n\r\n") == (
            b"18446744073709551615\r\n0\r\n0\r\nVALUE n 3 20\r\n%b\r\nEND\r\n" % b"0".ljust(20)
        )

    def test_what_is_counted_in_two_datacenters_adds_up(self, alone: Alone) -> None:
        alone.say(b"set n 3 0 2\r\n10\r\nincr n 5\r\n")
        keyspace = alone.subject.engine.keyspace
        record = keyspace.store.get(keyspace.store.slot_of(b"n"), b"n")
        assert record[1] == b"10"
        assert [count[0] for count in record[4]] == [0, keyspace.origin]

    def test_a_counter_that_two_datacenters_took_below_zero_counts_from_zero(self, alone: Alone) -> None:
        alone.say(b"set n 0 0 1\r\n5\r\n")
        redis(alone, "DECRBY", "n", "8")
        assert alone.say(b"incr n 2\r\n") == b"2\r\n"
        assert redis(alone, "GET", "n") == b"2"

    def test_too_large_an_item_leaves_nothing(self, alone: Alone) -> None:
        alone.service.item_max = 200
        alone.connect()
        alone.say(b"set k 0 0 1\r\nx\r\nset other 0 0 1\r\nx\r\n")
        refusal = b"SERVER_ERROR object too large for cache\r\n"

        assert alone.say(b"set k 0 0 500\r\n" + b"x" * 500 + b"\r\nget k\r\n") == refusal + b"END\r\n"
        assert alone.say(b"add other 0 0 500\r\n" + b"x" * 500 + b"\r\nget other\r\n").startswith(
            refusal + b"VALUE"
        )
        assert alone.say(
            b"append other 0 0 130\r\n" + b"x" * 130 + b"\r\nappend other 0 0 130\r\n" + b"x" * 130 + b"\r\n"
        ) == (b"STORED\r\nNOT_STORED\r\n")

    def test_a_flush_at_once_and_later(self, alone: Alone) -> None:
        alone.say(b"set k 0 0 1\r\nx\r\n")
        assert alone.say(b"flush_all\r\nget k\r\n") == b"OK\r\nEND\r\n"
        assert alone.say(b"flush_all noreply\r\nset k 0 0 1\r\nx\r\nget k\r\n") == (
            b"STORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n"
        )
        assert alone.say(b"flush_all 10\r\nget k\r\n") == b"OK\r\nVALUE k 0 1\r\nx\r\nEND\r\n"
        alone.later(11)
        assert alone.say(b"get k\r\n") == b"END\r\n"
        alone.say(b"set k 0 0 1\r\nx\r\nflush_all 10\r\nflush_all 30\r\n")
        alone.later(11)
        assert alone.say(b"get k\r\n") != b"END\r\n"
        alone.later(20)
        assert alone.say(b"get k\r\n") == b"END\r\n"

    def test_hits_and_misses_are_told(self, alone: Alone) -> None:
        alone.say(b"set k 0 0 1\r\nx\r\nget k none\r\nget k\r\n")
        stats = alone.say(b"stats\r\n")
        assert b"STAT get_hits 2\r\nSTAT get_misses 1\r\n" in stats
        assert b"STAT cmd_set 1\r\n" in stats
        assert stats.endswith(b"END\r\n")
        assert alone.say(b"stats reset\r\n") == b"RESET\r\n"
        assert b"STAT get_hits 0\r\n" in alone.say(b"stats\r\n")
        assert b"STAT item_size_max 1048576\r\n" in alone.say(b"stats settings\r\n")


class TestLeases:
    def test_one_client_is_to_bring_a_value(self, alone: Alone) -> None:
        assert alone.say(b"mg k N30 v t\r\nmg k N30 v t\r\n") == b"VA 0 t30 W\r\n\r\nVA 0 t30 Z\r\n\r\n"

    def test_a_stale_item_is_given_away_once_whoever_asks(self, alone: Alone) -> None:
        alone.say(b"ms k 1 T100\r\nx\r\nmd k I T30\r\n")
        assert alone.say(b"get k\r\nmg k v t\r\nmg k v\r\n") == (
            b"VALUE k 0 1\r\nx\r\nEND\r\nVA 1 t30 X W\r\nx\r\nVA 1 Z X\r\nx\r\n"
        )
        assert alone.say(b"ms k 1\r\ny\r\nmg k v\r\n") == b"HD\r\nVA 1\r\ny\r\n"

    def test_the_prize_leaves_the_version_as_it_is(self, alone: Alone) -> None:
        won = alone.say(b"mg k N30 c\r\n").split()
        assert alone.say(b"ms k 1 C%b\r\nx\r\n" % won[1][1:]) == b"HD\r\n"

    def test_h_tells_whether_it_was_read_before(self, alone: Alone) -> None:
        alone.say(b"set k 0 0 1\r\nx\r\n")
        assert alone.say(b"mg k h u\r\nmg k h\r\nmg k h\r\n") == b"HD h0\r\nHD h0\r\nHD h1\r\n"
        assert alone.say(b"set k 0 0 1\r\nx\r\nmg k h\r\n") == b"STORED\r\nHD h0\r\n"


class TestOrder:
    """Key by key another node leads; replies come in the order of the requests whoever answers first."""

    def test_replies_wait_for_their_turn(self, stage: MemcachedStage) -> None:
        mine, theirs = stage.key_led_by("n1"), stage.key_led_by("n2")
        assert stage.raw(b"set %b 0 0 1\r\nx\r\nset %b 0 0 1\r\ny\r\nversion\r\n" % (theirs, mine)) == b""
        assert [name for name, _, _ in stage.asked] == ["n2"]
        assert stage.answer(0, b"STORED\r\n") == b"STORED\r\nSTORED\r\nVERSION 1.6.18\r\n"

    def test_a_quorum_acknowledges(self, stage: MemcachedStage) -> None:
        stage.choose(Level.DC_QUORUM)
        key, none = stage.key_led_by("n1"), stage.key_led_by("n1", 1)
        said = b"set %b 1 0 1\r\nx\r\nincr %b 1\r\nset %b 1 0 1\r\ny\r\n" % (key, none, key)
        assert stage.raw(said) == b""
        assert stage.acknowledge("n2") == b"STORED\r\nNOT_FOUND\r\nSTORED\r\n"

    def test_who_wants_no_reply_gets_none(self, stage: MemcachedStage) -> None:
        stage.choose(Level.DC_QUORUM)
        mine, theirs = stage.key_led_by("n1"), stage.key_led_by("n2")
        assert stage.raw(b"set %b 0 0 1 noreply\r\nx\r\nms %b 1 q\r\nx\r\nmn\r\n" % (theirs, mine)) == b""
        stage.acknowledge("n2")
        assert stage.answer(0, error("UNKNOWN it may have happened")) == b"MN\r\n"

    def test_errors_of_the_database_are_put_in_memcacheds_words(self, stage: MemcachedStage) -> None:
        stage.choose(Level.DC_QUORUM)
        key = stage.key_led_by("n1")
        stage.subject.down("n2", "n3")
        said = stage.raw(b"set %b 0 0 1\r\nx\r\nms %b 1 q\r\nx\r\nget %b %b\r\n" % (key, key, key, key))
        assert [line.split()[:2] for line in said.splitlines()] == [[b"SERVER_ERROR", b"NOREPLICAS"]] * 3

    def test_a_run_of_writes_whose_fate_is_unknown(self) -> None:
        unknown = error("UNKNOWN it may be kept")
        assert spoken(unknown * 2) == b"SERVER_ERROR UNKNOWN it may be kept\r\n" * 2
        assert spoken(error("OOM command not allowed")) == b"SERVER_ERROR out of memory storing object\r\n"
        assert spoken(error("ERR internal error")) == b"SERVER_ERROR internal error\r\n"
        assert (spoken(b""), spoken(b"\0"), spoken(b"END\r\n")) == (b"", b"", b"END\r\n")

    def test_a_get_of_several_keys_is_one_reply(self, stage: MemcachedStage) -> None:
        stage.choose(Level.DC_QUORUM)
        keys = [stage.key_led_by("n1"), stage.key_led_by("n2"), stage.key_led_by("n3")]
        assert stage.raw(b"gat 0 " + b" ".join(keys) + b"\r\n") == b""
        assert [name for name, _, _ in stage.asked] == ["n2", "n3"]
        assert stage.answer(1, b"VALUE c 0 1\r\nx\r\n") == b""
        assert stage.answer(0, b"VALUE b 0 1\r\ny\r\n") == b"VALUE b 0 1\r\ny\r\nVALUE c 0 1\r\nx\r\nEND\r\n"

    def test_of_several_keys_one_that_cannot_be_read_is_the_whole_reply(self, stage: MemcachedStage) -> None:
        keys = [stage.key_led_by("n2"), stage.key_led_by("n3")]
        stage.raw(b"gat 0 " + b" ".join(keys) + b"\r\nversion\r\n")
        stage.answer(0, b"VALUE b 0 1\r\ny\r\n")
        assert stage.answer(1, error("TIMEOUT no")) == b"SERVER_ERROR TIMEOUT no\r\nVERSION 1.6.18\r\n"

    def test_a_read_elsewhere_that_must_write_is_sent_to_the_primary(self, stage: MemcachedStage) -> None:
        key = stage.key_led_by("n2")
        stage.raw(b"set %b 0 0 1\r\nx\r\nmg %b v\r\nversion\r\n" % (key, key))
        stage.answer(0, b"STORED\r\n")
        assert stage.asked[1][2] == [b"\0mg", key, b"v"]
        assert stage.answer(1, b"\1") == b""
        assert stage.asked[2][2] == [b"\0mg!", key, b"v"]
        assert stage.answer(2, b"VA 1 X W\r\nx\r\n") == b"VA 1 X W\r\nx\r\nVERSION 1.6.18\r\n"
        assert not stage.session.pending_reads
        assert not stage.session.remote_writes
        stage.raw(b"delete %b\r\n" % key)
        assert stage.answer(3, b"DELETED\r\n") == b"DELETED\r\n"

    def test_a_flush_waits_for_the_writes_under_way(self, stage: MemcachedStage) -> None:
        key = stage.key_led_by("n2")
        stage.raw(b"set %b 0 0 1\r\nx\r\nflush_all\r\n" % key)
        assert len(stage.asked) == 1
        assert stage.answer(0, b"STORED\r\n") == b"STORED\r\n"
        for _ in range(64):
            stage.turn()
        assert len(stage.asked) > 1

    def test_quit_waits_for_the_replies_before_it(self, stage: MemcachedStage) -> None:
        key = stage.key_led_by("n2")
        assert stage.raw(b"set %b 0 0 1\r\nx\r\nquit\r\nversion\r\n" % key) == b""
        assert not stage.is_ending()
        assert stage.answer(0, b"STORED\r\n") == b"STORED\r\n"
        assert stage.is_ending()

    def test_a_broken_line_ends_it_after_what_came_before(self, stage: MemcachedStage) -> None:
        key = stage.key_led_by("n2")
        assert stage.raw(b"set %b 0 0 1\r\nx\r\n" % key + b"x" * 3000) == b""
        assert stage.answer(0, b"STORED\r\n") == b"STORED\r\n"
        assert stage.is_ending()


class TestPermission:
    def protected(self, *rules: str) -> Alone:
        alone = Alone()
        redis(alone, "ACL", "SETUSER", "me", "on", ">secret", *rules)
        redis(alone, "CONFIG", "SET", "requirepass", "other")
        alone.connect()
        return alone

    def test_who_has_not_logged_in_hears_that(self) -> None:
        alone = self.protected("~*", "+@all")
        assert alone.say(b"get k\r\n") == b"CLIENT_ERROR unauthenticated\r\n"
        assert alone.say(b"set x 0 0 8\r\nme wrong\r\n") == b"CLIENT_ERROR authentication failure\r\n"
        assert alone.say(b"set x 0 0 9\r\nme secret\r\nget x\r\n") == b"STORED\r\nEND\r\n"

    def test_the_password_of_the_default_user(self) -> None:
        alone = self.protected("~*", "+@all")
        assert alone.say(b"set x 0 0 13\r\ndefault other\r\nget x\r\n") == b"STORED\r\nEND\r\n"

    def test_permissions_are_the_users(self) -> None:
        alone = self.protected("~mine:*", "+get", "+set")
        alone.say(b"set x 0 0 9\r\nme secret\r\n")
        refused = b"CLIENT_ERROR NOPERM "

        assert alone.say(b"set mine:a 0 0 1\r\nx\r\nget mine:a\r\n") == (
            b"STORED\r\nVALUE mine:a 0 1\r\nx\r\nEND\r\n"
        )
        for line in (
            b"get mine:a other",
            b"set other 0 0 1\r\nx",
            b"delete mine:a",
            b"incr mine:a 1",
            b"flush_all",
            b"gat 0 mine:a",
            b"touch mine:a 0",
            b"mg other v",
            b"md mine:a q",
            b"ma mine:a",
            b"stats",
            b"config get cluster",
        ):
            assert alone.say(line + b"\r\n").startswith(refused), line
        assert alone.say(b"mg mine:a v\r\nmg mine:a T5\r\nversion\r\n").startswith(
            b"VA 1\r\nx\r\nHD\r\nVERSION"
        )
        assert redis(alone, "ACL", "WHOAMI") is not None


def test_hidden_rows_are_nobody_elses(alone: Alone) -> None:
    for name in (b"\0get", b"\0set", b"\0MG"):
        said = redis(alone, name, "k", "")
        assert isinstance(said, hiredis.ReplyError)
        assert "unknown command" in str(said)
    assert not [name for name in redis(alone, "COMMAND", "LIST") if b"\0" in name]


def test_config_get_cluster_tells_who_speaks_memcached(stage: MemcachedStage) -> None:
    assert stage.raw(b"config get cluster\r\n").split(b"\n")[2] == b""
    for peer in stage.subject.engine.roster.peers.values():
        peer.node = type(peer.node)(
            **{
                name: getattr(peer.node, name)
                for name in (
                    "name",
                    "datacenter",
                    "rack",
                    "tokens",
                    "host",
                    "client_port",
                    "peer_port",
                    "admin_port",
                )
            },
            memcached_port=11211,
        )
    first = stage.raw(b"config get cluster\r\n")
    head, number, nodes, *_ = first.split(b"\n")
    assert nodes == b"127.0.0.1|127.0.0.1|11211 127.0.0.1|127.0.0.1|11211"
    assert head == b"CONFIG cluster 0 %d\r" % len(b"%b\n%b\n" % (number, nodes))
    assert first.endswith(b"\n\r\nEND\r\n")
    stage.subject.down("n3")
    later = stage.raw(b"config get cluster\r\n").split(b"\n")
    assert (int(later[1]) > int(number), later[2]) == (True, b"127.0.0.1|127.0.0.1|11211")
    assert stage.raw(b"config get other\r\n") == b"ERROR\r\n"


def test_events_tell_what_memcacheds_clients_do(alone: Alone) -> None:
    client = alone.subject.client()
    client("CONFIG", "SET", "notify-keyspace-events", "EA")
    client.raw("PSUBSCRIBE", "*")
    client.wire.sent.clear()
    alone.say(b"set k 1 0 1\r\n1\r\nincr k 1\r\ntouch k 100\r\nappend k 0 0 1\r\nx\r\ndelete k\r\n")
    told = b"".join(client.wire.sent)
    assert [
        name for name in (b":set\r", b":incrby\r", b":expire\r", b":append\r", b":del\r") if name not in told
    ] == []


class TestPace:
    """Who asks for more than it reads waits, and is not read from."""

    def test_many_large_replies_are_spread_over_turns(self, alone: Alone) -> None:
        alone.say(b"set k 0 0 400000\r\n" + b"x" * 400_000 + b"\r\n")
        alone.session.received(b"get k\r\n" * 10 + b"version\r\n")
        assert alone.pipe.is_held
        assert len(alone.pipe.take()) < 1_300_000
        rest = alone.settle()
        assert rest.count(b"VALUE") == 7
        assert rest.endswith(b"VERSION 1.6.18\r\n")
        assert not alone.pipe.is_held

    def test_who_does_not_read_is_not_served(self, alone: Alone) -> None:
        alone.say(b"set k 0 0 400000\r\n" + b"x" * 400_000 + b"\r\n")
        alone.pipe.unsent = alone.subject.server.settings.limits.client_output + 1
        alone.session.received(b"get k\r\n" * 10)
        assert alone.settle().count(b"VALUE") == 3
        alone.pipe.unsent = 0
        alone.session.drained()
        assert alone.settle().count(b"VALUE") == 7

    def test_a_client_that_leaves_takes_its_requests_along(self, stage: MemcachedStage) -> None:
        key = stage.key_led_by("n2")
        stage.raw(b"set %b 0 0 1\r\nx\r\nget %b %b\r\nmg %b v\r\n" % (key, key, key, key))
        stage.pipe.close("gone")
        assert not stage.service.sessions
        stage.answer(0, b"STORED\r\n")

    def test_one_connection_too_many(self, alone: Alone) -> None:
        service = alone.service
        for number in range(service.server.settings.limits.clients - len(service.sessions)):
            service.sessions[number] = None  # type: ignore[index]
        alone.connect()
        service.refuse_if_too_many(alone.session)
        assert alone.pipe.take() == b"ERROR Too many open connections\r\n"
        assert alone.pipe.is_closing

    def test_a_pause_holds_writes_or_all(self, alone: Alone) -> None:
        redis(alone, "CLIENT", "PAUSE", "1000", "WRITE")
        assert alone.say(b"get k\r\nset k 0 0 1\r\nx\r\nget k\r\n") == b"END\r\n"
        redis(alone, "CLIENT", "UNPAUSE")
        assert alone.settle() == b"STORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n"


class TestWhatAdministratorsSee:
    def test_commandstats(self, alone: Alone) -> None:
        alone.say(b"set k 0 0 1\r\nx\r\n")
        alone.say(b"get k\r\nget k\r\nmg k v\r\nnonsense\r\n")

        told = redis(alone, "INFO", "commandstats").decode()
        calls = {
            line.partition(":")[0]: line.partition("calls=")[2].split(",")[0] for line in told.splitlines()
        }
        assert calls["cmdstat_memcached|set"] == "1"
        assert calls["cmdstat_memcached|get"] == "2"
        assert calls["cmdstat_memcached|mg"] == "1"
        assert "nonsense" not in told

    def test_monitor(self, alone: Alone) -> None:
        watcher, pipe = alone.subject.server, Pipe()
        session = pipe.session = watcher.open_session(pipe, "10.0.0.9:2", "here:1")
        session.received(b"*1\r\n$7\r\nMONITOR\r\n")
        alone.say(b"set k 5 0 1\r\nx\r\nget k j\r\nmg k v\r\nnonsense\r\n")

        lines = [line.partition(" ")[2] for line in pipe.take().decode().splitlines()[1:]]
        assert lines == [
            '[0 10.0.0.9:1] "memcached|set" "k" "0" "5" "x"',
            '[0 10.0.0.9:1] "memcached|get" "k" "j"',
            '[0 10.0.0.9:1] "memcached|mg" "k" "v"',
        ]
        told = redis(alone, "INFO", "commandstats").decode()
        assert told.count("memcached|set:calls=1,") == 1

    def test_slow_log(self, alone: Alone) -> None:
        redis(alone, "CONFIG", "SET", "slowlog-log-slower-than", "0")
        alone.say(b"set k 0 0 1\r\nx\r\n")
        alone.say(b"get k\r\nget k\r\n")

        shown = [entry[3] for entry in redis(alone, "SLOWLOG", "GET", "10")]
        assert shown.count([b"memcached|get", b"k"]) == 2
        assert [b"memcached|set", b"k", b"0", b"x"] in shown

    def test_errors_have_names(self, alone: Alone) -> None:
        redis(alone, "SADD", "s", "a")
        alone.say(b"append s 0 0 1\r\nx\r\n")
        assert "\0" not in redis(alone, "INFO", "commandstats").decode()
