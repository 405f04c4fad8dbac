"""What the examples share: redis-py, or a word on how to get it; a client for each node; printing."""

import sys
from contextlib import ExitStack

try:
    import redis

    from trio_dynomite.testing.local import LocalCluster
except ModuleNotFoundError as missing:
    sys.exit(
        f"This example needs {missing.name!r}, which is not installed here. In the top directory:\n"
        "    sh scripts/venv.sh test\n"
        f"    .venv/bin/python {sys.argv[0]}"
    )


def connect(cluster: LocalCluster, stack: ExitStack, name: str, level: str | None = None) -> "redis.Redis":
    """A plain redis-py client of one node, at a consistency level of its own when one is given."""
    node = cluster[name]
    client = redis.Redis(
        node.host, node.port, decode_responses=True, single_connection_client=True, socket_timeout=10
    )
    stack.callback(client.close)
    if level is not None:
        client.execute_command("DYNO_CONFIG:CONN_CONSISTENCY", level)
    return client


def attempt(what: str, client: "redis.Redis", *command: str) -> None:
    """Print what a command answers, be it an error."""
    try:
        answer = client.execute_command(*command)
        answer = "OK" if answer is True else answer
    except redis.RedisError as error:
        answer = f"({error})"
    print(f"  {what:<34} {' '.join(command):<22} {answer}")
