"""trio-dynomite: a masterless, replicated, Redis-compatible database on Trio."""

__version__ = "0.1.0"
