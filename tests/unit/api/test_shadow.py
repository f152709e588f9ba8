"""A challenger that predicts in the background, and its traces."""

import json
from typing import Any

from local.testbed.models import SETOSA, VIRGINICA, iris_onnx, iris_version, sum_version
from offpath.contracts.model_manifest import Manifest, ModelVersion, RegisteredModel
from offpath.testing import RecordingTracing
from offpath.tracing._settings import TracedModels
from offpath.tracing._tracing import TracingChoices
from prediction_api.adapters.onnx_model import load_model
from prediction_api.inputs.batch import Batch, Outputs
from prediction_api.models.loader import ModelFiles
from prediction_api.shadow import MAX_WAITING, MAX_WAITING_BYTES
from tests.support.builders.api import Api, Calls, breaking

BETTER = iris_onnx(0.001)


def serve(**settings: Any) -> Api:
    return published(iris_version("2", BETTER, weight=0, shadow=True), **settings)


def published(shadow: ModelVersion, **settings: Any) -> Api:
    api = Api(**settings)
    api.store.add(BETTER)
    api.store.publish(Manifest(models={"iris": RegisteredModel(aliases={"champion": iris_version(), "next": shadow})}))
    api.now += 60
    api.loader.refresh_when_due()
    return api


def ask(api: Api, *records: dict[str, float], route: str = "predict", query: str = "") -> Any:
    answer = api.client.post(f"/models/iris/{route}{query}", json={"inputs": list(records)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def follow(api: Api) -> None:
    """Do the worker's periodic tasks."""
    api.traced.run_periodic_tasks()


def test_a_shadow_is_a_trace_after_the_response() -> None:
    api = serve()
    answer = ask(api, SETOSA, VIRGINICA)
    assert (answer["alias"], answer["version"]) == ("champion", "1")
    assert len(api.traced.traces) == 1, "the request's own trace is on its way, without the shadow"

    follow(api)

    own, shadow = api.traced.events
    assert shadow.trace_id != own.trace_id
    assert (own.experiment, shadow.experiment) == ("offpath/iris", "offpath/iris/shadow")
    [span] = api.traced.traces[1].spans
    [link] = span.links
    assert span.parent is None
    assert link.context == api.traced.traces[0].root.get_span_context()
    assert span.name == "iris shadow"
    noted = api.traced.spans(1)["iris shadow"]
    assert noted["mlflow.traceTag.answered_trace_id"] == own.mlflow_trace_id
    tags = ("mlflow.traceName", "model", "model_version", "alias")
    assert [noted[f"mlflow.traceTag.{tag}"] for tag in tags] == ["iris", "iris", "2", "next"]
    assert noted["offpath.shadow"] is True
    assert (noted["offpath.model"], noted["offpath.model_version"], noted["offpath.alias"]) == ("iris", "2", "next")
    assert json.loads(noted["mlflow.spanOutputs"])[0]["label"] == "setosa"
    assert noted["offpath.shadow.agreement"] == 1.0


def test_a_callers_trace_that_is_continued_has_no_shadow() -> None:
    api = serve(tracing=RecordingTracing(choices=TracingChoices(traceparent="continue")))
    headers = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate": "offpath=shop"}
    assert api.client.post("/models/iris/predict", json=SETOSA, headers=headers).status_code == 200
    follow(api)
    own, shadow = api.traced.events
    assert (own.experiment, shadow.experiment) == ("shop", "offpath/iris/shadow")
    assert shadow.trace_id != own.trace_id


def test_a_model_that_is_not_traced_has_no_shadow() -> None:
    calls = Calls()
    choices = TracingChoices(models=TracedModels.parse("iris=off"))
    api = serve(load=calls.load, tracing=RecordingTracing(choices=choices))
    calls.records.clear()
    ask(api, SETOSA)
    follow(api)
    assert calls.records == [1]
    assert api.traced.traces == []


def test_the_share_of_records_with_equal_predictions_is_noted() -> None:
    relabelled = ("versicolor", "setosa", "virginica")
    api = published(iris_version("2", weight=0, shadow=True, labels=relabelled))
    ask(api, SETOSA, VIRGINICA)
    follow(api)
    assert api.traced.spans(1)["iris shadow"]["offpath.shadow.agreement"] == 0.5
    ask(api, SETOSA)
    follow(api)
    assert api.traced.spans(3)["iris shadow"]["offpath.shadow.agreement"] == 0.0


def test_a_difference_is_noted_for_a_regression() -> None:
    api = Api()
    models = {"champion": sum_version(), "next": sum_version("2", weight=0, shadow=True)}
    api.store.publish(Manifest(models={"sum": RegisteredModel(aliases=models)}))
    api.now += 60
    api.loader.refresh_when_due()
    assert api.client.post("/models/sum/predict", json={"a": 1, "b": 2}).status_code == 200
    follow(api)
    noted = api.traced.spans(1)["sum shadow"]
    assert (noted["offpath.shadow.agreement"], noted["offpath.shadow.difference"]) == (1.0, 0.0)


def test_the_scoring_protocol_has_shadows_too() -> None:
    api = serve()
    ask(api, SETOSA, route="invocations")
    follow(api)
    assert api.traced.spans(1)["iris shadow"]["offpath.shadow.agreement"] == 1.0


def test_a_shadow_that_answers_itself_predicts_once() -> None:
    api = serve()
    ask(api, SETOSA, query="?alias=next")
    follow(api)
    assert len(api.traced.traces) == 1


def test_a_refused_request_has_no_shadow() -> None:
    api = serve()
    assert api.client.post("/models/iris/predict", json={"inputs": []}).status_code == 422
    follow(api)
    assert len(api.traced.traces) == 1


def test_a_request_of_no_records_has_no_shadow() -> None:
    api = serve()
    empty = {"dataframe_split": {"columns": list(SETOSA), "data": []}}
    answer = api.client.post("/models/iris/invocations", json=empty)
    assert (answer.status_code, answer.json()) == (200, {"predictions": []})
    follow(api)
    assert len(api.traced.traces) == 1


def test_a_shadow_with_another_signature_says_why_it_cannot_follow() -> None:
    api = published(sum_version("2", weight=0, shadow=True))
    ask(api, SETOSA)
    follow(api)
    status = api.traced.traces[1].root.status
    assert status.status_code.name == "ERROR"
    assert api.traced.spans(1)["iris shadow"]["mlflow.traceTag.outcome"] == "failed"
    assert "not as the model's signature says" in str(status.description)


def test_a_failing_shadow_leaves_an_error_in_its_trace_alone() -> None:
    api = published(iris_version("2", BETTER, weight=0, shadow=True), load=breaking(BETTER))
    ask(api, SETOSA)
    follow(api)
    [span] = api.traced.traces[1].spans
    assert "RuntimeError: the model broke" in str(span.status.description)
    assert (span.attributes or {})["mlflow.traceTag.outcome"] == "failed"
    assert api.traced.traces[0].root.status.is_unset
    assert ask(api, SETOSA)["version"] == "1"


def test_requests_note_the_shadows_that_a_full_queue_skips() -> None:
    api = serve()
    for _ in range(MAX_WAITING + 1):
        ask(api, SETOSA)
    assert api.traced.spans()["POST /models/{name}/predict"]["offpath.shadow.skipped"] == ("next",)
    assert len(api.traced.traces) == MAX_WAITING + 1
    follow(api)
    assert len(api.traced.traces) == 2 * MAX_WAITING + 1


def test_large_requests_skip_shadows_before_they_fill_the_memory() -> None:
    api = serve()
    body = json.dumps({"inputs": [SETOSA]}).encode().ljust(5_000_000)
    waiting = MAX_WAITING_BYTES // len(body) + 1
    for _ in range(waiting + 1):
        assert api.client.post("/models/iris/predict", content=body).status_code == 200
    skipped = ["offpath.shadow.skipped" in (ended.root.attributes or {}) for ended in api.traced.traces]
    assert skipped == [False] * waiting + [True]
    follow(api)
    api.client.post("/models/iris/predict", content=body)
    assert "offpath.shadow.skipped" not in (api.traced.traces[-1].root.attributes or {}), "there is room again"


def test_a_request_during_shadow_predictions_waits_for_the_next_run() -> None:
    class Busy:
        """A model during whose calls another request comes."""

        def __init__(self, files: ModelFiles, version: ModelVersion) -> None:
            self._model = load_model(files, version)

        def run(self, batch: Batch) -> Outputs:
            ask(api, SETOSA)
            return self._model.run(batch)

    api = published(
        iris_version("2", BETTER, weight=0, shadow=True),
        load=lambda files, version: (Busy if files.graph == BETTER else load_model)(files, version),
    )
    ask(api, SETOSA)
    follow(api)
    assert len(api.traced.traces) == 3, "two requests, and the shadow of the first"
