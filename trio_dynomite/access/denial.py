"""Why a request is refused, and the words for it: Redis's own, because clients and their users look for them.

The words that go to the client itself name no key and no channel, since it may have been told to probe for
them; those for an administrator (ACL DRYRUN) do. Source: `getAclErrorMessage` in Valkey's `acl.c`.
"""

import enum

from attrs import frozen

NOT_AUTHENTICATED = "NOAUTH Authentication required."


class Reason(enum.IntEnum):
    """What a user lacks. Of several selectors' reasons the highest one is told."""

    DATABASE = 1
    COMMAND = 2
    KEY = 3
    CHANNEL = 4
    AUTH = 5  # in the log only: a wrong password


_WORDS = {
    Reason.DATABASE: "No permissions to access database",
    Reason.KEY: "No permissions to access a key",
    Reason.CHANNEL: "No permissions to access a channel",
}
_IN_TRANSACTION = {
    Reason.COMMAND: "no permission to execute the command or subcommand",
    Reason.KEY: "no permission to touch the specified keys",
    Reason.CHANNEL: "no permission to access one of the channels used as arguments",
}


@frozen
class Denial:
    """A request that a user may not make."""

    reason: Reason
    user: bytes
    command: str
    """The row's name."""
    object: bytes
    """What may not be touched: the key, the channel, the database; of a command its name."""

    @property
    def words(self) -> str:
        """What the client is told, without the kind of error (NOPERM) before it."""
        if self.reason is Reason.COMMAND:
            return f"User {_text(self.user)} has no permissions to run the '{self.command}' command"
        return _WORDS[self.reason]

    @property
    def all_words(self) -> str:
        """What an administrator is told."""
        who, what = _text(self.user), _text(self.object)
        if self.reason is Reason.COMMAND:
            return self.words
        if self.reason is Reason.DATABASE:
            return f"User {who} has no permissions to access database {what}"
        return f"User {who} has no permissions to access the '{what}' {self.reason.name.lower()}"

    @property
    def since_queued(self) -> str:
        """The error in EXEC's reply for a command that was still allowed when MULTI queued it."""
        why = _IN_TRANSACTION.get(self.reason, "no permission")
        return (
            "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call."
            f" This command is no longer allowed for the following reason: {why}"
        )


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
