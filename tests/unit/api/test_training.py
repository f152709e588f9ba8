"""The training jobs that the API takes and shows."""

import re
from collections.abc import Sequence
from typing import Any

import pytest

from offpath.contracts.errors import Transient
from offpath.contracts.message import Message
from offpath.contracts.names import RECIPES_KEY, job_key
from offpath.contracts.recipes import Recipes
from offpath.contracts.training_job import id_in, is_id
from offpath.testing import InMemoryQueue
from tests.support.builders.jobs import JOB_ID, RESULT
from tests.support.builders.training_api import TrainingApi


@pytest.fixture
def api() -> TrainingApi:
    return TrainingApi()


def test_a_job_is_stored_queued_and_located(api: TrainingApi) -> None:
    answer = api.post({"parameters": {"trees": 3, "rate": 1}, "seed": 7, "alias": "challenger"})
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert is_id(job["id"])
    assert answer.headers["location"] == f"/jobs/{job['id']}"
    assert (job["state"], job["model"], job["seed"], job["alias"]) == ("queued", "forest", 7, "challenger")
    assert job["parameters"] == {"trees": 3, "rate": 1.0, "kind": "gini", "warm": False, "depth": None}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", job["created_at"])
    assert [id_in(message.body) for message in api.queue.messages] == [job["id"]]
    assert api.client.get(answer.headers["location"]).json() == job
    assert not job.keys() & {"schema", "claim"}


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_nothing_has_to_be_given(api: TrainingApi, body: bytes) -> None:
    job = api.post(body, "own").json()
    assert (job["parameters"]["trees"], job["seed"], job["data"]) == (10, 42, [])
    assert (job["alias"], job["promote"]) == (None, None)


def test_data_and_promotion(api: TrainingApi) -> None:
    api.bucket.put("datasets/a/shells.csv", b"")
    promote = {"metric": "validation_rmse", "margin": 0.5}
    job = api.post({"data": ["datasets/a/shells.csv"], "promote": promote}).json()
    assert (job["data"], job["promote"]) == (["datasets/a/shells.csv"], promote)


@pytest.mark.parametrize(
    ("body", "field", "complaint"),
    [
        ({"parameters": {"trees": 0}}, "parameters.trees", "greater than or equal to 1; got 0"),
        ({"parameters": {"trees": 101}}, "parameters.trees", "less than or equal to 100"),
        ({"parameters": {"trees": 2.5}}, "parameters.trees", "valid integer"),
        ({"parameters": {"trees": "3"}}, "parameters.trees", "valid integer; got '3'"),
        ({"parameters": {"rate": 0}}, "parameters.rate", "greater than 0"),
        ({"parameters": {"kind": "best"}}, "parameters.kind", "'gini' or 'entropy'"),
        ({"parameters": {"warm": 1}}, "parameters.warm", "valid boolean"),
        ({"parameters": {"leaves": 3}}, "parameters.leaves", "not known here"),
        ({"parameters": []}, "parameters", "should be an object"),
        ({"seed": -1}, "seed", "greater than or equal to 0"),
        ({"seed": 2**32}, "seed", "less than or equal to 4294967295"),
        ({"epochs": 3}, "epochs", "not known here"),
        ({"alias": "v1"}, "alias", "neither latest nor v1, v2 …"),
        ({"alias": "a b"}, "alias", "expected letters, digits, - and _"),
        ({"promote": {"metric": "accuracy"}}, "promote.metric", "there is: validation_rmse, validation_r2"),
        ({"promote": {"metric": "validation_r2", "margin": -1}}, "promote.margin", "greater than or equal to 0"),
        ({"promote": {"metric": "validation_r2", "by": 1}}, "promote.by", "not known here"),
        ({"promote": {}}, "promote.metric", "required, but not there"),
        ({"alias": "champion", "promote": {"metric": "validation_r2"}}, "alias", "nothing to promote"),
        ({"data": ["models/manifest.json"]}, "data[0]", "expected the key of a file below datasets/"),
        ({"data": ["datasets/../models/manifest.json"]}, "data[0]", "expected the key of a file below datasets/"),
        ({"data": ["datasets/folder/"]}, "data[0]", "expected the key of a file below datasets/"),
        ({"data": ["datasets/" + "a" * 500]}, "data[0]", "at most 500 characters"),
        ({"data": ["datasets/a"] * 11}, "data", "at most 10 items"),
        ({"data": ["datasets/gone.csv"]}, "data[0]", "there is no datasets/gone.csv in the bucket"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(api: TrainingApi, body: Any, field: str, complaint: str) -> None:
    assert complaint in api.wrong(body)[field]
    assert not api.queue.messages
    assert list(api.bucket.keys("jobs/")) == []


def test_everything_wrong_is_said_at_once_with_what_there_is(api: TrainingApi) -> None:
    answer = api.post({"parameters": {"trees": 0, "leaves": 1}, "seed": -1})
    assert {error["field"] for error in answer.json()["errors"]} == {"parameters.trees", "parameters.leaves", "seed"}
    assert "trees: how many trees; rate: how fast it learns" in answer.json()["detail"]


def test_many_errors_are_not_all_listed(api: TrainingApi) -> None:
    assert len(api.wrong({"parameters": {f"p{number}": 1 for number in range(100)}})) == 20


def test_a_recipe_that_brings_its_own_data_takes_none(api: TrainingApi) -> None:
    assert "brings its own data" in api.wrong({"data": ["datasets/a.csv"]}, "own")["data"]


@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b"[]", 422), (b'"' + b"a" * 100_000 + b'"', 413)])
def test_what_is_no_request_at_all(api: TrainingApi, body: bytes, status: int) -> None:
    assert api.post(body).status_code == status


