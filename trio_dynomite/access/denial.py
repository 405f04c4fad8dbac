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
    PATTERN = 5  # the right to read every key, which SORT with BY or GET needs; not of a selector, not logged
    AUTH = 6  # in the log only: a wrong password


_WORDS = {
    Reason.DATABASE: "No permissions to access database",
    Reason.KEY: "No permissions to access a key",
    Reason.CHANNEL: "No permissions to access a channel",
}
_SINCE_QUEUED = {
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
    """What may not be touched: the key, the channel, the database; of a command its name, of a pattern the
    option that has it."""

    @property
    def reply(self) -> str:
        """The error for the client."""
        return self._pattern() if self.reason is Reason.PATTERN else f"NOPERM {self._words()}"

    @property
    def reply_in_script(self) -> str:
        """The error for a script that tried it."""
        if self.reason is Reason.PATTERN:
            return self._pattern()
        return f"ERR ACL failure in script: {self._words()}"

    @property
    def reply_since_queued(self) -> str:
        """The error in EXEC's reply for a command that was still allowed when MULTI queued it."""
        if self.reason is Reason.PATTERN:
            return self._pattern()
        why = _SINCE_QUEUED.get(self.reason, "no permission")
        return (
            "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call."
            f" This command is no longer allowed for the following reason: {why}"
        )

    @property
    def all_words(self) -> str:
        """What an administrator is told, who may know the names of keys and channels."""
        who, what = _text(self.user), _text(self.object)
        if self.reason is Reason.COMMAND:
            return self._words()
        if self.reason is Reason.DATABASE:
            return f"User {who} has no permissions to access database {what}"
        return f"User {who} has no permissions to access the '{what}' {self.reason.name.lower()}"

    def _words(self) -> str:
        if self.reason is Reason.COMMAND:
            return f"User {_text(self.user)} has no permissions to run the '{self.command}' command"
        return _WORDS[self.reason]

    def _pattern(self) -> str:
        return f"ERR {_text(self.object)} option of SORT denied due to insufficient ACL permissions."


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
