"""Whose trace a prediction is: its own, linked to its caller's, named and marked as the caller says."""

import json
from typing import Any

import pytest
from opentelemetry import context as current_context
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY

from local.testbed.models import SETOSA, iris_onnx, iris_version, manifest_of
from offpath.contracts.model_manifest import ModelVersion
from offpath.testing import RecordedTrace, RecordingTracing
from offpath.tracing._settings import TracedModels
from offpath.tracing._tracing import TracingChoices
from prediction_api.adapters.onnx_model import OnnxModel
from prediction_api.models.loader import ModelFiles
from tests.support.builders.api import Api, BrokenPredictor

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
ROUTES = ("predict", "invocations")
DEEP = b"[" * 100_000
CALLER_TAG = "mlflow.traceTag.caller_trace_id"


def ask(
    api: Api, body: Any = None, model: str = "iris", route: str = "predict", query: str = "", **headers: str
) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body or {"inputs": [SETOSA]}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.client.post(f"/models/{model}/{route}{query}", content=content, headers=named)


def traceparent(flags: str = "01") -> str:
    return f"00-{TRACE_ID}-{SPAN_ID}-{flags}"


def choosing(**choices: Any) -> Api:
    return Api(tracing=RecordingTracing(choices=TracingChoices(**choices)))


def latest(api: Api) -> RecordedTrace:
    return api.traced.traces[-1]


def told(trace: RecordedTrace) -> dict[str, Any]:
    return dict(trace.root.attributes or {})


@pytest.mark.parametrize("flags", ["00", "01"])
@pytest.mark.parametrize("route", ROUTES)
def test_a_trace_of_its_own_links_to_the_callers(route: str, flags: str) -> None:
    api = Api()
    answer = ask(api, route=route, traceparent=traceparent(flags))
    trace = latest(api)
    [link] = trace.root.links
    assert (f"{link.context.trace_id:032x}", f"{link.context.span_id:016x}") == (TRACE_ID, SPAN_ID)
    assert told(trace)[CALLER_TAG] == TRACE_ID
    assert trace.root.parent is None
    assert answer.headers["x-trace-id"] == trace.event.mlflow_trace_id != f"tr-{TRACE_ID}"


def test_requests_of_one_traceparent_are_traces_of_their_own() -> None:
    api = Api()
    for model, body in (("iris", None), ("sum", {"a": 1, "b": 2})):
        assert ask(api, body, model, traceparent=traceparent()).status_code == 200
    assert len({event.trace_id for event in api.traced.events}) == 2
    assert [event.experiment for event in api.traced.events] == ["offpath/iris", "offpath/sum"]


@pytest.mark.parametrize(("state", "experiment"), [("offpath=shop%2Forders", "shop/orders"), ("", "offpath")])
def test_a_callers_trace_is_continued_if_set(state: str, experiment: str) -> None:
    api = choosing(traceparent="continue")
    answer = ask(api, traceparent=traceparent("00"), tracestate=state)
    assert answer.json()["trace_id"] == answer.headers["x-trace-id"] == f"tr-{TRACE_ID}"
    trace = latest(api)
    assert trace.event.experiment == experiment
    assert trace.root.parent is not None
    assert f"{trace.root.parent.span_id:016x}" == SPAN_ID
    assert CALLER_TAG not in told(trace)


def test_a_trace_that_begins_here_tells_callees_its_experiment() -> None:
    api = choosing(traceparent="continue")
    ask(api)
    context = latest(api).root.get_span_context()
    assert context is not None
    assert context.trace_state.get("offpath") == "offpath/iris"


def test_a_callers_trace_is_ignored_if_set() -> None:
    api = choosing(traceparent="ignore")
    ask(api, traceparent=traceparent())
    assert latest(api).root.links == ()
    assert CALLER_TAG not in told(latest(api))


def test_an_unusable_traceparent_is_no_caller() -> None:
    api = Api()
    assert ask(api, traceparent="00-nothing").status_code == 200
    assert latest(api).root.links == ()


def test_a_span_around_the_application_is_not_its_parent() -> None:
    api = Api()
    with api.traced.provider.get_tracer("instrumentation").start_as_current_span("around"):
        ask(api)
    assert latest(api).root.name == "around"
    assert api.traced.traces[0].root.parent is None


@pytest.mark.parametrize("route", ROUTES)
def test_headers_say_session_user_and_request(route: str) -> None:
    api = Api()
    ask(api, route=route, x_session_id="s", x_user_id="u", x_client_request_id="r-1")
    found = told(latest(api))
    assert (found["session.id"], found["user.id"], found["mlflow.traceTag.client_request_id"]) == ("s", "u", "r-1")


@pytest.mark.parametrize(("sent", "shown"), [("Zoë".encode(), "Zoë"), ("Zoë".encode("latin-1"), "Zoë")])
def test_names_beyond_ascii_are_read_in_either_encoding(sent: bytes, shown: str) -> None:
    api = Api()
    api.client.post("/models/iris/predict", json=SETOSA, headers={b"x-user-id": sent})
    assert told(latest(api))["user.id"] == shown


def test_empty_headers_say_nothing() -> None:
    api = Api()
    ask(api, x_session_id="", x_user_id="", x_client_request_id="")
    assert not {"session.id", "user.id", "mlflow.traceTag.client_request_id"} & told(latest(api)).keys()