def test_an_unknown_model_is_answered_with_those_that_there_are(api: TrainingApi) -> None:
    answer = api.post({}, "forrest")
    assert answer.status_code == 404
    assert answer.json()["recipes"] == ["forest", "own"]
    assert "'forrest' to train; there is: forest, own" in answer.json()["detail"]


def test_the_recipes_are_listed(api: TrainingApi) -> None:
    listed = api.client.get("/recipes").json()
    assert listed.keys() == {"forest", "own"}
    assert listed["forest"]["parameters"]["properties"]["trees"]["maximum"] == 100
    assert listed["forest"]["metrics"] == {"validation_rmse": "lower", "validation_r2": "higher"}


def test_without_a_worker_ever_nothing_is_taken(api: TrainingApi) -> None:
    content = api.bucket.objects.pop(RECIPES_KEY)
    answer = api.post({})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert "no training worker has announced itself yet" in answer.json()["detail"]
    api.bucket.put(RECIPES_KEY, content)
    assert api.post({}).status_code == 202


def test_recipes_are_reread_after_a_minute_and_kept_while_unreadable(api: TrainingApi) -> None:
    assert api.post({}).status_code == 202
    api.bucket.put(RECIPES_KEY, Recipes().to_json())
    assert api.post({}).status_code == 202
    api.now += 60
    assert api.post({}).status_code == 404
    api.bucket.put(RECIPES_KEY, b"no recipes")
    api.now += 60
    assert api.post({}).status_code == 404


def test_an_announcement_that_is_none_is_said(api: TrainingApi) -> None:
    api.bucket.put(RECIPES_KEY, b"{}[]")
    answer = api.post({})
    assert answer.status_code == 503
    assert "is no announcement of recipes" in answer.json()["detail"]


def test_where_no_jobs_are_taken_this_is_said() -> None:
    api = TrainingApi(configured=False)
    for answer in (api.post({}), api.client.get(f"/jobs/{JOB_ID}"), api.client.get("/recipes")):
        assert answer.status_code == 501
        assert "OFFPATH_TRAINING_QUEUE_URL is not set" in answer.json()["detail"]


def test_a_queue_that_is_down_fails_the_job(api: TrainingApi) -> None:
    api.queue.fail_next()
    answer = api.post({})
    assert answer.status_code == 503
    [job_id] = api.store.ids()
    assert job_id in answer.json()["detail"]
    job = api.client.get(f"/jobs/{job_id}").json()
    assert (job["state"], job["error"]) == ("failed", "it could not be queued; send the request again")


