"""What the launcher asks of the machine: which addresses are its own, and how many files may be open."""

import resource
import socket

FILES_BESIDE_CLIENTS = 256
"""Descriptors for listeners, peers, logs and libraries."""


def is_own_address(host: str) -> bool:
    """Whether `host` is, or resolves to, an address of this machine: one that a socket can be bound to."""
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return any(_can_bind(family, address) for family, _, _, _, address in found)


def raise_file_limit(clients: int) -> int | None:
    """Allow open files for `clients` clients; returns for how many there are when they are too few."""
    wanted = clients + FILES_BESIDE_CLIENTS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return None
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return None if allowed == wanted else max(allowed - FILES_BESIDE_CLIENTS, 0)


def _can_bind(family: int, address: tuple[object, ...]) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind(address)
    except OSError:
        return False
    return True
