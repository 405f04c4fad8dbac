"""The rows of the commands on hashes: data only.

Flags, arities, key positions and categories are Valkey 9.1's own (its COMMAND INFO).
"""

from trio_dynomite.commands import hash_expiry, hash_fields, hashes
from trio_dynomite.commands.key_rows import row
from trio_dynomite.commands.row import Row

HASH_ROWS: tuple[Row, ...] = (
    row("hset", -4, "write denyoom fast", "write hash fast", hashes.hset),
    row("hmset", -4, "write denyoom fast", "write hash fast", hashes.hmset),
    row("hsetnx", 4, "write denyoom fast", "write hash fast", hashes.hsetnx),
    row("hget", 3, "readonly fast", "read hash fast", hashes.hget),
    row("hmget", -3, "readonly fast", "read hash fast", hashes.hmget),
    row("hdel", -3, "write fast", "write hash fast", hashes.hdel),
    row("hexists", 3, "readonly fast", "read hash fast", hashes.hexists),
    row("hlen", 2, "readonly fast", "read hash fast", hashes.hlen),
    row("hstrlen", 3, "readonly fast", "read hash fast", hashes.hstrlen),
    row("hgetall", 2, "readonly", "read hash slow", hashes.hgetall),
    row("hkeys", 2, "readonly", "read hash slow", hashes.hkeys),
    row("hvals", 2, "readonly", "read hash slow", hashes.hvals),
    row("hincrby", 4, "write denyoom fast", "write hash fast", hashes.hincrby),
    row("hincrbyfloat", 4, "write denyoom fast", "write hash fast", hashes.hincrbyfloat),
    row("hrandfield", -2, "readonly", "read hash slow", hashes.hrandfield),
    row("hscan", -3, "readonly", "read hash slow", hashes.hscan),
    row("hsetex", -6, "write denyoom fast", "write hash fast", hash_fields.hsetex),
    row("hgetex", -5, "write fast", "write hash fast", hash_fields.hgetex),
    row("hgetdel", -5, "write fast", "write hash fast", hash_fields.hgetdel),
    row("hexpire", -6, "write fast", "write hash fast", hash_expiry.hexpire),
    row("hpexpire", -6, "write fast", "write hash fast", hash_expiry.hpexpire),
    row("hexpireat", -6, "write fast", "write hash fast", hash_expiry.hexpireat),
    row("hpexpireat", -6, "write fast", "write hash fast", hash_expiry.hpexpireat),
    row("httl", -5, "readonly fast", "read hash fast", hash_expiry.httl),
    row("hpttl", -5, "readonly fast", "read hash fast", hash_expiry.hpttl),
    row("hexpiretime", -5, "readonly fast", "read hash fast", hash_expiry.hexpiretime),
    row("hpexpiretime", -5, "readonly fast", "read hash fast", hash_expiry.hpexpiretime),
    row("hpersist", -5, "write fast", "write hash fast", hash_expiry.hpersist),
)
