"""Django: its own cache backend and django-redis, on all three nodes, and sessions in the cache.

With ONE_BY_ONE in the environment, nothing that they do to many keys in one transaction is asked for."""

import os
from typing import Any

import django
from django.conf import settings
from place import url

BACKENDS = {
    "own": "django.core.cache.backends.redis.RedisCache",
    "django_redis": "django_redis.cache.RedisCache",
}
TOGETHER = "ONE_BY_ONE" not in os.environ
NODES = [url(0), url(1), url(2)]
settings.configure(
    CACHES={
        "default": {"BACKEND": BACKENDS["own"], "LOCATION": url(1), "KEY_PREFIX": "default"},
        **{name: {"BACKEND": path, "LOCATION": NODES, "KEY_PREFIX": name} for name, path in BACKENDS.items()},
    },
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
    INSTALLED_APPS=["django.contrib.sessions"],
)
django.setup()

from django.contrib.sessions.backends.cache import SessionStore  # noqa: E402 - after setup
from django.core.cache import caches  # noqa: E402


def use(cache: Any) -> None:
    """What every backend of Django's can do; reads go to any node, since the location has three."""
    cache.set("greeting", {"text": "hello", "to": ["everybody"]}, timeout=100)
    assert cache.get("greeting") == {"text": "hello", "to": ["everybody"]}
    assert cache.add("greeting", 1) is False
    assert cache.get_or_set("once", lambda: "made") == "made"
    cache.set("n", 1)
    assert cache.incr("n", 4) == 5
    assert cache.decr("n") == 4
    many = {f"many:{number}": number for number in range(50)}
    if TOGETHER:
        assert cache.set_many(many) in ([], None)
    else:
        for name, value in many.items():
            cache.set(name, value)
    assert cache.get_many([*many, "none"]) == many
    assert cache.touch("greeting", 200)
    assert cache.has_key("greeting")
    assert cache.get("none", "nothing") == "nothing"
    cache.delete_many(many)
    assert cache.get_many(many) == {}
    assert cache.delete("greeting")
    assert "greeting" not in cache


for name in BACKENDS:
    use(caches[name])

extra = caches["django_redis"]
for number in range(30):
    extra.set(f"page:{number}", number)
assert len(extra.keys("page:*")) == 30
assert sorted(extra.iter_keys("page:1*")) == sorted(f"page:{number}" for number in (1, *range(10, 20)))
assert 298 <= (extra.set("short", 1, timeout=300) and extra.ttl("short")) <= 300
if TOGETHER:
    assert extra.delete_pattern("page:*") == 30
with extra.lock("alone", timeout=5):
    assert not extra.lock("alone", timeout=5).acquire(blocking=False)

session = SessionStore()
session["user"] = 7
session.save()
assert SessionStore(session.session_key)["user"] == 7
session.cycle_key()
session.flush()
assert not session.exists(session.session_key or "none")

caches["own"].clear()
assert caches["own"].get("n") is None
