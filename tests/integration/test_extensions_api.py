"""Lambda's Extensions API over real HTTP, answered by a stub; `test_lambda_seam` has the real one."""

import time
from collections.abc import Iterator

import pytest

from offpath.contracts.errors import Transient
from offpath.tracing._extensions_api import ExtensionsApi
from tests.support.servers.lambda_stub import LambdaStub, lambda_stub


@pytest.fixture
def served() -> Iterator[tuple[LambdaStub, ExtensionsApi]]:
    with lambda_stub() as stub:
        yield stub, ExtensionsApi(stub.address)


def test_it_registers_for_invocations_and_asks_with_its_identifier(served: tuple[LambdaStub, ExtensionsApi]) -> None:
    state, api = served
    api.register()
    state.event = {"eventType": "INVOKE", "requestId": "r-1", "deadlineMs": int((time.time() + 60) * 1000)}
    api.wait()
    invocation = api.read()
    assert state.asked == [
        ("/2020-01-01/extension/register", "offpath", {"events": ["INVOKE"]}),
        ("/2020-01-01/extension/event/next", "id-1", None),
    ]
    assert invocation.request_id == "r-1"
    assert 50 < invocation.remaining_seconds() <= 60


def test_a_deadline_that_is_over_leaves_no_time(served: tuple[LambdaStub, ExtensionsApi]) -> None:
    state, api = served
    state.event = {"requestId": "r-1", "deadlineMs": 1}
    api.wait()
    assert api.read().remaining_seconds() == 0


def test_nothing_is_read_that_was_not_waited_for(served: tuple[LambdaStub, ExtensionsApi]) -> None:
    _, api = served
    with pytest.raises(Transient, match="waited for"):
        api.read()


def test_a_refusal_says_what_lambda_answered(served: tuple[LambdaStub, ExtensionsApi]) -> None:
    state, api = served
    state.status, state.event = 403, {"errorType": "Extension.InvalidState"}
    with pytest.raises(Transient, match=r"register: status 403: .*InvalidState"):
        api.register()
