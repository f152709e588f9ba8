"""Lambda's Extensions API in memory behaves as the real adapter sees it; test_lambda_seam has the real Lambda."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import pytest

from offpath.contracts.errors import Transient
from offpath.tracing._extensions_api import ExtensionsApi, Invocation
from offpath.tracing._lambda_extension import Extensions
from tests.support.fakes.extensions_api import FakeExtensionsApi
from tests.support.servers.lambda_stub import LambdaStub, lambda_stub


class Lambda(Protocol):
    """Begins invocations, and ends the environment."""

    def invoke(self, request_id: str, seconds: float) -> None: ...
    def end(self) -> None: ...


@dataclass
class OverHttp:
    """Invocations that the stub answers with."""

    stub: LambdaStub

    def invoke(self, request_id: str, seconds: float) -> None:
        self.stub.event = {"requestId": request_id, "deadlineMs": int((time.time() + seconds) * 1000)}

    def end(self) -> None:
        self.stub.status = 500


@pytest.fixture(params=["fake", "http"])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[Extensions, Lambda]]:
    """An extension's side, and Lambda's."""
    if request.param == "fake":
        fake = FakeExtensionsApi()
        yield fake, fake
        return
    with lambda_stub() as stub:
        yield ExtensionsApi(stub.address), OverHttp(stub)


def test_each_invocation_is_read_after_it_was_waited_for(ends: tuple[Extensions, Lambda]) -> None:
    extension, environment = ends
    extension.register()
    for request_id in ("first", "second"):
        environment.invoke(request_id, 60)
        extension.wait()
        invocation = extension.read()
        assert invocation.request_id == request_id
        assert 0 < invocation.remaining_seconds() <= 60


def test_an_invocation_whose_time_is_over_has_none_left(ends: tuple[Extensions, Lambda]) -> None:
    extension, environment = ends
    extension.register()
    environment.invoke("late", -1)
    extension.wait()
    assert extension.read().remaining_seconds() == 0


def test_an_environment_that_ends_is_transient(ends: tuple[Extensions, Lambda]) -> None:
    extension, environment = ends
    extension.register()
    environment.end()
    with pytest.raises(Transient):
        next_invocation(extension)


def next_invocation(extension: Extensions) -> Invocation:
    """Wait for the next invocation, and read it: which of the two fails is the environment's affair."""
    extension.wait()
    return extension.read()