@pytest.mark.parametrize(
    ("header", "attribute"),
    [
        ("x-session-id", "session.id"),
        ("x-user-id", "user.id"),
        ("x-client-request-id", "mlflow.traceTag.client_request_id"),
    ],
)
def test_a_header_that_is_too_long_is_refused(header: str, attribute: str) -> None:
    api = Api()
    assert ask(api, **{header: "x" * 250}).status_code == 200
    answer = ask(api, **{header: "x" * 251})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": header, "message": "expected at most 250 characters, got 251"}]
    assert told(latest(api))[attribute] == "x" * 250, "MLflow takes the refused request's trace, too"


@pytest.mark.parametrize(
    ("body", "query", "status"),
    [
        ({"inputs": [{}]}, "", 422),
        ({"inputs": [SETOSA]}, "?alias=nobody", 404),
        ({"inputs": [SETOSA]}, "?alias=champion&version=1", 400),
        (b" " * 3_000, "", 413),
        (b"{", "", 400),
    ],
)
def test_a_refused_request_is_its_models_and_no_error(body: Any, query: str, status: int) -> None:
    api = Api(max_body_bytes=2_000)
    answer = ask(api, body, query=query)
    assert answer.status_code == status
    trace = latest(api)
    found = told(trace)
    assert trace.event.experiment == "offpath/iris"
    assert found["mlflow.traceTag.mlflow.traceName"] == found["mlflow.traceTag.model"] == "iris"
    assert found["mlflow.traceTag.outcome"] == "refused"
    assert json.loads(found["mlflow.spanOutputs"]) == answer.json()
    assert {span.status.status_code.name for span in trace.spans} == {"UNSET"}


def test_a_request_to_no_model_is_named_after_its_route() -> None:
    api = Api()
    assert ask(api, model="irsi").status_code == 404
    found = told(latest(api))
    assert found["mlflow.traceTag.mlflow.traceName"] == "POST /models/{name}/predict"
    assert found["mlflow.traceTag.outcome"] == "refused"
    assert "mlflow.traceTag.model" not in found
    assert latest(api).event.experiment == "offpath", "a made-up name must not become an experiment"


def test_a_model_that_cannot_be_served_is_a_failure() -> None:
    api = Api(missing="models/manifest.json")
    answer = ask(api)
    assert answer.status_code == 503
    assert latest(api).root.status.description == answer.json()["detail"]
    assert told(latest(api))["mlflow.traceTag.outcome"] == "failed"


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("model", ["iris", "irsi"])
@pytest.mark.parametrize("body", [b"{", b"", b"a=1", b"\xff\x00", DEEP], ids=["cut", "empty", "form", "bytes", "deep"])
def test_what_is_no_json_is_traced_as_a_json_string(body: bytes, model: str, route: str) -> None:
    api = Api()
    assert ask(api, body, model, route).status_code in {400, 404}
    assert json.loads(told(latest(api))["mlflow.spanInputs"]) == body.decode(errors="replace")


def test_a_body_that_is_json_is_traced_as_it_is() -> None:
    api = Api()
    body = b'{ "inputs" : [{"petal_length": NaN}]}'
    assert ask(api, body).status_code == 422
    assert told(latest(api))["mlflow.spanInputs"] == body.decode()


@pytest.mark.parametrize("tracing", ["off", "iris=off", "off,sum=on"])
@pytest.mark.parametrize("body", [{"inputs": [SETOSA]}, {"inputs": [{}]}], ids=["answered", "refused"])
def test_an_untraced_model_is_answered_alike(tracing: str, body: Any) -> None:
    silent = choosing(models=TracedModels.parse(tracing))
    headers = {"traceparent": traceparent(), "x-session-id": "s"}
    usual, answer = ask(Api(), body, **headers), ask(silent, body, **headers)
    assert answer.status_code == usual.status_code
    assert answer.json() == {**usual.json(), "trace_id": None}
    assert "x-trace-id" not in answer.headers
    assert silent.traced.traces == []


def test_other_models_are_traced_as_before() -> None:
    api = choosing(models=TracedModels.parse("iris=off"))
    assert ask(api, {"a": 1, "b": 2}, "sum").json()["trace_id"] == latest(api).event.mlflow_trace_id


def test_a_defect_of_an_untraced_model_is_answered() -> None:
    api = Api(load=BrokenPredictor, tracing=RecordingTracing(choices=TracingChoices(models=TracedModels.parse("off"))))
    answer = ask(api)
    assert (answer.status_code, answer.json()["trace_id"]) == (500, None)


def test_reading_newer_models_is_not_traced() -> None:
    tracing = RecordingTracing()
    tracer = tracing.provider.get_tracer("instrumentation")
    suppressed = []

    def load(files: ModelFiles, version: ModelVersion) -> OnnxModel:
        suppressed.append(current_context.get_value(_SUPPRESS_INSTRUMENTATION_KEY))
        with tracer.start_as_current_span("GetObject"):
            return OnnxModel.load(files.graph, version)

    api = Api(load=load, tracing=tracing)
    tracing.worker.ended.clear()
    suppressed.clear()
    better = iris_onnx(0.1)
    api.store.add(better)
    api.store.publish(manifest_of(iris=iris_version("2", better)))
    api.now += 60
    tracing.run_periodic_tasks()
    assert (suppressed, tracing.traces) == ([True], [])
    assert ask(api).json()["version"] == "2"


def test_the_documentation_has_the_callers_headers() -> None:
    document = Api().client.get("/openapi.json").json()
    for route in ROUTES:
        parameters = document["paths"][f"/models/iris/{route}"]["post"]["parameters"]
        headers = {one["name"]: one["schema"] for one in parameters if one["in"] == "header"}
        named = {"x-session-id", "x-user-id", "x-client-request-id"}
        assert headers.keys() == {*named, "traceparent"}
        assert {headers[name]["maxLength"] for name in named} == {250}
