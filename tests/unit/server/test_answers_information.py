"""INFO and CONFIG."""

import pytest

from tests.unit.server.answers_subject import Client, Subject, make_subject
from trio_dynomite.data.effect import PUT
from trio_dynomite.model import Level


@pytest.fixture
def subject() -> Subject:
    return make_subject()


@pytest.fixture
def client(subject: Subject) -> Client:
    return subject.client()


def facts(text: str) -> dict[str, str]:
    return dict(line.split(":", 1) for line in text.splitlines() if line and line[0] != "#")


def titles(text: str) -> list[str]:
    return [line[2:] for line in text.splitlines() if line.startswith("# ")]


def settings(client: Client, *patterns: str) -> dict[bytes, bytes]:
    flat = client("CONFIG", "GET", *patterns)
    return dict(zip(flat[::2], flat[1::2], strict=True))


def test_info_has_what_clients_look_for(client: Client) -> None:
    told = facts(client.text("INFO"))
    assert told["redis_mode"] == "cluster"
    assert told["cluster_enabled"] == "1"
    assert told["role"] == "master"
    assert told["loading"] == "0"
    assert told["availability_zone"] == told["rack"] == "r1"
    assert told["tcp_port"] == "7001"
    assert told["uptime_in_seconds"] == "5"
    assert told["run_id"] == "ab" * 20
    assert int(told["used_memory"]) > 1_000_000


def test_info_of_a_hash_partitioner_is_no_cluster() -> None:
    told = facts(make_subject("murmur").client().text("INFO"))
    assert (told["redis_mode"], told["cluster_enabled"]) == ("standalone", "0")


def test_sections_come_alone_in_any_case_and_in_their_own_order(client: Client) -> None:
    assert titles(client.text("INFO", "dynomite", "CPU")) == ["CPU", "Dynomite"]
    assert titles(client.text("INFO", "nosuch")) == []
    everything = titles(client.text("INFO"))
    assert everything[0] == "Server"
    whole = titles(client.text("INFO", "cpu", "Everything"))
    assert set(whole) - set(everything) == {"Commandstats", "Latencystats"}
    assert [title for title in whole if title in everything] == everything


def test_info_is_verbatim_text_in_resp3(client: Client) -> None:
    client("HELLO", "3")
    assert client.raw("INFO", "cluster") == b"=34\r\ntxt:# Cluster\r\ncluster_enabled:1\r\n\r\n"


def test_stats_count_what_happened(subject: Subject, client: Client) -> None:
    client("PING")
    subject.engine.forwarded = 3
    told = facts(client.text("INFO", "stats"))
    assert told["total_commands_processed"] == "2"
    assert told["total_connections_received"] == "1"
    assert told["requests_forwarded"] == "3"


def test_stats_include_what_the_node_adds_called_when_asked(subject: Subject, client: Client) -> None:
    subject.server.statistics = {"turns": lambda: 40 + 2, "fixed": 7}
    told = facts(client.text("INFO", "stats"))
    assert (told["turns"], told["fixed"]) == ("42", "7")


def test_keyspace_counts_this_nodes_copy(subject: Subject, client: Client) -> None:
    assert facts(client.text("INFO", "keyspace")) == {}
    keyspace = subject.engine.keyspace
    keyspace.put(b"a", b"1")
    keyspace.put(b"b", b"1", keyspace.now_ms + 100_000)
    keyspace.delete(b"a")
    assert facts(client.text("INFO", "keyspace"))["db0"] == "keys=1,expires=1,avg_ttl=0"


def test_dynomite_tells_of_every_peer_and_its_hints(subject: Subject, client: Client) -> None:
    subject.down("n3")
    subject.peer("n3").hints.append(1, [PUT, 0, b"key", 5, b"value", 0])
    told = facts(client.text("INFO", "dynomite"))
    assert told["peer_n2"].startswith("liveness=up,state=NORMAL,datacenter=dc1,rack=r2,hints=0")
    assert told["peer_n3"].startswith("liveness=down,")
    assert ",hints=1," in told["peer_n3"]
    assert told["state"] == "NORMAL"


