"""Storage on a Redis or Valkey server: what is asked of it, and what its answers mean. Pure.

A key's data is the client's own key, of the native type and with the native deadline, so that any read
command can be sent as it is, and whoever looks with redis-cli sees what the clients see. All that a record
knows beside that stands in keys of the node's own, which begin with the byte 1 (`layout.py`).
"""
