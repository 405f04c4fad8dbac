"""`load`: read, override, structure, check; then settings, or every mistake at once."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

from trio_dynomite.config import checks, secrets, sources
from trio_dynomite.config.kinds import Text
from trio_dynomite.config.rocksdb import RocksDB
from trio_dynomite.config.servers import Memcached, Redis
from trio_dynomite.config.settings import (
    Access,
    Cluster,
    Consistency,
    Gossip,
    Hints,
    Limits,
    NodeSettings,
    Repair,
    Settings,
    Storage,
    Timeouts,
)
from trio_dynomite.config.sources import Place, Problem
from trio_dynomite.config.structure import structure, unknown
from trio_dynomite.errors import ConfigError, ConfigProblem


def load(path: str | Path, env: Mapping[str, str], overrides: Iterable[str] = ()) -> Settings:
    """The settings in the file at `path`, changed by `env`, changed by `overrides`.

    Args:
        path: The TOML file.
        env: The environment; `TRIO_DYNOMITE__SECTION__KEY` in it sets `section.key`.
        overrides: `section.key=value` each; a node's settings are `nodes.NAME.key`.

    Raises:
        ConfigError: The file cannot be read or anything in it is wrong; it holds every mistake.
    """
    tree = sources.read_file(Path(path))
    problems = sources.apply(tree, env, overrides)
    problems += secrets.resolve(tree, env, Path(path).parent)
    _resolve_seeds_file(tree, Path(path).parent)
    _resolve_certificates(tree, Path(path).parent)
    settings = settle(tree, problems)
    if settings is None:
        raise ConfigError(str(path), tuple(_report(tree, problem) for problem in problems))
    return settings


def _resolve_seeds_file(tree: dict[str, Any], folder: Path) -> None:
    """A file of seeds is looked for where the configuration is, like files of secrets."""
    cluster = tree.get("cluster")
    seeds = cluster.get("seeds") if isinstance(cluster, dict) else None
    if isinstance(seeds, dict) and isinstance(seeds.get("file"), str):
        seeds["file"] = str(folder / seeds["file"])


def _resolve_certificates(tree: dict[str, Any], folder: Path) -> None:
    """So are certificates and their keys."""
    redis = tree.get("redis")
    if isinstance(redis, dict):
        for name in ("tls_ca", "tls_cert", "tls_key"):
            given = redis.get(name)
            if isinstance(given, str) and given:
                path = str(folder / given)
                redis[name] = Text(path, given.origin) if isinstance(given, Text) else path


def settle(tree: dict[str, Any], problems: list[Problem]) -> Settings | None:
    """The settings in `tree`; None when `problems` has any, after all that are in the tree were added."""
    known = [each.name for each in attrs.fields(Settings)]
    problems += [((key,), unknown(key, known)) for key in tree if key not in known]

    cluster = structure(tree.get("cluster", {}), Cluster, ("cluster",), problems)
    consistency = structure(tree.get("consistency", {}), Consistency, ("consistency",), problems)
    storage = structure(tree.get("storage", {}), Storage, ("storage",), problems)
    redis = structure(tree.get("redis", {}), Redis, ("redis",), problems)
    memcached = structure(tree.get("memcached", {}), Memcached, ("memcached",), problems)
    rocksdb = structure(tree.get("rocksdb", {}), RocksDB, ("rocksdb",), problems)
    timeouts = structure(tree.get("timeouts", {}), Timeouts, ("timeouts",), problems)
    limits = structure(tree.get("limits", {}), Limits, ("limits",), problems)
    hints = structure(tree.get("hints", {}), Hints, ("hints",), problems)
    repair = structure(tree.get("repair", {}), Repair, ("repair",), problems)
    gossip = structure(tree.get("gossip", {}), Gossip, ("gossip",), problems)
    access = structure(tree.get("access", {}), Access, ("access",), problems)
    nodes = _nodes(tree.get("nodes", []), problems)

    if cluster is not None:
        problems += checks.check_cluster(cluster)
        problems += checks.check_seeds(cluster)
        problems += checks.check_tokens(nodes, cluster)
    if timeouts is not None:
        problems += checks.check_timeouts(timeouts)
    if storage is not None:
        problems += checks.check_storage(storage, nodes)
    if rocksdb is not None:
        problems += checks.check_rocksdb(rocksdb)
    if storage is not None and limits is not None:
        problems += checks.check_memory(storage, limits, nodes)
    if storage is not None and repair is not None:
        problems += checks.check_repair(repair, storage, nodes)
    if storage and redis and memcached:
        problems += checks.check_servers(storage, redis, memcached, nodes)
        problems += checks.check_plain(redis, storage, consistency, nodes)
    if gossip is not None:
        problems += checks.check_gossip(gossip)
    problems += checks.check_nodes(nodes)
    if access is not None:
        mistakes = list(checks.check_access(access))
        problems += mistakes or checks.check_protection(access, nodes)
    if problems or not (cluster and consistency and storage and timeouts and limits):
        return None
    if not (hints and repair and access and redis and memcached and gossip and rocksdb):
        return None
    return Settings(
        cluster=cluster,
        consistency=consistency,
        storage=storage,
        redis=redis,
        memcached=memcached,
        rocksdb=rocksdb,
        timeouts=timeouts,
        limits=limits,
        hints=hints,
        repair=repair,
        gossip=gossip,
        access=access,
        nodes=tuple(node for _, node in nodes),
    )


def _nodes(tables: object, problems: list[Problem]) -> checks.Numbered:
    if not isinstance(tables, list):
        problems.append((("nodes",), "must be a list of tables: write [[nodes]] above each node"))
        return []
    if not tables:
        problems.append((("nodes",), "at least one [[nodes]] table is needed"))
    read = [(at, structure(table, NodeSettings, ("nodes", at), problems)) for at, table in enumerate(tables)]
    return [(at, node) for at, node in read if node is not None]


def _report(tree: dict[str, Any], problem: Problem) -> ConfigProblem:
    """A mistake in words: its path, and who gave the value when it was not the file."""
    place, message = problem
    origin = _origin(tree, place)
    return ConfigProblem(_path(place), f"{message} (given by {origin})" if origin else message)


def _path(place: Place) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return "".join(steps).removeprefix(".")


def _origin(tree: dict[str, Any], place: Place) -> str | None:
    value: Any = tree
    for step in place:
        if isinstance(value, Text):
            break
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value.origin if isinstance(value, Text) else None
