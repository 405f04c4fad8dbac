"""Names that a client has the node keep: up to a limit, and what is given up makes room."""

import pytest
from attrs import evolve

from tests.unit.server.answers_subject import Client, make_subject
from trio_dynomite.server.names import ENTRY_BYTES


@pytest.fixture
def client() -> Client:
    """May have three short names kept."""
    subject = make_subject(hosts=("127.0.0.1",), racks=("r1",))
    settings = subject.server.settings
    limits = evolve(settings.limits, client_names=3 * (ENTRY_BYTES + 1))
    subject.server.settings = evolve(settings, limits=limits)
    return subject.client()


REFUSED = b"-ERR too many channels, patterns and watched keys on this connection: limits.client_names\r\n"


@pytest.mark.parametrize("kind", ["", "P", "S"])
def test_one_name_too_many_is_refused_and_nothing_done(client: Client, kind: str) -> None:
    client.raw(f"{kind}SUBSCRIBE", "a", "b")
    assert client.raw(f"{kind}SUBSCRIBE", "c", "d") == REFUSED
    assert b":3\r\n" in client.raw(f"{kind}SUBSCRIBE", "a", "b", "c"), "two of them are kept already"
    assert client.raw(f"{kind}SUBSCRIBE", "d") == REFUSED
    client.raw(f"{kind}UNSUBSCRIBE", "a")
    assert b":3\r\n" in client.raw(f"{kind}SUBSCRIBE", "d")


def test_watched_keys_count_with_them_until_exec_or_unwatch(client: Client) -> None:
    for end in (["UNWATCH"], ["DISCARD"], ["EXEC"]):
        assert client.raw("WATCH", "a", "b", "c") == b"+OK\r\n"
        assert client.raw("WATCH", "d") == REFUSED
        assert client.raw("WATCH", "a") == b"+OK\r\n"
        if end != ["UNWATCH"]:
            client.raw("MULTI")
        client.raw(*end)
        assert client.session.watched_weight == 0


def test_all_of_them_together(client: Client) -> None:
    client.raw("HELLO", "3")
    client.raw("WATCH", "a")
    client.raw("SUBSCRIBE", "a")
    client.raw("SSUBSCRIBE", "a")
    assert client.raw("PSUBSCRIBE", "a") == REFUSED
    client.raw("RESET")
    assert client.session.subscriptions.weight == client.session.watched_weight == 0
