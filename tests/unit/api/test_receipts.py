"""With `OFFPATH_DELIVERY=before_response` an answer waits for its trace's receipt, and no other request does."""

import asyncio
from typing import Any

import httpx2
import pytest

from local.testbed.models import SETOSA
from offpath.testing import RecordingTracing
from offpath.tracing import Receipts
from offpath.tracing._settings import TracedModels
from offpath.tracing._tracing import TracingChoices
from tests.support.builders.api import Api
from tests.support.coroutines import run
from tests.support.slow_worker import SlowWorker


@pytest.fixture
def worker() -> SlowWorker:
    return SlowWorker()


def waiting_api(worker: Any, tracing: str = "on") -> Api:
    receipts = Receipts(worker)
    recording = RecordingTracing(choices=TracingChoices(models=TracedModels.parse(tracing)), receipts=receipts)
    recording.collector.deliver_to(receipts.submit, worker.flush)
    return Api(tracing=recording)


def client_of(api: Api) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(api.app), base_url="http://test")


@pytest.mark.parametrize("body", [SETOSA, {}], ids=["answered", "refused"])
def test_another_request_is_answered_while_one_waits(worker: SlowWorker, body: dict[str, float]) -> None:
    async def story() -> None:
        async with client_of(waiting_api(worker)) as client:
            first = asyncio.create_task(client.post("/models/iris/predict", json=body))
            while not worker.waiting:
                await asyncio.sleep(0)
            second = asyncio.create_task(client.post("/models/sum/predict", json={"a": 1, "b": 2}))
            while len(worker.waiting) < 2:
                await asyncio.sleep(0)
            assert (await client.get("/health")).status_code == 200
            worker.waiting[1](True)
            assert (await second).json()["predictions"] == [{"value": 3.0}]
            assert not first.done()
            worker.waiting[0](True)
            assert (await first).status_code == (200 if body else 422)

    run(story())
    assert len(worker.submitted) == 2
    assert worker.flushes == 0, "nothing blocks the event loop"


def test_an_untraced_request_waits_for_nothing(worker: SlowWorker) -> None:
    async def story() -> None:
        async with client_of(waiting_api(worker, "iris=off")) as client:
            assert (await client.post("/models/iris/predict", json=SETOSA)).status_code == 200

    run(story())
    assert (worker.submitted, worker.waiting, worker.flushes) == ([], [], 0)
