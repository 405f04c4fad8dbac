"""The gate: logging in first, and SORT's patterns."""

import pytest

from trio_dynomite.access.gate import denial, must_log_in
from trio_dynomite.access.users import Users
from trio_dynomite.commands.table import find, lookup


def test_a_stranger_may_log_in_and_leave() -> None:
    users = Users()
    users.default.change([b">secret"])
    passed = {
        line
        for line in (
            "AUTH x",
            "HELLO",
            "QUIT",
            "RESET",
            "PING",
            "GET a",
            "GET",
            "NOSUCH",
            "CLIENT NOSUCH",
            "MULTI",
        )
        if not must_log_in(users, users.newcomer(), find(line.encode().split()))
    }
    assert passed == {"AUTH x", "HELLO", "QUIT", "RESET"}


def test_a_stranger_is_the_default_user_when_that_needs_no_password_any_more() -> None:
    users = Users()
    users.default.change([b">secret"])
    stranger = users.newcomer()
    users.default.change([b"nopass", b"-get"])
    assert not must_log_in(users, stranger, find([b"GET", b"a"]))
    refused = denial(users, stranger, lookup([b"GET", b"a"]), [b"GET", b"a"])
    assert refused is not None
    assert refused.reply == "NOPERM User default has no permissions to run the 'get' command"
    assert denial(users, stranger, lookup([b"PING"]), [b"PING"]) is None


def test_who_has_logged_in_stays_so() -> None:
    users = Users()
    alice = users.change(b"alice", [b"on", b"nopass", b"+@all", b"~*"], 1)
    users.default.change([b">secret"])
    alice.change([b"off"])
    assert not must_log_in(users, alice, find([b"GET", b"a"]))
    assert not must_log_in(users, users.default, find([b"GET", b"a"]))


@pytest.mark.parametrize(
    ("rules", "line", "option"),
    [
        ("+sort %R~a", "SORT a", None),
        ("+sort %R~a", "SORT a BY x", None),
        ("+sort %R~a", "SORT a BY x_*", "BY"),
        ("+sort %R~a", "SORT a GET #", "GET"),
        ("+sort_ro %R~a", "sort_ro a limit 0 1 desc get x", "GET"),
        ("+sort %R~a %W~get", "SORT a STORE get", None),
        ("+sort %R~a", "SORT a LIMIT GET x nosuch GET x", None),
        ("+sort %R~*", "SORT a BY x_* GET #", None),
        ("+sort %W~*", "SORT a GET #", None),
        ("+sort %R~a (+sort %R~*)", "SORT a BY x_*", None),
        ("+sort %R~a (+get ~*)", "SORT a BY x_*", "BY"),
    ],
)
def test_patterns_of_sort_need_the_right_to_read_everything(
    rules: str, line: str, option: str | None
) -> None:
    users, args = Users(), line.encode().split()
    alice = users.change(b"alice", rules.encode().split(), 1)
    refused = denial(users, alice, lookup(args), args)
    if option is None:
        assert refused is None or refused.reply == "NOPERM No permissions to access a key"
        assert (refused is None) is (rules != "+sort %W~*")
    else:
        assert refused is not None
        wanted = f"ERR {option} option of SORT denied due to insufficient ACL permissions."
        assert refused.reply == refused.reply_in_script == refused.reply_since_queued == wanted


def test_the_words_for_scripts_and_transactions() -> None:
    users = Users()
    alice = users.change(b"alice", [b"+get", b"~a"], 1)
    by_request = {
        line: denial(users, alice, lookup(line.encode().split()), line.encode().split())
        for line in ("SET a 1", "GET b")
    }
    assert {line: refused and refused.reply_in_script for line, refused in by_request.items()} == {
        "SET a 1": "ERR ACL failure in script: User alice has no permissions to run the 'set' command",
        "GET b": "ERR ACL failure in script: No permissions to access a key",
    }
    endings = {
        line: refused and refused.reply_since_queued.rpartition(": ")[2]
        for line, refused in by_request.items()
    }
    assert endings == {
        "SET a 1": "no permission to execute the command or subcommand",
        "GET b": "no permission to touch the specified keys",
    }
