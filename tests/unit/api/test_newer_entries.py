"""A manifest that a newer version wrote costs what cannot be read of it, and nothing that was served."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.testbed.models import SETOSA, iris_version, manifest_of, sum_version
from offpath.contracts.names import MANIFEST_KEY
from tests.support.builders.api import Api

NEWER = sum_version("2").model_dump(mode="json", by_alias=True) | {"task": "ranking"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def publish(api: Api, **models: Any) -> None:
    """Let a newer model_sync have written these models' entries, beside iris's."""
    document = json.loads(manifest_of(iris=iris_version()).to_json())
    document["models"] |= models
    api.store.publish(json.dumps(document).encode())


def refresh(api: Api) -> None:
    api.now += 60
    api.loader.refresh_when_due()


def cold(**models: Any) -> Api:
    """A process that starts when the manifest is written already."""
    api = Api(missing=MANIFEST_KEY)
    publish(api, **models)
    refresh(api)
    return api


def predicted(api: Api, name: str, query: str = "") -> int:
    body = SETOSA if name == "iris" else {"a": 1, "b": 2}
    return int(api.client.post(f"/models/{name}/predict{query}", json=body).status_code)


def model_health(api: Api, name: str) -> dict[str, Any]:
    answer = api.client.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    found: dict[str, Any] = answer.json()["models"][name]
    return found


def test_a_warm_process_goes_on_with_the_version_it_had() -> None:
    api = Api()
    publish(api, sum={"aliases": {"champion": NEWER}})
    refresh(api)
    health = model_health(api, "sum")
    assert (health["state"], health["version"]) == ("serving", "1")
    assert health["problem"].endswith("deploy a newer version of this API")
    assert "task: " in health["problem"]
    assert (predicted(api, "sum"), predicted(api, "iris")) == (200, 200)
    listed = {model["name"]: model for model in api.client.get("/models").json()["models"]}
    assert (listed["sum"]["version"], listed["sum"]["problem"]) == ("1", health["problem"])
    assert listed["iris"]["problem"] == ""


def test_manifest_of_a_newer_schema_leaves_what_is_served() -> None:
    api = Api()
    api.store.publish(b'{"schema": "models/2", "models": []}')
    refresh(api)
    answer = api.client.get("/health").json()
    assert answer["status"] == "degraded"
    assert "models/manifest.json of the schema 'models/2' is not known here" in answer["problem"]
    assert (predicted(api, "sum"), predicted(api, "iris")) == (200, 200)


def test_cold_process_says_why_one_model_is_unserved() -> None:
    api = cold(sum={"aliases": {"champion": NEWER}})
    health = model_health(api, "sum")
    assert (health["state"], health["version"]) == ("failed", None)
    answer = api.client.post("/models/sum/predict", json={"a": 1, "b": 2})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert "deploy a newer version of this API" in answer.json()["detail"]
    assert predicted(api, "iris") == 200
    assert [model["name"] for model in api.client.get("/models").json()["models"]] == ["iris"]
    assert api.client.get("/models/sum").status_code == 503


def test_an_unreadable_challenger_leaves_the_champion_alone() -> None:
    champion = sum_version().model_dump(mode="json", by_alias=True)
    api = cold(sum={"aliases": {"champion": champion, "next": NEWER}})
    assert model_health(api, "sum")["state"] == "serving"
    assert model_health(api, "sum")["aliases"]["next"]["state"] == "failed"
    assert (predicted(api, "sum"), predicted(api, "sum", "?alias=next")) == (200, 503)


@pytest.mark.parametrize("entry", [{"layout": 2}, [], None])
def test_model_in_another_layout_stays_or_is_named(entry: Any) -> None:
    warm = Api()
    publish(warm, sum=entry)
    refresh(warm)
    assert (model_health(warm, "sum")["version"], predicted(warm, "sum")) == ("1", 200)
    started = cold(sum=entry)
    assert "deploy a newer version of this API" in model_health(started, "sum")["problem"]
    assert (predicted(started, "sum"), predicted(started, "iris")) == (503, 200)


def test_an_entry_that_can_be_read_again_is_served_again() -> None:
    for api in (Api(), cold(sum={"aliases": {"champion": NEWER}})):
        publish(api, sum={"aliases": {"champion": NEWER}})
        refresh(api)
        publish(api, sum={"aliases": {"champion": NEWER | {"task": "regression"}}})
        refresh(api)
        health = api.client.get("/health").json()
        assert (health["status"], health["models"]["sum"]["version"]) == ("ok", "2")
        assert predicted(api, "sum") == 200


@pytest.fixture(scope="module")
def api() -> Api:
    return Api()


@given(entry=JSON, whole=st.booleans())
def test_whatever_is_written_for_one_model_each_one_is_served(api: Api, entry: Any, whole: bool) -> None:
    publish(api, sum=entry if whole else {"aliases": {"champion": entry}})
    refresh(api)
    assert (predicted(api, "iris"), predicted(api, "sum")) == (200, 200)
