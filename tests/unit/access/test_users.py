"""The users of a node: who gets in, and what nodes tell each other."""

import pytest

from trio_dynomite.access.passwords import hash_of, hashed, is_among
from trio_dynomite.access.users import Users
from trio_dynomite.errors import CommandError


def test_a_new_node_lets_everybody_do_everything() -> None:
    users = Users()
    assert users.newcomer() is users.default
    assert users.default.is_all
    assert users.default.describe() == b"on nopass ~* &* +@all"


def test_who_must_log_in_is_a_stranger() -> None:
    users = Users()
    for rules in ([b">a"], [b"off", b"nopass"], [b"resetpass", b"on"]):
        users.default.change(rules)
        assert users.newcomer() is users.stranger, rules
        assert not users.stranger.is_all
    users.default.change([b"nopass"])
    assert users.newcomer() is users.default


@pytest.mark.parametrize(
    ("rules", "password", "gets_in"),
    [
        ("on >a", b"a", True),
        ("on >a >b", b"b", True),
        ("on >a", b"", False),
        ("on >a", b"b", False),
        ("off >a", b"a", False),
        ("on nopass", b"anything", True),
        ("on", b"", False),
        ("on >a resetpass", b"a", False),
        ("on #" + hashed(b"a").decode(), b"a", True),
    ],
)
def test_who_gets_in(rules: str, password: bytes, gets_in: bool) -> None:
    users = Users()
    alice = users.change(b"alice", rules.encode().split(), 1)
    assert users.authenticate(b"alice", password) is (alice if gets_in else None)
    assert users.authenticate(b"bob", password) is None


def test_an_unknown_user_is_compared_with_as_many_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    users, compared = Users(), []
    users.change(b"alice", [b"on", b">a"], 1)
    users.change(b"bob", [b"on", b"nopass"], 2)
    monkeypatch.setattr(
        "trio_dynomite.access.users.is_among",
        lambda password, hashes: compared.append(len(tuple(hashes))) or is_among(password, hashes),
    )
    for name in (b"alice", b"bob", b"nosuch", b"default"):
        users.authenticate(name, b"x")
    assert compared == [1, 1, 1, 1]


def test_a_password_or_its_hash() -> None:
    assert hash_of(b"secret") == hashed(b"secret") == hash_of(b"sha256:" + hashed(b"secret"))
    assert hash_of(b"sha256") == hashed(b"sha256")
    with pytest.raises(ValueError, match="64 hexadecimal digits") as caught:
        hash_of(b"sha256:secret")
    assert "secret" not in str(caught.value)


def test_the_configuration_is_the_same_everywhere_and_is_not_told() -> None:
    users = Users()
    users.configure([(b"alice", [b"on", b">a", b"+get"]), (b"default", [b"on", b">d", b"+@all"])])
    assert [user.name for user in users.everybody()] == [b"alice", b"default"]
    assert users.newcomer() is users.stranger
    assert users.told() == []
    assert users.newest == 0


def test_of_two_changes_the_later_one_wins_everywhere() -> None:
    here, there = Users(), Users()
    here.change(b"alice", [b"on", b">a", b"+get"], 10)
    there.change(b"alice", [b"on", b"+set"], 11)
    there.change(b"bob", [b"on"], 5)
    told_here, told_there = here.told(), there.told()
    assert [user.name for user in here.join(told_there)] == [b"alice", b"bob"]
    assert there.join(told_here) == []
    assert [user.describe() for user in here.everybody()] == [user.describe() for user in there.everybody()]
    assert here.newest == there.newest == 11
    assert here.join(there.told()) == []


def test_a_session_keeps_its_user_through_every_change() -> None:
    here, there = Users(), Users()
    alice = here.change(b"alice", [b"on", b"+get", b"~*"], 1)
    there.change(b"alice", [b"on", b"+set", b"~*"], 2)
    here.join(there.told())
    assert here.find(b"alice") is alice
    assert "set" in alice.free
    assert "get" not in alice.free


def test_who_was_deleted_may_do_nothing_and_stays_deleted() -> None:
    here, there = Users(), Users()
    alice = here.change(b"alice", [b"on", b"nopass", b"+@all"], 1)
    there.join(here.told())
    theirs = there.find(b"alice")
    assert here.delete([b"alice", b"alice", b"nosuch"], 2) == [alice]
    assert there.join(here.told()) == [theirs]
    for users, user in ((here, alice), (there, theirs)):
        assert user is not None
        assert users.find(b"alice") is None
        assert users.authenticate(b"alice", b"") is None
        assert not user.free - {"auth", "hello", "quit", "reset"}
    assert here.join([(b"alice", (1).to_bytes(12, "big"), [[b"on"], []])]) == []
    assert here.find(b"alice") is None


def test_the_default_user_cannot_be_deleted() -> None:
    users = Users()
    users.change(b"alice", [b"on"], 1)
    with pytest.raises(CommandError, match=r"^ERR The 'default' user cannot be removed$"):
        users.delete([b"alice", b"default"], 2)
    assert users.find(b"alice") is not None
    users.join([(b"default", (3).to_bytes(12, "big"), None)])
    assert users.default.is_all


def test_a_definition_of_another_version_lets_nobody_in_and_is_told_on() -> None:
    users = Users()
    users.change(b"alice", [b"on", b"nopass", b"+@all"], 1)
    newer = (b"alice", (2).to_bytes(12, "big"), [[b"on", b"nopass"], [b"+@all", b"-@invented"]])
    users.join([newer])
    assert users.authenticate(b"alice", b"") is None
    assert users.told() == [newer]


@pytest.mark.parametrize("name", [b"a b", b"a\0", b"a\n"])
def test_names_have_no_spaces(name: bytes) -> None:
    with pytest.raises(CommandError, match=r"^ERR Usernames can't contain spaces or null characters$"):
        Users().change(name, [], 1)


def test_above_the_limit_no_user_is_made_here_and_those_of_others_are_taken_over() -> None:
    users, others = Users(most=2), Users()
    users.change(b"ann", [b"on"], 1)
    with pytest.raises(CommandError, match=r"2 users already: limits\.users"):
        users.change(b"bob", [b"on"], 2)
    assert users.find(b"bob") is None
    users.change(b"ann", [b"off"], 3)
    others.change(b"bob", [b"on"], 4)
    users.join(others.told())
    assert users.find(b"bob") is not None
