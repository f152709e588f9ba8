"""Deployments that several tests share, as each of them takes a while to start."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.rolling.deployment import Deployment, Services
from tests.support.rolling.releases import Release

PARTS = ("model_sync", "writer", "api", "worker")


class Pipelines:
    """A pipeline of each release, started when it is first wanted. One in which something failed is not used again."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._running: dict[str, Deployment] = {}

    @contextmanager
    def of(self, release: Release) -> Iterator[Deployment]:
        """Lend a pipeline whose parts are all of that release, as they are to be again at the end."""
        deployment = self._running.pop(release.name, None) or Deployment(self._services)
        try:
            if not deployment.apis:
                deployment.start(release, *PARTS)
            yield deployment
        except BaseException:
            deployment.clean_up()
            raise
        self._running[release.name] = deployment

    @contextmanager
    def empty(self) -> Iterator[Deployment]:
        """Lend a deployment of which no part runs, and end at the end whatever does by then."""
        deployment = Deployment(self._services)
        try:
            yield deployment
        finally:
            deployment.clean_up()

    def clean_up(self) -> None:
        """End every process."""
        for deployment in self._running.values():
            deployment.clean_up()
