"""The version that answers, where a model has several aliases."""

from collections import Counter
from typing import Any

import pytest

from local.testbed.models import SETOSA, iris_onnx, iris_version, sum_version
from offpath.contracts.model_manifest import Manifest, ModelVersion, RegisteredModel
from tests.support.builders.api import Api, Calls

BETTER = iris_onnx(0.1)


def iris(**aliases: ModelVersion) -> Manifest:
    return Manifest(models={"iris": RegisteredModel(aliases=aliases)})


def split(weight: int = 30, **challenger: Any) -> Manifest:
    """A champion of version 1, and a challenger of version 2 with that share."""
    return iris(
        champion=iris_version(weight=100 - weight),
        challenger=iris_version("2", BETTER, weight=weight, **challenger),
    )


def serve(manifest: Manifest, **settings: Any) -> Api:
    api = Api(**settings)
    api.store.add(BETTER)
    publish(api, manifest)
    return api


def publish(api: Api, manifest: Manifest) -> None:
    api.store.publish(manifest)
    api.now += 60
    api.loader.refresh_when_due()


def ask(api: Api, query: str = "", **headers: str) -> Any:
    return api.client.post(f"/models/iris/predict{query}", json=SETOSA, headers=headers)


def alias(api: Api, query: str = "", **headers: str) -> str:
    answer = ask(api, query, **headers)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["alias"])


def test_traffic_is_shared_by_the_weights() -> None:
    api = serve(split(30))
    counts = Counter(alias(api) for _ in range(400))
    assert 120 - 5 * 9.2 < counts["challenger"] < 120 + 5 * 9.2  # five standard deviations
    assert sum(counts.values()) == 400


def test_a_session_stays_with_its_version_in_every_process() -> None:
    first, second = serve(split(50)), serve(split(50))
    sessions = [f"user-{number}" for number in range(20)]
    drawn = [alias(first, **{"x-session-id": session}) for session in sessions]
    assert drawn == [alias(second, **{"x-session-id": session}) for session in sessions]
    assert drawn == [alias(first, **{"x-session-id": session}) for session in sessions]
    assert set(drawn) == {"champion", "challenger"}


def test_an_answer_and_its_trace_name_the_version() -> None:
    api = serve(split(50))
    answer = ask(api, "?alias=challenger", **{"x-session-id": "user-7"}).json()
    assert (answer["alias"], answer["version"]) == ("challenger", "2")
    spans = api.traced.spans()
    root = spans["POST /models/{name}/predict"]
    assert root["session.id"] == "user-7"
    assert root["mlflow.traceTag.alias"] == "challenger"
    assert root["mlflow.traceTag.model_version"] == "2"
    assert spans["iris"]["offpath.alias"] == "challenger"


def test_an_alias_or_version_can_be_requested_whatever_its_weight() -> None:
    api = serve(split(0))
    assert {alias(api) for _ in range(20)} == {"champion"}
    assert alias(api, "?alias=challenger") == "challenger"
    assert alias(api, "?version=2") == "challenger"
    assert alias(api, "?version=1") == "champion"


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("?alias=nobody", 404, "no alias 'nobody'; there are: champion (version 1), challenger (version 2)"),
        ("?alias=", 404, "no alias ''"),
        ("?version=9", 404, "no version '9'; there are"),
        ("?alias=champion&version=1", 400, "the one or the other"),
    ],
)
def test_what_is_not_there_is_said(query: str, status: int, said: str) -> None:
    answer = ask(serve(split()), query)
    assert answer.status_code == status
    assert said in answer.json()["detail"]


def test_a_session_that_mlflow_would_refuse_is_refused() -> None:
    api = serve(split())
    assert ask(api, **{"x-session-id": "s" * 250}).status_code == 200
    answer = ask(api, **{"x-session-id": "s" * 251})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "x-session-id", "message": "expected at most 250 characters, got 251"}]


def test_weights_take_effect_at_the_next_refresh() -> None:
    api = serve(split(0))
    assert alias(api) == "champion"
    publish(api, split(100))
    assert alias(api) == "challenger"
    publish(api, split(0))
    assert alias(api) == "champion"


