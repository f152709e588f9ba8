"""The scoring protocol beside `mlflow models serve` itself, as a team runs it, over the same model files."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.testbed.servers import mlflow_models_serve
from tests.integration.test_api_invocations import ask_api, ask_mlflow, same
from tests.support.builders.api import Api
from tests.support.builders.scoring_models import save_scoring_models, served_model
from tests.support.builders.scoring_requests import REQUESTS

FORMS = {"dataframe_split", "dataframe_records", "inputs", "instances"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("models-serve")
    save_scoring_models(made)
    return made


@pytest.fixture(scope="module", params=["mixed", "cube"])
def model(request: pytest.FixtureRequest) -> str:
    """A model of columns of five types, and one of tensors."""
    return str(request.param)


@pytest.fixture(scope="module")
def served(model: str, folder: Path) -> Iterator[str]:
    """The server's address."""
    with mlflow_models_serve(folder / model, folder / f"{model}.log") as (url, _):
        yield url


def test_every_request_is_answered_as_mlflow_models_serve_answers_it(model: str, served: str, folder: Path) -> None:
    api = Api(models=[served_model(folder / model)])
    requests = [(what, body) for what, name, body in REQUESTS if name == model]
    assert {form for _, body in requests if isinstance(body, dict) for form in body} >= (
        FORMS if model == "mixed" else {"inputs", "instances"}
    )
    different = [
        f"{what}: MLflow {theirs}, here {ours}"
        for what, body in requests
        if (theirs := ask_mlflow(served, "", body)) and (ours := ask_api(api, model, body))
        if theirs[0] != ours[0] or not same(ours[1], theirs[1])
    ]
    assert different == [], "\n".join(different)
