"""memcached's clients, classic and meta: their sessions beside those of Redis, over the same keys."""
