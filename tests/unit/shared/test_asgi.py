"""An ASGI application's requests are traces, and its event loop goes on while an answer waits for a receipt."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from offpath.testing import RecordingTracing
from offpath.tracing._asgi import TracedApp
from offpath.tracing._receipts import Receipts
from offpath.tracing._settings import TracedModels
from offpath.tracing._tracing import TracingChoices
from tests.support.coroutines import run
from tests.support.otlp_json import attributes_of, spans_of
from tests.support.slow_worker import SlowWorker


async def item(request: Request) -> Response:
    with request.app.state.tracer.start_as_current_span("model"):
        return JSONResponse({"id": request.path_params["id"]})


async def predict(request: Request) -> Response:
    with request.app.state.tracing.prediction("fraud", "3", inputs={"amount": 7}) as prediction:
        prediction.outputs = "good"
    return JSONResponse({})


async def refuse(_: Request) -> Response:
    raise HTTPException(422)


async def broken(_: Request) -> Response:
    raise ValueError("a defect")


async def stream(request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        for number in range(3):
            with request.app.state.tracer.start_as_current_span(f"part {number}"):
                yield b"x"

    return StreamingResponse(parts())


async def later(request: Request) -> Response:
    return JSONResponse({}, background=BackgroundTask(lambda: request.app.state.tracer.start_span("task").end()))


def application(tracing: RecordingTracing) -> Any:
    routes = [
        Route("/items/{id}", item),
        Route("/predict", predict),
        Route("/refuse", refuse),
        Route("/broken", broken),
        Route("/stream", stream),
        Route("/later", later),
        Mount("/shop", Mount("/{city}", Starlette(routes=[Route("/items/{id}", refuse)]))),
    ]
    app = Starlette(routes=routes)
    app.state.tracer, app.state.tracing = tracing.tracer("app"), tracing
    return tracing.asgi(app)


def get(app: Any, path: str, **headers: str) -> httpx2.Response:
    async def call() -> httpx2.Response:
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return run(call())


@pytest.fixture
def tracing() -> RecordingTracing:
    return RecordingTracing()


def test_a_request_is_one_whole_trace(tracing: RecordingTracing) -> None:
    answer = get(application(tracing), "/items/7", x_session_id="s", x_user_id="u", x_client_request_id="r")
    [event] = tracing.events
    spans = spans_of(event.body)
    assert answer.headers["x-trace-id"] == event.mlflow_trace_id
    assert list(spans) == ["model", "GET /items/{id}"]
    assert spans["model"]["parentSpanId"] == spans["GET /items/{id}"]["spanId"]
    found = {
        key: value["stringValue"]
        for key, value in attributes_of(spans["GET /items/{id}"]).items()
        if "stringValue" in value
    }
    assert found["session.id"] == "s"
    assert found["user.id"] == "u"
    assert found["mlflow.traceTag.client_request_id"] == "r"
    assert found["mlflow.traceTag.mlflow.traceName"] == "GET /items/{id}"


def test_a_callers_long_headers_are_cut_to_what_mlflow_takes(tracing: RecordingTracing) -> None:
    get(application(tracing), "/items/7", x_session_id="s" * 251, x_user_id="u" * 250)
    root = tracing.spans()["GET /items/{id}"]
    assert (root["session.id"], root["user.id"]) == ("s" * 250, "u" * 250)


@pytest.mark.parametrize(
    ("path", "status", "code", "outcome"),
    [
        ("/items/7", 200, None, None),
        ("/refuse", 422, None, "refused"),
        ("/nowhere", 404, None, "refused"),
        ("/broken", 500, "STATUS_CODE_ERROR", "failed"),
    ],
)
def test_only_a_failed_request_is_an_error(
    tracing: RecordingTracing, path: str, status: int, code: str | None, outcome: str | None
) -> None:
    assert get(application(tracing), path).status_code == status
    root = tracing.traces[0].root
    assert root.status.is_ok is not (outcome == "failed")
    assert (root.attributes or {})["http.response.status_code"] == status
    assert (root.attributes or {}).get("mlflow.traceTag.outcome") == outcome


def test_a_streamed_answer_is_one_trace_to_its_end(tracing: RecordingTracing) -> None:
    assert get(application(tracing), "/stream").text == "xxx"
    assert list(spans_of(tracing.events[0].body)) == ["part 0", "part 1", "part 2", "GET /stream"]


def test_work_after_the_answer_does_not_stretch_its_span(tracing: RecordingTracing) -> None:
    get(application(tracing), "/later")
    first, late = tracing.events
    assert list(spans_of(first.body)) == ["GET /later"]
    assert first.trace_id == late.trace_id


@pytest.mark.parametrize("fails", [False, True])
def test_span_around_an_answers_sending_is_in_its_message(tracing: RecordingTracing, *, fails: bool) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        with tracing.provider.get_tracer("instrumentation").start_as_current_span("around"):
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body"})
            if fails:
                raise ValueError("after the answer")

    get(tracing.asgi(app), "/")
    [event] = tracing.events
    spans = spans_of(event.body)
    assert list(spans) == ["around", "GET /"]
    assert int(spans["GET /"]["endTimeUnixNano"]) <= int(spans["around"]["endTimeUnixNano"])
    assert tracing.traces[0].root.status.is_ok


def test_frameworks_own_telemetry_is_off_within_it(tracing: RecordingTracing) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    get(tracing.asgi(app), "/")
    assert [scope["fastapi.telemetry"] for scope in seen] == [None]


def test_below_an_instrumentations_span_it_is_a_child(tracing: RecordingTracing) -> None:
    inner = application(tracing)
    tracer = tracing.provider.get_tracer("instrumentation")

    async def instrumented(scope: Any, receive: Any, send: Any) -> None:
        with tracer.start_as_current_span("SERVER"):
            await inner(scope, receive, send)

    get(instrumented, "/items/7")
    [event] = tracing.events
    assert list(spans_of(event.body)) == ["model", "GET /items/{id}", "SERVER"]


def test_an_answer_waits_for_its_receipt_and_nobody_else_does() -> None:
    worker: Any = SlowWorker()
    receipts = Receipts(worker)
    tracing = RecordingTracing(receipts=receipts)
    tracing.collector.deliver_to(receipts.submit, worker.flush)
    app = application(tracing)

    async def story() -> None:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
            first = asyncio.create_task(client.get("/items/1"))
            while not worker.waiting:
                await asyncio.sleep(0)
            second = asyncio.create_task(client.get("/items/2"))
            while len(worker.waiting) < 2:
                await asyncio.sleep(0)
            assert not first.done()
            worker.waiting[1](True)
            assert (await second).json() == {"id": "2"}
            assert not first.done()
            worker.waiting[0](True)
            assert (await first).json() == {"id": "1"}

    run(story())
    assert worker.flushes == 0, "nothing blocks the event loop"


def before_response(worker: Any, **settings: float) -> RecordingTracing:
    receipts = Receipts(worker, **settings)
    tracing = RecordingTracing(receipts=receipts)
    tracing.collector.deliver_to(receipts.submit, worker.flush)
    return tracing


def test_an_answer_that_the_server_makes_waits_for_its_receipt() -> None:
    worker: Any = SlowWorker()
    tracing = before_response(worker)

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("before an answer")

    async def story() -> None:
        transport = httpx2.ASGITransport(tracing.asgi(broken), raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            answered = asyncio.create_task(client.get("/"))
            while not worker.waiting:
                await asyncio.sleep(0)
            assert not answered.done()
            worker.waiting[0](True)
            assert (await answered).status_code == 500

    run(story())
    assert worker.flushes == 0


def test_an_answer_waits_no_longer_than_the_limit(caplog: pytest.LogCaptureFixture) -> None:
    worker: Any = SlowWorker()
    assert get(application(before_response(worker, longest_seconds=0.05)), "/items/7").json() == {"id": "7"}
    assert len(worker.waiting) == 1
    assert "goes without its receipt" in caplog.text
    worker.waiting[0](True)  # the receipt comes when nobody waits for it any more


def test_a_span_that_ends_in_an_event_loop_blocks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    worker: Any = SlowWorker()
    tracer = before_response(worker).tracer("instrumentation")

    async def instrumented(scope: Any, receive: Any, send: Any) -> None:
        with tracer.start_as_current_span("SERVER"):
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body"})

    for _ in range(2):
        assert get(instrumented, "/").status_code == 200
    assert (len(worker.submitted), worker.flushes) == (2, 0)
    assert caplog.text.count("wrap the application") == 1


async def never_answers(scope: Any, receive: Any, send: Any) -> None:
    """Answer nothing, as when the caller has left."""


async def hangs(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.Event().wait()


async def hangs_within_its_answer(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200})
    await asyncio.Event().wait()


@pytest.mark.parametrize("app", [hangs, hangs_within_its_answer])
@pytest.mark.parametrize("receipts", [False, True])
def test_a_cancelled_request_has_failed(app: Any, *, receipts: bool) -> None:
    worker: Any = SlowWorker()
    tracing = before_response(worker) if receipts else RecordingTracing()
    traced = tracing.asgi(app)

    async def story() -> None:
        async def send(_: Any) -> None:
            pass

        async def nothing() -> Any:
            pass

        scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
        request = asyncio.ensure_future(traced(scope, nothing, send))
        await asyncio.sleep(0)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request

    run(story())
    [ended] = worker.submitted if receipts else tracing.worker.ended
    assert not ended.head.status.is_ok
    assert ended.head.status.description == "CancelledError before the answer was complete"
    assert (ended.head.attributes or {})["mlflow.traceTag.outcome"] == "failed"


def test_a_request_without_any_answer_has_failed(tracing: RecordingTracing) -> None:
    with pytest.raises(AssertionError):  # of the client
        get(tracing.asgi(never_answers), "/")
    assert tracing.spans()["GET /"]["mlflow.traceTag.outcome"] == "failed"


def test_outside_an_application_whoever_ends_the_span_waits(tracing: RecordingTracing) -> None:
    worker: Any = SlowWorker()
    tracing.collector.deliver_to(Receipts(worker).submit, worker.flush)
    tracing.tracer("x").start_span("predict").end()
    assert worker.flushes == 1


def test_an_application_that_is_not_traced_is_untouched() -> None:
    tracing = RecordingTracing(choices=TracingChoices(models=TracedModels.parse("off")))
    answer = get(application(tracing), "/items/7")
    assert "x-trace-id" not in answer.headers
    assert tracing.events == []


def test_a_request_shows_what_its_prediction_was_given(tracing: RecordingTracing) -> None:
    get(application(tracing), "/predict")
    root = attributes_of(spans_of(tracing.events[0].body)["GET /predict"])
    assert root["mlflow.spanInputs"] == {"stringValue": '{"amount": 7}'}
    assert root["mlflow.spanOutputs"] == {"stringValue": '"good"'}


async def knows_no_lifespan(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "http"


async def passes_over_its_lifespan(scope: Any, receive: Any, send: Any) -> None:
    """Return at once."""


async def has_a_lifespan(scope: Any, receive: Any, send: Any) -> None:
    for phase in ("startup", "shutdown"):
        assert (await receive())["type"] == f"lifespan.{phase}"
        await send({"type": f"lifespan.{phase}.complete"})


async def fails_to_start(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    raise RuntimeError("no database")


async def live(app: Any) -> list[str]:
    """Start an application and shut it down, and return what it says."""
    said: list[str] = []
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        said.append(message["type"])

    await app({"type": "lifespan"}, receive, send)
    return said


async def answers_every_scope(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200})


@pytest.mark.parametrize("app", [knows_no_lifespan, passes_over_its_lifespan, has_a_lifespan, answers_every_scope])
def test_what_has_ended_is_sent_as_the_server_ends(app: Any) -> None:
    worker: Any = SlowWorker()
    tracing = RecordingTracing()
    traced = TracedApp(app, tracing)
    object.__setattr__(tracing, "worker", worker)
    assert run(live(traced)) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert worker.flushes == 1


def test_an_application_that_cannot_start_does_not(tracing: RecordingTracing) -> None:
    with pytest.raises(RuntimeError, match="no database"):
        run(live(tracing.asgi(fails_to_start)))


def test_what_a_framework_answers_500_for_is_told() -> None:
    tracing = RecordingTracing()
    assert get(application(tracing), "/broken").status_code == 500
    [trace] = tracing.traces
    assert trace.root.status.description == "ValueError: a defect"
    assert [event.name for event in trace.root.events] == ["exception"]
    assert dict(trace.root.attributes or {})["http.response.status_code"] == 500


def test_a_mounted_route_is_named_from_the_root() -> None:
    tracing = RecordingTracing()
    get(application(tracing), "/shop/bern/items/7")
    [trace] = tracing.traces
    assert trace.root.name == "GET /shop/bern/items/{id}"


def test_nested_applications_name_the_trace_once() -> None:
    tracing = RecordingTracing()
    answer = get(tracing.asgi(application(tracing)), "/items/7")
    [name] = answer.headers.get_list("x-trace-id")
    assert name == tracing.traces[-1].event.mlflow_trace_id