def test_config_get_finds_by_patterns_each_name_once(client: Client) -> None:
    assert settings(client, "maxmemory-p*", "MAXMEMORY", "maxmemory") == {
        b"maxmemory": b"0",
        b"maxmemory-policy": b"noeviction",
    }
    assert settings(client, "nosuch") == {}
    told = settings(client, "*")
    assert (told[b"port"], told[b"maxclients"], told[b"cluster-enabled"]) == (b"7001", b"10000", b"yes")
    client("HELLO", "3")
    assert client("CONFIG", "GET", "databases") == {b"databases": b"1"}


def test_levels_set_reach_clients_that_chose_none(subject: Subject, client: Client) -> None:
    chooser = subject.client()
    chooser("DYNO_CONFIG:CONN_CONSISTENCY", "DC_ONE")
    words = ("read-consistency", "dc_quorum", "write-consistency", "DC_SAFE_QUORUM")
    assert client("CONFIG", "SET", *words) == b"OK"
    assert client.session.read_level == Level.DC_QUORUM
    assert client.session.write_level == Level.DC_SAFE_QUORUM
    assert chooser.session.read_level == Level.DC_ONE
    assert subject.client().session.read_level == Level.DC_QUORUM
    assert settings(client, "*-consistency") == {
        b"read-consistency": b"DC_QUORUM",
        b"write-consistency": b"DC_SAFE_QUORUM",
    }


def test_the_request_timeout_is_set_in_milliseconds(subject: Subject, client: Client) -> None:
    assert client("CONFIG", "SET", "request-timeout", "750") == b"OK"
    assert subject.engine.request_timeout_s == 0.75
    assert settings(client, "request-timeout") == {b"request-timeout": b"750"}


def test_names_without_effect_here_are_remembered(client: Client) -> None:
    assert client("CONFIG", "SET", "hash-max-listpack-entries", "7") == b"OK"
    assert settings(client, "hash-max-listpack-entries") == {b"hash-max-listpack-entries": b"7"}


def test_what_cannot_change_may_be_set_to_what_it_is(client: Client) -> None:
    assert client("CONFIG", "SET", "appendonly", "NO", "save", "") == b"OK"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("port", "7"), "'port') - can't set immutable config"),
        (("appendonly", "yes"), "'appendonly') - can't set immutable config"),
        (("request-timeout", "x"), "'request-timeout') - argument couldn't be parsed into an integer"),
        (("request-timeout", "0"), "'request-timeout') - argument must be between 1 and 3600000 inclusive"),
        (("slowlog-max-len", "1", "SLOWLOG-max-len", "2"), "'SLOWLOG-max-len') - duplicate parameter"),
        (("read-consistency", "two"), "DC_ONE, DC_QUORUM, DC_SAFE_QUORUM, DC_EACH_SAFE_QUORUM"),
    ],
)
def test_a_refused_set_says_which_argument_and_why(client: Client, words: tuple[str, ...], why: str) -> None:
    refusal = client.error("CONFIG", "SET", *words)
    assert refusal.startswith("ERR CONFIG SET failed (possibly related to argument ")
    assert refusal.endswith(why)


def test_a_set_is_done_whole_or_not_at_all(client: Client) -> None:
    refusal = client.error("CONFIG", "SET", "slowlog-max-len", "1", "nosuch", "2")
    assert refusal == "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'"
    assert client.error("CONFIG", "SET", "slowlog-max-len", "1", "timeout") == "ERR syntax error"
    assert settings(client, "slowlog-max-len") == {b"slowlog-max-len": b"128"}


def test_resetstat_begins_to_count_anew(subject: Subject, client: Client) -> None:
    subject.engine.read_repairs = subject.server.rejected = 5
    assert client("CONFIG", "RESETSTAT") == b"OK"
    told = facts(client.text("INFO", "stats"))
    assert (told["read_repairs"], told["rejected_connections"]) == ("0", "0")
    assert told["total_commands_processed"] == "1"


def test_rewrite_says_that_the_file_is_the_users(client: Client) -> None:
    assert "never writes its configuration file" in client.error("CONFIG", "REWRITE")
