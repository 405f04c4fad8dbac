"""Users: what rules make of them, how they are told, and what they may then do."""

import pytest
from hypothesis import given, settings

from tests.conformance.acl_requests import GOOD_RULES, RULES
from trio_dynomite.access.denial import Reason
from trio_dynomite.access.rules import CATEGORIES, EVERY_ROW, members
from trio_dynomite.access.user import User
from trio_dynomite.commands.table import lookup
from trio_dynomite.errors import CommandError

HASH = b"2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90"  # of "bob"'s password: b"b"


def user(rules: str) -> User:
    made = User(b"alice")
    made.change(rules.encode().split())
    return made


def refusal(rules: str, request: str) -> str | None:
    args = request.encode().split()
    return user(rules).may_run(lookup(args), args)


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("", "off resetchannels -@all"),
        ("on nopass allkeys allchannels +@all", "on nopass ~* &* +@all"),
        ("+get -get +get", "off resetchannels -@all +get"),
        ("+config|get +config|set -config", "off resetchannels -@all -config"),
        ("+@all -@dangerous +@DANGEROUS +keys", "off resetchannels +@all +@dangerous +keys"),
        ("+select|0 +select|1 +SELECT|0", "off resetchannels -@all +select|1 +select|0"),
        ("%R~a %W~a %W~b ~c %rw~d", "off ~a %W~b ~c ~d resetchannels -@all"),
        ("&a &b &a", "off resetchannels &a &b -@all"),
        ("db=3,0,3", "off resetchannels db=0,3 -@all"),
        ("resetdbs", "off resetchannels resetdbs -@all"),
        ("(+get ~a) (+set ~b db=0)", "off resetchannels -@all (~a resetchannels -@all +get)"
         " (~b resetchannels db=0 -@all +set)"),
        ("(+get ~a) clearselectors", "off resetchannels -@all"),
        ("on nopass +@all ~* reset", "off resetchannels -@all"),
        ("skip-sanitize-payload", "off resetchannels -@all"),
    ],
)  # fmt: skip
def test_rules_are_told_as_they_were_understood(rules: str, told: str) -> None:
    assert user(rules).describe() == told.encode()


def test_passwords_are_kept_as_hashes_only() -> None:
    made = user("nopass >b")
    assert made.passwords == (b"3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d",)
    assert not made.needs_no_password
    assert b"3e23e816" in made.describe()
    assert "3e23e816" not in repr(made)
    made.change([b"#" + HASH, b"<b"])
    assert made.passwords == (HASH,)
    made.change([b"nopass"])
    assert made.passwords == ()


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ("~* ~a", "'~a': Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid"),
        ("&* &a", "'&a': Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid"),
        ("+nosuch", "'+nosuch': Unknown command or category name in ACL"),
        ("-get|x", "'-get|x': Unknown command or category name in ACL"),
        ("+@nosuch", "'+@nosuch': Unknown command or category name in ACL"),
        ("+config|get|x", "'+config|get|x': Allowing first-arg of a subcommand is not supported"),
        ("+get|", "'+get|': Syntax error"),
        ("nosuch", "'nosuch': Syntax error"),
        ("(on)", "'(on)': Syntax error"),
        ("(+get on ~a)", "'(+get on ~a)': Syntax error"),
        ("<a", "'<a': The password you are trying to remove from the user does not exist"),
        ("#a", "'#a': The password hash must be exactly 64 characters and contain only lowercase"),
        ("db=x", "'db=x': Syntax error"),
        ("db=-1", "'db=-1': The provided database ID is out of range"),
    ],
)
def test_a_wrong_rule_is_named_and_nothing_is_changed(rules: str, why: str) -> None:
    made = User(b"alice")
    with pytest.raises(CommandError) as caught:
        made.change([b"on", b"+get", *rules.encode().split()])
    assert str(caught.value).startswith(f"ERR Error in ACL SETUSER modifier {why}")
    assert made.describe() == b"off resetchannels -@all"


def test_a_parenthesis_must_close() -> None:
    with pytest.raises(
        CommandError, match=r"^ERR Unmatched parenthesis in acl selector starting at '\(\+get'\.$"
    ):
        user("(+get ~a")