def test_a_job_queued_without_confirmation_goes_on() -> None:
    class SilentQueue(InMemoryQueue):
        def send(self, messages: Sequence[Message]) -> list[Message]:
            stored = ordered.store.read(id_in(messages[0].body))
            ordered.store.replace(stored, stored.job.started("a worker", most_attempts=2))
            raise Transient("the answer was lost")

    ordered = TrainingApi(queue=SilentQueue())
    answer = ordered.post({})
    assert (answer.status_code, answer.json()["state"]) == (202, "running")


def test_a_bucket_that_is_down(api: TrainingApi) -> None:
    assert api.post({}).status_code == 202
    [job_id] = api.store.ids()
    api.bucket.down = True
    for answer in (api.post({}), api.client.get(f"/jobs/{job_id}")):
        assert answer.status_code == 503
        assert "does not answer" in answer.json()["detail"]


@pytest.mark.parametrize("job_id", [JOB_ID, "1", "..%2Fmodels%2Fmanifest"])
def test_a_job_that_does_not_exist(api: TrainingApi, job_id: str) -> None:
    assert api.client.get(f"/jobs/{job_id}").status_code == 404


@pytest.mark.parametrize("newer", [(b'"queued"', b'"paused"'), (b"job/1", b"job/2")])
def test_job_of_a_newer_version_is_unavailable_not_missing(api: TrainingApi, newer: tuple[bytes, bytes]) -> None:
    job_id = api.post({}).json()["id"]
    key = job_key(job_id)
    api.bucket.objects[key] = api.bucket.objects[key].replace(*newer)
    answer = api.client.get(f"/jobs/{job_id}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert "a newer version of the training worker has the job" in answer.json()["detail"]
    assert "deploy a newer one" in answer.json()["detail"]


def test_a_job_that_succeeded_has_its_version(api: TrainingApi) -> None:
    job_id = api.post({}).json()["id"]
    stored = api.store.read(job_id)
    api.store.replace(stored, stored.job.succeeded(RESULT))
    job = api.client.get(f"/jobs/{job_id}").json()
    assert (job["state"], job["result"]["version"]) == ("succeeded", "3")
    assert job["result"]["metrics"] == {"validation_f1": 0.9}


def test_training_routes_need_keys_are_documented_and_not_traced() -> None:
    api = TrainingApi(api_key_digests="0" * 64)
    for answer in (api.post({}), api.client.get(f"/jobs/{JOB_ID}"), api.client.get("/recipes")):
        assert answer.status_code == 401
    paths = api.client.get("/openapi.json").json()["paths"]
    assert {"/models/{name}/train", "/jobs/{job_id}", "/recipes"} <= paths.keys()
    content = paths["/models/{name}/train"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert content["properties"]["promote"]["anyOf"][0]["properties"]["margin"]["minimum"] == 0
    assert "$ref" not in str(content)
    open_api = TrainingApi()
    open_api.post({})
    assert open_api.traced.traces == []


def test_each_recipe_has_a_form_that_can_be_sent() -> None:
    api = TrainingApi()
    paths = api.client.get("/openapi.json").json()["paths"]
    for name in ("forest", "own"):
        content = paths[f"/models/{name}/train"]["post"]["requestBody"]["content"]["application/json"]
        assert content["example"]["parameters"] == {
            "trees": 10,
            "rate": 0.5,
            "kind": "gini",
            "warm": False,
            "depth": None,
        }
        assert content["schema"]["properties"]["parameters"]["properties"]["trees"]["maximum"] == 100
        assert ("data" in content["schema"]["properties"]) is (name == "forest")
        assert api.post(content["example"], name).status_code == 202


def test_documentation_without_a_worker_has_no_forms() -> None:
    api = TrainingApi()
    api.bucket.delete(RECIPES_KEY)
    paths = api.client.get("/openapi.json").json()["paths"]
    assert "/models/forest/train" not in paths
    assert "/models/{name}/train" in paths
