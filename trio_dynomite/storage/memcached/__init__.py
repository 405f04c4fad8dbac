"""Records in memcached: each an envelope around a string and its stamps.

memcached keeps strings only, does not tell which keys it has, and forgets what it has no room for: so a
cluster on it is a cache. There are no other types, no walks over all keys, and replicas do not compare
themselves; what memcached evicts is gone from that replica, a tombstone too.
"""