@pytest.mark.parametrize(
    ("rules", "request_line", "why"),
    [
        ("+@all ~* &*", "GET a", None),
        ("+get ~a*", "GET ab", None),
        ("+get ~a*", "GET b", "NOPERM No permissions to access a key"),
        ("+get ~a*", "SET a 1", "NOPERM User alice has no permissions to run the 'set' command"),
        ("+@all ~a &b", "PUBLISH a x", "NOPERM No permissions to access a channel"),
        ("+@all ~a &b", "PUBLISH b x", None),
        ("+@all &b?", "PSUBSCRIBE b?", None),
        ("+@all &b*", "PSUBSCRIBE b?", "NOPERM No permissions to access a channel"),
        ("+@all &b*", "UNSUBSCRIBE x", None),
        ("+@all ~* resetdbs", "GET a", "NOPERM No permissions to access database"),
        ("+@all ~* db=1", "PING", None),
        ("+config|get", "CONFIG GET x", None),
        (
            "+config|get",
            "CONFIG SET x y",
            "NOPERM User alice has no permissions to run the 'config|set' command",
        ),
        ("+config -config|set", "CONFIG GET x", None),
        ("+select|0", "SELECT 0", None),
        ("+select|0", "SELECT 1", "NOPERM User alice has no permissions to run the 'select' command"),
        ("", "AUTH x", None),
        ("", "PING", "NOPERM User alice has no permissions to run the 'ping' command"),
        ("+@all %R~a", "STRLEN a", None),
        ("+@all %W~a", "STRLEN a", None),
        ("+@all %W~a", "GET a", "NOPERM No permissions to access a key"),
        ("+@all %R~a", "GETDEL a", "NOPERM No permissions to access a key"),
        ("+@all %R~a %W~b", "COPY a b", None),
        ("+@all %R~a %W~b", "COPY b a", "NOPERM No permissions to access a key"),
        ("+@all %W~a", "SET a 1", None),
        ("+@all %W~a", "SET a 1 GET", "NOPERM No permissions to access a key"),
        ("+@all ~a", "MGET a b", "NOPERM No permissions to access a key"),
        ("+@all %R~a (+@all %W~b)", "COPY a b", "NOPERM No permissions to access a key"),
        ("-@all (+get ~a) (+set ~b)", "SET b 1", None),
        ("-@all (+get ~a) (+set ~b)", "SET a 1", "NOPERM No permissions to access a key"),
    ],
)
def test_what_may_be_done(rules: str, request_line: str, why: str | None) -> None:
    assert refusal(rules, request_line) == why


def test_an_administrator_is_told_which_key() -> None:
    def words(rules: str, request: str) -> str:
        args = request.split()
        denial = user(rules).denial(lookup([arg.encode() for arg in args]), [arg.encode() for arg in args])
        assert denial is not None
        return denial.all_words

    assert words("+@all ~a", "MGET a b c") == "User alice has no permissions to access the 'b' key"
    assert words("+@all", "PUBLISH a x") == "User alice has no permissions to access the 'a' channel"
    assert words("+@all resetdbs", "SELECT 0") == "User alice has no permissions to access database 0"
    assert words("+@all resetdbs", "GET a") == "User alice has no permissions to access database GET"


def test_of_several_selectors_the_one_that_comes_closest_says_why() -> None:
    made = user("+get ~a (+set ~b) (+@all ~c)")
    args = [b"MSET", b"c", b"1", b"d", b"2"]
    denial = made.denial(lookup(args), args)
    assert denial is not None
    assert (denial.reason, denial.object) == (Reason.KEY, b"d")


def test_somebody_who_may_do_everything_is_known_to() -> None:
    assert user("+@all ~* &*").is_all
    assert user("+get (+@all ~* &*)").is_all
    for less in ("-get", "resetkeys ~a", "resetchannels", "resetdbs"):
        made = user(f"+@all ~* &* {less}")
        assert not made.is_all, less
        made.change([b"+@all", b"allkeys", b"allchannels", b"alldbs"])
        assert made.is_all


def test_what_is_free_needs_no_look_at_the_arguments() -> None:
    made = user("+@all -get &*")
    assert {"ping", "config|get", "publish", "auth"} <= made.free
    assert not {"get", "set", "mget", "sort"} & made.free
    assert user("+@all ~*").free == frozenset(EVERY_ROW) - {
        "publish",
        "spublish",
        "subscribe",
        "ssubscribe",
        "psubscribe",
    }


@settings(derandomize=True, deadline=None, max_examples=100)
@given(rules=GOOD_RULES, more=RULES)
def test_a_definition_makes_the_same_user(rules: list[bytes], more: list[bytes]) -> None:
    made, again = User(b"alice"), User(b"alice")
    made.change(rules)
    try:
        made.change(more)
    except CommandError:
        pass
    again.redefine(made.definition)
    assert again.describe() == made.describe()
    assert [selector.allowed for selector in again.selectors] == [
        selector.allowed for selector in made.selectors
    ]
    assert (again.free, again.is_all) == (made.free, made.is_all)
    assert [selector.first_arguments for selector in again.selectors] == [
        {name: found for name, found in selector.first_arguments.items() if found}
        for selector in made.selectors
    ]


def test_a_category_has_its_containers_subcommands() -> None:
    connection = members("connection")
    assert connection is not None
    assert {"ping", "client|id", "command", "command|docs"} <= connection
    assert "get" not in connection
    assert all(members(category) is not None for category in CATEGORIES)
    assert members("nosuch") is None
