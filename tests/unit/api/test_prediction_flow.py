"""The prediction flow by itself, with plain requests."""

import json

import pytest

from local.testbed.models import sum_version
from offpath.contracts.model_manifest import Manifest, RegisteredModel
from offpath.testing import RecordingTracing
from prediction_api.errors import AmbiguousSelection, ModelUnavailable, PredictionApiError, ScoringError, UnknownModel
from prediction_api.prediction_flow import PredictionFlow
from prediction_api.prediction_protocol import PredictionRequest
from prediction_api.scoring.protocol import ScoringProtocol
from prediction_api.shadow import Shadows
from tests.support.builders.api import Api

PROTOCOL = ScoringProtocol(max_records=5)
BODY = b'{"inputs": [{"a": 1, "b": 2}]}'


def request(model: str = "sum", body: bytes = BODY, **query: str) -> PredictionRequest:
    return PredictionRequest(model, body, query, {})


class Flow:
    """A flow over the API's fakes, its shadows and its traces."""

    def __init__(self, **aliases: dict[str, object]) -> None:
        api = Api()
        if aliases:
            versions = {alias: sum_version(str(at), **fields) for at, (alias, fields) in enumerate(aliases.items(), 1)}
            api.store.publish(Manifest(models={"sum": RegisteredModel(aliases=versions)}))
            api.loader.refresh()
        self.traced = RecordingTracing()
        self.tracer = self.traced.tracer("test")
        self.shadows = Shadows(self.tracer)
        self.flow = PredictionFlow(api.loader, self.shadows, self.tracer, "offpath")


def test_a_plain_request_is_answered_in_json() -> None:
    result = Flow().flow.run(request(), PROTOCOL)
    assert json.loads(result.content) == [{"value": 3.0}]
    assert (result.served.name, result.served.version.number, result.background) == ("sum", "1", None)


def test_the_callers_span_tells_of_the_request() -> None:
    flow = Flow()
    with flow.tracer.start_as_current_span("root", attributes=flow.flow.trace_attributes("sum")):
        flow.flow.run(request(alias="champion"), PROTOCOL)
    spans = flow.traced.spans()
    assert set(spans) == {"root", "validate", "sum"}
    assert (spans["root"]["mlflow.spanInputs"], spans["root"]["offpath.experiment"]) == (BODY.decode(), "offpath/sum")


def test_a_request_without_a_span_is_not_traced() -> None:
    flow = Flow(champion={}, next={"shadow": True})
    result = flow.flow.run(request(), PROTOCOL)
    assert (json.loads(result.content), result.background) == ([{"value": 3.0}], None)
    assert flow.traced.traces == []


def test_a_shadow_is_queued_by_the_background_work_alone() -> None:
    flow = Flow(champion={}, next={"shadow": True})
    with flow.tracer.start_as_current_span("root"):
        result = flow.flow.run(request(), PROTOCOL)
    flow.shadows.run()
    assert len(flow.traced.traces) == 1
    assert result.background is not None
    result.background()
    assert len(flow.traced.traces) == 1, "the response waits for this: it makes no prediction"
    flow.shadows.run()
    assert flow.traced.spans(1)["sum shadow"]["offpath.shadow.agreement"] == 1.0


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (request("none"), UnknownModel),
        (request(alias="champion", version="1"), AmbiguousSelection),
        (request(alias="draft"), ModelUnavailable),
        (request(body=b"{"), ScoringError),
    ],
)
def test_a_request_without_an_answer_raises_a_domain_error(
    asked: PredictionRequest, error: type[PredictionApiError]
) -> None:
    with pytest.raises(error):
        Flow(champion={}, draft={"sha256": "0" * 64}).flow.run(asked, PROTOCOL)
