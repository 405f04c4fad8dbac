"""ACL: the users of the cluster, what they may do, and what was refused to whom.

What is changed on one node holds on all of them (`Server.share_users`); the answer comes when it does, so who
is told of a user may log in anywhere.
Source: https://valkey.io/commands/acl and `aclCommand` in Valkey's `acl.c`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from trio_dynomite.access.log import Entry
from trio_dynomite.access.rules import CATEGORIES, EVERY_ROW
from trio_dynomite.access.selector import Selector
from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.commands.refusals import quoted, wrong_arity
from trio_dynomite.commands.scores import score_reply
from trio_dynomite.commands.table import find
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import NULL, OK, array, bulk, bulk_array, integer, mapping, set_of
from trio_dynomite.server.answers.answer import Answer, help_answer
from trio_dynomite.server.later import reply_of
from trio_dynomite.server.permission import after_change

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session

_HELP = (
    "CAT [<category>]",
    "    List all commands that belong to <category>, or all command categories",
    "    when no category is specified.",
    "DELUSER <username> [<username> ...]",
    "    Delete a list of users.",
    "DRYRUN <username> <command> [<arg> ...]",
    "    Returns whether the user can execute the given command without executing the command.",
    "GETUSER <username>",
    "    Get the user's details.",
    "GENPASS [<bits>]",
    "    Generate a secure 256-bit user password. The optional `bits` argument can",
    "    be used to specify a different size.",
    "LIST",
    "    Show users details in config file format.",
    "LOAD",
    "    Reload users from the ACL file.",
    "LOG [<count> | RESET]",
    "    Show the ACL log entries.",
    "SAVE",
    "    Save the current config to the ACL file.",
    "SETUSER <username> <rule> [<rule> ...]",
    "    Create or modify a user with the specified rules.",
    "USERS",
    "    List all the registered usernames.",
    "WHOAMI",
    "    Return the current connection username.",
)
_NO_FILE = (
    "ERR This instance is not configured to use an ACL file. You may want to specify users via the ACL"
    " SETUSER command and then issue a CONFIG REWRITE"
    " (assuming you have a configuration file set) in order to store users in the configuration."
)
_PASSWORD_BITS = 256
_PASSWORD_BITS_MAX = 4096
_LOG_SHOWN = 10


def acl_cat(session: Session, args: list[bytes]) -> bytes:
    """ACL CAT [category]."""
    _takes(args, 3)
    if len(args) == 2:
        return bulk_array([category.encode() for category in CATEGORIES])
    category = args[2].lower().decode("utf-8", "replace")
    if category not in CATEGORIES:
        raise CommandError(f"ERR Unknown category '{quoted(args[2])}'")
    return bulk_array([name.encode() for name, row in EVERY_ROW.items() if category in row.categories])


def acl_setuser(session: Session, args: list[bytes]) -> bytes | None:
    """ACL SETUSER name [rule…]: all of the rules, or none."""
    server = session.server
    user = server.users.change(args[2], args[3:], server.engine.keyspace.clock.next())
    after_change(server, [user], session)
    return _shared(session, OK)


def acl_deluser(session: Session, args: list[bytes]) -> bytes | None:
    """ACL DELUSER name [name…]: how many there were. Their sessions end."""
    server = session.server
    gone = server.users.delete(args[2:], server.engine.keyspace.clock.next())
    after_change(server, gone, session)
    return _shared(session, integer(len(gone))) if gone else integer(0)


def _shared(session: Session, reply: bytes) -> bytes | None:
    """Tell all nodes of a change; `reply` when those that can be reached know it."""
    share_users = session.server.share_users
    return reply_of(session, lambda done: share_users(lambda: done(reply)))


def acl_getuser(session: Session, args: list[bytes]) -> bytes:
    """ACL GETUSER name."""
    user, resp = session.server.users.find(args[2]), session.resp
    if user is None:
        return NULL[resp]
    root, *others = user.selectors
    pairs = [
        (bulk(b"flags"), set_of([bulk(flag) for flag in user.flags], resp)),
        (bulk(b"passwords"), bulk_array(user.passwords)),
        *_described(root),
        (bulk(b"selectors"), array([mapping(_described(selector), resp) for selector in others])),
    ]
    return mapping(pairs, resp)


def _described(selector: Selector) -> list[tuple[bytes, bytes]]:
    return [
        (bulk(b"commands"), bulk(b" ".join(selector.command_words()))),
        (bulk(b"keys"), bulk(b" ".join(selector.key_words()))),
        (bulk(b"channels"), bulk(b" ".join(selector.channel_words()))),
        (bulk(b"databases"), bulk(selector.database_word())),
    ]


def acl_list(session: Session, args: list[bytes]) -> bytes:
    """ACL LIST."""
    return bulk_array(
        [b"user %b %b" % (user.name, user.describe()) for user in session.server.users.everybody()]
    )


def acl_users(session: Session, args: list[bytes]) -> bytes:
    """ACL USERS."""
    return bulk_array([user.name for user in session.server.users.everybody()])


def acl_whoami(session: Session, args: list[bytes]) -> bytes:
    """ACL WHOAMI."""
    return bulk(session.user.name)


def acl_dryrun(session: Session, args: list[bytes]) -> bytes:
    """ACL DRYRUN name command [argument…]: OK, or why the user may not run it."""
    user, request = session.server.users.find(args[2]), args[3:]
    if user is None:
        raise CommandError(f"ERR User '{_shown(args[2])}' not found")
    row = find(request)
    if row is None:
        raise CommandError(f"ERR Command '{_shown(request[0])}' not found")
    if not row.takes(len(request)):
        raise CommandError(wrong_arity(row.name))
    denial = user.denial(row, request)
    return OK if denial is None else bulk(denial.all_words.encode())


def acl_genpass(session: Session, args: list[bytes]) -> bytes:
    """ACL GENPASS [bits]: so many random bits, in hexadecimal digits."""
    _takes(args, 3)
    bits = integer_argument(args[2]) if len(args) == 3 else _PASSWORD_BITS
    if not 0 < bits <= _PASSWORD_BITS_MAX:
        raise CommandError(
            "ERR ACL GENPASS argument must be the number of bits for the output password,"
            f" a positive number up to {_PASSWORD_BITS_MAX}"
        )
    digits = (bits + 3) // 4
    return bulk(os.urandom((digits + 1) // 2).hex()[:digits].encode())


def acl_log(session: Session, args: list[bytes]) -> bytes:
    """ACL LOG [count|RESET]."""
    _takes(args, 3)
    log = session.server.users.log
    if len(args) == 3 and args[2].upper() == b"RESET":
        log.reset()
        return OK
    count = max(0, integer_argument(args[2])) if len(args) == 3 else _LOG_SHOWN
    now_ms = session.server.engine.now_ms
    return array([_logged(entry, now_ms, session.resp) for entry in log.entries[:count]])


def _logged(entry: Entry, now_ms: int, resp: int) -> bytes:
    pairs = [
        (b"count", integer(entry.count)),
        (b"reason", bulk(entry.reason.name.lower().encode())),
        (b"context", bulk(entry.context.encode())),
        (b"object", bulk(entry.object)),
        (b"username", bulk(entry.user)),
        (b"age-seconds", score_reply((now_ms - entry.updated_ms) / 1000, resp)),
        (b"client-info", bulk(entry.client.encode())),
        (b"entry-id", integer(entry.number)),
        (b"timestamp-created", integer(entry.created_ms)),
        (b"timestamp-last-updated", integer(entry.updated_ms)),
    ]
    return mapping([(bulk(name), value) for name, value in pairs], resp)


def acl_file(session: Session, args: list[bytes]) -> bytes:
    """ACL LOAD and SAVE: there is no such file; users are in cluster.toml."""
    raise CommandError(_NO_FILE)


def _takes(args: list[bytes], most: int) -> None:
    """Raises CommandError when there are more arguments."""
    if len(args) > most:
        shown = quoted(args[1])
        raise CommandError(
            f"ERR unknown subcommand or wrong number of arguments for '{shown}'. Try ACL HELP."
        )


def _shown(name: bytes) -> str:
    return name.decode("utf-8", "replace")


ANSWERS: Mapping[str, Answer] = {
    "acl|cat": acl_cat,
    "acl|deluser": acl_deluser,
    "acl|dryrun": acl_dryrun,
    "acl|genpass": acl_genpass,
    "acl|getuser": acl_getuser,
    "acl|help": help_answer("ACL", _HELP),
    "acl|list": acl_list,
    "acl|load": acl_file,
    "acl|log": acl_log,
    "acl|save": acl_file,
    "acl|setuser": acl_setuser,
    "acl|users": acl_users,
    "acl|whoami": acl_whoami,
}
