"""Applications as they come, with a small job each on three racks: task queues, caches, sessions, locks.

Those that change keys of several slots in one transaction or script need a cluster in which one rack leads
all keys; the others run on one in which every rack leads its share.
"""

from collections.abc import Iterator

import pytest

from tests.integration import others
from tests.integration.cluster import QUORUM
from trio_dynomite.testing.local import LocalCluster

pytestmark = pytest.mark.integration

NEED_ONE_RACK = ("celery_job", "rq_job", "arq_job", "dramatiq_job", "django_job")
NEED_NOTHING = ("huey_job", "flask_job", "lock_job", "limits_job")


@pytest.fixture(scope="module", params=["spread", "one rack"])
def cluster(request: pytest.FixtureRequest) -> Iterator[LocalCluster]:
    sections = {
        "cluster": {"name": "applications", "primaries": request.param},
        "consistency": {"read": QUORUM, "write": QUORUM},
    }
    with LocalCluster(sections=sections) as cluster:
        yield cluster


def finishes(job: str, cluster: LocalCluster, **environment: str) -> None:
    """The job comes to its end, and nothing in it was wrong."""
    ports = " ".join(str(node.port) for node in cluster)
    done = others.run(f"applications/{job}.py", environment={"PORTS": ports, **environment})
    assert done.returncode == 0, f"{job}:\n{done.stdout[-6000:]}"


@pytest.mark.parametrize("cluster", ["spread"], indirect=True)
@pytest.mark.parametrize("job", NEED_NOTHING)
def test_an_application_finishes_its_job(cluster: LocalCluster, job: str) -> None:
    finishes(job, cluster)


@pytest.mark.parametrize("cluster", ["spread"], indirect=True)
def test_celery_can_have_all_its_keys_in_one_slot(cluster: LocalCluster) -> None:
    finishes("celery_job", cluster, KEY_PREFIX="{celery}:")


@pytest.mark.parametrize("cluster", ["spread"], indirect=True)
def test_django_caches_anywhere_what_is_set_one_by_one(cluster: LocalCluster) -> None:
    finishes("django_job", cluster, ONE_BY_ONE="yes")


@pytest.mark.parametrize("cluster", ["one rack"], indirect=True)
@pytest.mark.parametrize("job", NEED_ONE_RACK)
def test_an_application_may_take_any_keys_together_where_one_rack_leads(
    cluster: LocalCluster, job: str
) -> None:
    finishes(job, cluster)
