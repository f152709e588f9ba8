"""Each part of the pipeline is replaced by that of another release, and put back, with events under way.

The neighbours of the previous release and of this one work together, in each direction: no event is lost, no model is
unserved at any moment, and each job ends once. All parts are real processes, each of which runs its release's code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local.testbed.servers import mlflow_server, sqlite
from tests.support.rolling.deployment import Deployment, Services
from tests.support.rolling.releases import TODAY, Release, previous_release
from tests.support.rolling.served_models import register_all
from tests.support.rolling.traffic import Account, callers
from tests.support.rolling.work import WORK
from tests.support.servers.holding_proxy import HoldingProxy, holding_proxy
from tests.support.servers.mlflow_rest import Mlflow

PARTS = ("model_sync", "writer", "api", "worker")


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return previous_release(tmp_path_factory.mktemp("previous"))


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mlflow]:
    folder = tmp_path_factory.mktemp("mlflow")
    with sqlite(folder) as database, mlflow_server(database, folder) as url:
        server = Mlflow(url)
        register_all(server)
        yield server


@pytest.fixture(scope="module")
def proxy(mlflow: Mlflow) -> Iterator[HoldingProxy]:
    with holding_proxy(mlflow.url) as proxy:
        yield proxy


class Pipelines:
    """A pipeline of each release, started when it is first wanted. One in which something failed is not used again."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._running: dict[str, Deployment] = {}

    @contextmanager
    def of(self, release: Release) -> Iterator[Deployment]:
        """A pipeline whose parts are all of that release, as they are to be again at the end."""
        deployment = self._running.pop(release.name, None) or Deployment(self._services)
        try:
            if not deployment.apis:
                deployment.start(release, *PARTS)
            yield deployment
        except BaseException:
            deployment.clean_up()
            raise
        self._running[release.name] = deployment

    def clean_up(self) -> None:
        for deployment in self._running.values():
            deployment.clean_up()


@pytest.fixture(scope="module")
def pipelines(
    tmp_path_factory: pytest.TempPathFactory, moto_url: str, mlflow: Mlflow, proxy: HoldingProxy
) -> Iterator[Pipelines]:
    pipelines = Pipelines(Services(tmp_path_factory.mktemp("logs"), moto_url, mlflow.url, proxy.url))
    yield pipelines
    pipelines.clean_up()


@pytest.fixture(params=["forward", "back"])
def releases(request: pytest.FixtureRequest, previous: Release) -> tuple[Release, Release]:
    """The release that runs, and the one whose part takes the place of its own for a while."""
    return (previous, TODAY) if request.param == "forward" else (TODAY, previous)


@pytest.mark.parametrize("part", PARTS)
def test_part_is_replaced_and_put_back(
    part: str, releases: tuple[Release, Release], pipelines: Pipelines, mlflow: Mlflow, proxy: HoldingProxy
) -> None:
    release, other = releases
    with pipelines.of(release) as deployment:
        work = WORK[part](deployment, mlflow, proxy)
        with callers(deployment):
            work.begin()
            deployment.replace(part, other)
            work.go_on()
            deployment.replace(part, release)
            work.end()
        Account(deployment).settle()