def test_an_alias_without_traffic_is_loaded_on_demand() -> None:
    calls = Calls()
    api = serve(split(0), load=calls.load)
    calls.records.clear()
    assert alias(api, "?alias=challenger") == "challenger"
    assert len(calls.records) == 2, "a warm-up and a prediction"
    publish(api, split(10))
    assert len(calls.records) == 2, "it is not loaded a second time"


def test_two_aliases_of_one_version_are_loaded_once() -> None:
    calls = Calls()
    champion = iris_version("2", BETTER, weight=50)
    serve(iris(champion=champion, challenger=champion), load=calls.load)
    assert len(calls.records) == 3, "warm-ups: iris and sum at the start, then the version"


def test_the_champion_answers_for_a_challenger_that_cannot_load() -> None:
    api = serve(split(100, sha256="0" * 64))
    assert alias(api) == "champion"
    health = api.client.get("/health").json()
    assert health["status"] == "degraded"
    assert "SHA-256" in health["models"]["iris"]["aliases"]["challenger"]["problem"]
    answer = ask(api, "?alias=challenger")
    assert answer.status_code == 503
    assert "SHA-256" in answer.json()["detail"]


def test_an_alias_that_fails_to_load_is_503() -> None:
    api = serve(split(0, sha256="0" * 64))
    answer = ask(api, "?alias=challenger")
    assert answer.status_code == 503
    assert "cannot be loaded" in answer.json()["detail"]
    assert alias(api) == "champion"


def test_what_cannot_be_loaded_is_not_fetched_for_every_request() -> None:
    api = serve(split(0, sha256="0" * 64))
    assert ask(api, "?alias=challenger").status_code == 503
    api.store.objects.clear()
    assert "SHA-256" in ask(api, "?alias=challenger").json()["detail"], "the store is not asked again"
    api.now += 6
    assert "reading s3://offpath-archive/models/" in ask(api, "?alias=challenger").json()["detail"]


def test_a_never_loaded_challenger_replaces_only_if_it_can_load() -> None:
    api = serve(split(0))
    challenger = iris_version("2", BETTER)
    api.store.objects.pop(challenger.key)
    publish(api, iris(champion=iris_version(weight=0), challenger=iris_version("3", b"no model", weight=100)))
    assert alias(api) == "champion"
    assert api.client.get("/health").json()["models"]["iris"]["aliases"]["challenger"]["state"] == "failed"


def test_a_challenger_alone_keeps_the_process_in_service() -> None:
    api = Api()
    api.store.add(BETTER)
    publish(api, Manifest())
    publish(api, iris(champion=iris_version(weight=0, sha256="0" * 64), challenger=iris_version("2", BETTER)))
    assert alias(api) == "challenger"
    answer = api.client.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")


def test_unloadable_challenger_gives_its_weight_to_the_old() -> None:
    api = serve(split(0))
    newer = iris_version("3", b"no model", weight=100)
    publish(api, iris(champion=iris_version(weight=0), challenger=newer))
    answer = ask(api).json()
    assert (answer["alias"], answer["version"]) == ("challenger", "2")
    assert "version 3" in api.client.get("/models/iris").json()["aliases"][0]["problem"]


def test_every_alias_is_described() -> None:
    description = serve(split(30)).client.get("/models/iris").json()
    assert (description["alias"], description["version"], description["weight"]) == ("champion", "1", 70)
    [challenger] = description["aliases"]
    assert (challenger["alias"], challenger["version"], challenger["weight"]) == ("challenger", "2", 30)
    assert challenger["shadow"] is False


def test_the_scoring_protocol_takes_its_turn_too() -> None:
    api = serve(split(100))
    answer = api.client.post("/models/iris/invocations", json={"inputs": [SETOSA]})
    assert answer.status_code == 200
    assert api.traced.spans()["POST /models/{name}/invocations"]["mlflow.traceTag.alias"] == "challenger"
    refused = api.client.post("/models/iris/invocations?alias=nobody", json={"inputs": [SETOSA]})
    assert refused.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"


def test_a_model_without_champion_answers_for_its_other_aliases() -> None:
    api = serve(Manifest(models={"sum": RegisteredModel(aliases={"draft": sum_version()})}))
    assert api.client.post("/models/sum/predict", json={"a": 1, "b": 2}).status_code == 503
    assert api.client.post("/models/sum/predict?alias=draft", json={"a": 1, "b": 2}).status_code == 200
