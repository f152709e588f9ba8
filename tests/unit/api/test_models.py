"""The models that are served, and those that cannot be."""

import pytest

from local.testbed.models import SETOSA, Model, iris_onnx, iris_version, manifest_of, sum_onnx, sum_version
from offpath.contracts.model_manifest import Column, RegisteredModel, Signature
from tests.support.builders.api import Api


@pytest.fixture
def api() -> Api:
    return Api()


def version_served(api: Api, name: str = "iris") -> str:
    body = {"inputs": [SETOSA if name == "iris" else {"a": 1, "b": 2}]}
    answer = api.client.post(f"/models/{name}/predict", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["version"])


def due(api: Api) -> None:
    api.now += 60
    api.loader.refresh_when_due()


def test_models_are_listed_with_version_alias_weight_signature_and_run(api: Api) -> None:
    listed = {model["name"]: model for model in api.client.get("/models").json()["models"]}
    assert set(listed) == {"iris", "sum"}
    assert listed["iris"]["version"] == "1"
    assert listed["iris"]["alias"] == "champion"
    assert listed["iris"]["weight"] == 100
    assert listed["iris"]["run_id"] == "0" * 32
    assert listed["iris"]["signature"]["inputs"][0] == {"name": "sepal_length", "type": "double", "required": True}
    assert api.client.get("/models/iris").json() == listed["iris"]


def test_a_model_that_does_not_exist_is_not_described(api: Api) -> None:
    answer = api.client.get("/models/irsi")
    assert answer.status_code == 404
    assert answer.json()["models"] == ["iris", "sum"]


def test_health_is_ok_with_all_models_served(api: Api) -> None:
    answer = api.client.get("/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.json()["models"]["iris"] == {
        "state": "serving",
        "version": "1",
        "problem": "",
        "aliases": {},
    }


def test_a_new_version_is_swapped_in_at_the_refresh(api: Api) -> None:
    newer = iris_onnx(0.1)
    api.store.add(newer)
    api.store.publish(manifest_of(iris=iris_version("2", newer), sum=sum_version()))
    api.loader.refresh_when_due()
    assert version_served(api) == "1", "not due yet"
    due(api)
    assert version_served(api) == "2"


def test_a_model_that_left_the_manifest_is_served_no_more(api: Api) -> None:
    api.store.publish(manifest_of(iris=iris_version()))
    due(api)
    assert api.client.post("/models/sum/predict", json={"a": 1, "b": 2}).status_code == 404
    assert version_served(api) == "1"


def test_a_damaged_file_leaves_the_rest_serving(api: Api) -> None:
    api.store.publish(manifest_of(iris=iris_version(), sum=sum_version("2", sha256="0" * 64)))
    due(api)
    health = api.client.get("/health").json()
    assert health["status"] == "degraded"
    assert "SHA-256" in health["models"]["sum"]["problem"]
    assert version_served(api) == "1"
    assert version_served(api, "sum") == "1"


def test_a_file_that_is_no_model_leaves_the_others_serving(api: Api) -> None:
    api.store.add(b"no model")
    api.store.publish(manifest_of(iris=iris_version(), new=iris_version("1", b"no model")))
    due(api)
    health = api.client.get("/health").json()
    assert health["models"]["new"]["state"] == "failed"
    assert "does not run in ONNX Runtime" in health["models"]["new"]["problem"]
    assert version_served(api) == "1"


def test_a_model_without_a_file_is_503_with_the_reason() -> None:
    api = Api(missing=sum_version().key)
    answer = api.client.post("/models/sum/predict", json={"a": 1, "b": 2})
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "60"
    assert sum_version().key in answer.json()["detail"]
    assert version_served(api) == "1"
    assert api.client.get("/health").json()["models"]["sum"]["state"] == "failed"


def test_a_late_file_is_served_at_the_next_refresh(api: Api) -> None:
    newer = iris_onnx(0.1)
    api.store.publish(manifest_of(iris=iris_version("2", newer), sum=sum_version()))
    due(api)
    assert version_served(api) == "1"
    api.store.add(newer)
    due(api)
    assert version_served(api) == "2"
    assert api.client.get("/health").json()["status"] == "ok"


def test_a_missing_manifest_is_said_and_found_later() -> None:
    api = Api(missing="models/manifest.json")
    health, answer = api.client.get("/health"), api.client.post("/models/iris/predict", json=SETOSA)
    assert (health.status_code, answer.status_code) == (503, 503)
    assert "model_sync writes it" in health.json()["problem"]
    assert "models/manifest.json" in answer.json()["detail"]
    api.store.publish(manifest_of(iris=iris_version()))
    api.now += 5
    api.loader.refresh_when_due()
    assert version_served(api) == "1"


@pytest.mark.parametrize("content", [b"", b"not JSON", b"[]", b'{"schema": 9}', b'{"models": {"iris": 1}}'])
def test_a_manifest_that_is_none_leaves_what_is_loaded(api: Api, content: bytes) -> None:
    api.store.publish(content)
    due(api)
    health = api.client.get("/health").json()
    assert health["status"] == "degraded"
    assert "is not a manifest" in health["problem"]
    assert version_served(api) == "1"


def test_a_store_that_is_down_leaves_what_is_loaded(api: Api) -> None:
    api.store.down = True
    due(api)
    assert version_served(api) == "1"
    assert "does not answer" in api.client.get("/health").json()["problem"]


def test_a_model_with_no_champion_is_not_served(api: Api) -> None:
    manifest = manifest_of(iris=iris_version())
    parts = {**manifest.models, "new": RegisteredModel(aliases={"challenger": sum_version()})}
    api.store.publish(manifest.model_copy(update={"models": parts}))
    due(api)
    answer = api.client.post("/models/new/predict", json={"a": 1, "b": 2})
    assert answer.status_code == 503
    assert "champion" in answer.json()["detail"]


def test_a_graph_unlike_its_signature_is_not_served(api: Api) -> None:
    columns = Signature(inputs=(Column(name="x", type="double"), Column(name="y", type="double")))
    api.store.publish(manifest_of(iris=iris_version(), sum=sum_version("2", signature=columns)))
    due(api)
    assert "signature has the columns ['x', 'y']" in api.client.get("/health").json()["models"]["sum"]["problem"]
    assert version_served(api, "sum") == "1"


def test_the_documentation_follows_the_models(api: Api) -> None:
    assert "/models/sum/predict" in api.client.get("/openapi.json").json()["paths"]
    api.store.publish(manifest_of(iris=iris_version()))
    due(api)
    assert "/models/sum/predict" not in api.client.get("/openapi.json").json()["paths"]


def test_shutdown_sends_what_is_left(api: Api) -> None:
    with api.client:
        version_served(api)
    assert api.traced.worker.closed


def test_a_version_tells_its_description_and_its_unit() -> None:
    version = sum_version(description="Learnt from SYNTHETIC data.", unit="rings")
    described = Api(models=[Model("shells", sum_onnx(), version)]).client.get("/models/shells").json()
    assert (described["description"], described["unit"]) == ("Learnt from SYNTHETIC data.", "rings")
