"""Key-space notifications that commands of several types send alike.

Names of events are Redis's own (https://valkey.io/topics/notifications). A command asks `ks.wants_events`
before it calls anything here.
"""

from trio_dynomite.commands.row import Keyspace


def removed(ks: Keyspace, name: str, key: bytes) -> None:
    """Elements were taken out of `key` by what is called `name`; with the last of them the key has gone."""
    ks.event(name, key)
    if ks.kind(key) is None:
        ks.event("del", key)
