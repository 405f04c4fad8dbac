"""`[access]`: users and passwords, where those may stand, and that nothing shows them."""

import hashlib
from pathlib import Path

import pytest

from trio_dynomite.access.users import Users
from trio_dynomite.config import Settings, load
from trio_dynomite.errors import ConfigError

NODE = '\n[[nodes]]\nname = "a"\nrack = "r"\nclient_port = 1\npeer_port = 2\nadmin_port = 3\n'
BAD_HASH = "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
NO_SUCH_PASSWORD = "The password you are trying to remove from the user does not exist"
HASH = hashlib.sha256(b"secret").hexdigest()


class File:
    """A configuration file with an `[access]` section and one node."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, text: str, env: dict[str, str] | None = None, *overrides: str, more: str = "") -> Settings:
        path = self.folder / "cluster.toml"
        path.write_text(f"[access]\n{text}{NODE}{more}", encoding="utf-8")
        return load(path, env or {}, overrides)

    def problems(self, text: str, *overrides: str, more: str = "") -> list[tuple[str, str]]:
        with pytest.raises(ConfigError) as caught:
            self.load(text, {}, *overrides, more=more)
        assert "secret" not in str(caught.value)
        return [(problem.path, problem.message) for problem in caught.value.problems]


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path)


def users_of(settings: Settings) -> Users:
    users = Users()
    users.configure(settings.access.definitions)
    return users


@pytest.mark.parametrize(
    "given",
    ['"secret"', f'"sha256:{HASH}"', '{ file = "password" }', '{ env = "PASSWORD" }', '{ file = "hash" }'],
)
def test_a_password_may_stand_here_or_elsewhere(file: File, given: str) -> None:
    (file.folder / "password").write_text("secret\n", encoding="utf-8")
    (file.folder / "hash").write_text(f"sha256:{HASH}", encoding="utf-8")
    text = f'requirepass = {given}\n[[access.users]]\nname = "bob"\nrules = "on +get"\npassword = {given}\n'

    settings = file.load(text, {"PASSWORD": "secret"})

    users = users_of(settings)
    assert users.newcomer() is users.stranger
    for name in (b"default", b"bob"):
        assert users.authenticate(name, b"secret") is users.find(name)
        assert users.authenticate(name, b"secret\n") is None
    assert users.default.is_all
    assert "secret" not in repr(settings)
    assert HASH not in repr(settings)


def test_a_password_may_come_from_outside_the_file(file: File) -> None:
    settings = file.load("", {"TRIO_DYNOMITE__ACCESS__REQUIREPASS": "secret"})
    assert settings.access.requirepass == HASH.encode()
    assert file.load("", {}, "access.requirepass=secret").access == settings.access


def test_rules_are_those_of_acl_setuser(file: File) -> None:
    text = """
    [[access.users]]
    name = "alice"
    rules = 'on ">a secret" ~shop:* (%R~x +get) +@read -keys'
    [[access.users]]
    name = "default"
    rules = "on nopass +ping"
    """
    users = users_of(file.load(text))

    alice = users.find(b"alice")
    assert alice is not None
    hashed = hashlib.sha256(b"a secret").hexdigest()
    wanted = f"on #{hashed} ~shop:* resetchannels -@all +@read -keys (%R~x resetchannels -@all +get)"
    assert alice.describe().decode() == wanted
    assert users.default.describe() == b"on nopass resetchannels -@all +ping"
    assert users.newcomer() is users.default


def test_every_mistake_is_told_at_its_place_and_no_password(file: File) -> None:
    text = """
    requirepass = "sha256:secret"
    allow_unprotected = "yes"
    colour = 1
    [[access.users]]
    name = "alice"
    rules = "on #secret"
    password = { vault = "secret" }
    [[access.users]]
    name = "a b"
    password = { env = "NO_SUCH" }
    [[access.users]]
    rules = ["on", ">secret"]
    password = 5
    """
    assert file.problems(text) == [
        ("access.users[0].password", 'must be a text, { file = "..." } or { env = "..." }'),
        ("access.users[1].password", "the environment has no NO_SUCH"),
        ("access.requirepass", "must have 64 hexadecimal digits in lower case after sha256:"),
        ("access.users[1].name", "must have no spaces, not 'a b'"),
        ("access.users[2].name", "is missing and has no default"),
        ("access.users[2].rules", "must be a text of rules, as after ACL SETUSER"),
        ("access.users[2].password", "must be a text that is not empty; leave it out for none"),
        ("access.allow_unprotected", "must be true or false, not 'yes'"),
        ("access.colour", "unknown setting; known here: requirepass, users, allow_unprotected"),
    ]


def test_every_wrong_rule_is_told(file: File) -> None:
    text = """
    requirepass = "secret"
    [[access.users]]
    name = "alice"
    rules = "on +nosuch #secret <secret ~a&b +@reed"
    [[access.users]]
    name = "alice"
    rules = "(+get"
    [[access.users]]
    name = "default"
    rules = "on"
    """
    assert file.problems(text) == [
        ("access.users[0].rules", "'+nosuch': Unknown command or category name in ACL"),
        ("access.users[0].rules", f"'#...': {BAD_HASH}"),
        ("access.users[0].rules", f"'!...': {NO_SUCH_PASSWORD}"),
        ("access.users[0].rules", "'+@reed': Unknown command or category name in ACL"),
        ("access.users[1].name", "'alice' is the name of users[0] too"),
        ("access.users[1].rules", "Unmatched parenthesis in acl selector starting at '(+get'."),
        ("access.requirepass", "users[2] is the default user: give its password there"),
    ]


def test_quotes_in_rules_must_close(file: File) -> None:
    text = """[[access.users]]\nname = "bob"\nrules = 'on ">secret'"""
    assert file.problems(text) == [("access.users[0].rules", "has quotes that do not close")]


def test_what_was_given_on_the_command_line_is_not_shown(file: File) -> None:
    assert file.problems("", "access.requirepass=sha256:secret") == [
        (
            "access.requirepass",
            "must have 64 hexadecimal digits in lower case after sha256: (given by --set access....)",
        )
    ]
    assert file.problems("", "access.requirepass:secret") == [
        ("", "--set access....: must be section.key=value")
    ]


@pytest.mark.parametrize(
    ("host", "text", "starts"),
    [
        ("127.0.0.2", "", True),
        ("localhost", "", True),
        ("10.0.0.1", "", False),
        ("db.example", "", False),
        ("10.0.0.1", 'requirepass = "x"', True),
        ("10.0.0.1", "allow_unprotected = true", True),
        ("10.0.0.1", '[[access.users]]\nname = "bob"\nrules = "on >x +@all ~*"', False),
        ("10.0.0.1", '[[access.users]]\nname = "default"\nrules = "off"', True),
        ("10.0.0.1", '[[access.users]]\nname = "default"\nrules = "on nopass +ping"', False),
    ],
)
def test_other_machines_are_let_in_without_a_password_only_when_that_is_said(
    file: File, host: str, text: str, starts: bool
) -> None:
    more = f'host = "{host}"\n'
    if starts:
        assert file.load(text + "\n", more=more).nodes[0].host == host
    else:
        ((path, message),) = file.problems(text + "\n", more=more)
        assert path == "access.requirepass"
        assert message.startswith(f"missing, while other machines can reach a ({host})")
