"""API keys: the requests that get an answer."""

import pytest
from fastapi.testclient import TestClient

from local.testbed.models import SETOSA
from offpath.contracts.errors import SettingsError
from prediction_api.api_keys import digest_of, main, new_key
from prediction_api.settings import ApiSettings
from tests.support.builders.api import Api

OLD, NEW = new_key(), new_key()


@pytest.fixture
def api() -> Api:
    return Api(api_key_digests=f"{digest_of(OLD)}, {digest_of(NEW).upper()}")


@pytest.mark.parametrize("key", [OLD, NEW], ids=["old", "new"])
def test_each_of_several_keys_is_let_in(api: Api, key: str) -> None:
    headers = {"x-api-key": key}
    assert api.client.post("/models/iris/predict", json=SETOSA, headers=headers).status_code == 200
    assert api.client.get("/models", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"x-api-key": ""}, {"x-api-key": new_key()}, {"x-api-key": digest_of(OLD)}])
@pytest.mark.parametrize(
    "path",
    ["/models/iris/predict", "/models/iris/invocations", "/models/none/predict", "/models", "/models/iris", "/else"],
)
def test_others_are_refused_and_not_traced(api: Api, path: str, headers: dict[str, str]) -> None:
    answer = api.client.post(path, json=SETOSA, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert "x-api-key" in answer.json()["detail"]
    assert api.traced.traces == []


def test_health_and_documentation_need_no_key(api: Api) -> None:
    for path in ("/health", "/docs", "/swagger/swagger-ui.css"):
        assert api.client.get(path).status_code == 200
    document = api.client.get("/openapi.json").json()
    assert document["components"]["securitySchemes"]["key"] == {"type": "apiKey", "in": "header", "name": "x-api-key"}


def test_behind_a_stages_path_the_same_holds(api: Api) -> None:
    staged = TestClient(api.app, root_path="/prod")
    assert staged.get("/prod/health").status_code == 200
    assert staged.get("/prod/models").status_code == 401
    assert staged.get("/prod/models", headers={"x-api-key": NEW}).status_code == 200


def test_without_keys_the_api_is_open() -> None:
    api = Api()
    assert api.client.post("/models/iris/predict", json=SETOSA).status_code == 200
    assert "securitySchemes" not in api.client.get("/openapi.json").json()["components"]


@pytest.mark.parametrize(
    "digests",
    ["secret", OLD, f"{digest_of(OLD)},", f"{digest_of(OLD)} {digest_of(NEW)}"],
    ids=["a word", "a key", "a comma too many", "no comma"],
)
def test_what_is_no_digest_stops_the_start(digests: str) -> None:
    with pytest.raises(SettingsError, match="OFFPATH_API_KEY_DIGESTS"):
        ApiSettings.load({"OFFPATH_BUCKET": "archive", "OFFPATH_API_KEY_DIGESTS": digests})


def test_a_new_key_comes_with_its_digest(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()[:2])
    assert digest_of(lines["key"]) == lines["digest"]
    assert lines["key"] != new_key()
