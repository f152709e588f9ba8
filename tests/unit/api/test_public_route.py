"""A caller gets documented fields alone, whatever a newer version wrote into what is answered."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from pydantic import Field, TypeAdapter

from local.testbed.models import iris_version, manifest_of
from offpath.contracts.document import Part
from offpath.contracts.model_manifest import Signature
from offpath.contracts.names import RECIPES_KEY, job_key
from offpath.contracts.training_job import PublicJob
from prediction_api.http.public_route import public
from prediction_api.http.routes.models import ModelDescription, ModelList
from tests.support.builders.api import Api
from tests.support.builders.jobs import JOB_ID
from tests.support.builders.training_api import TrainingApi
from tests.support.golden import golden

NEWER = "of_a_newer_version"
MAPPINGS = {"input_example", "labels", "metrics", "parameters"}


def with_newer_fields(content: Any) -> Any:
    """Return the document with an unknown field in each of its objects, but for those that are mappings."""
    match content:
        case dict():
            inner = {name: value if name in MAPPINGS else with_newer_fields(value) for name, value in content.items()}
            return inner | {NEWER: {"deep": 1}}
        case list():
            return [with_newer_fields(value) for value in content]
        case _:
            return content


def two_versions() -> dict[str, Any]:
    """Return a manifest's document: iris with a champion and a challenger."""
    document: dict[str, Any] = json.loads(manifest_of(iris=iris_version()).to_json())
    aliases = document["models"]["iris"]["aliases"]
    aliases["challenger"] = {**aliases["champion"], "weight": 0}
    return document


def answered(path: str, document: dict[str, Any]) -> Any:
    """Return what the API answers when that manifest was published."""
    api = Api()
    api.store.publish(json.dumps(document).encode())
    api.now += 60
    api.loader.refresh_when_due()
    answer = api.client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("path", ["/models", "/models/iris"])
def test_described_models_have_the_documented_fields_alone(path: str) -> None:
    document = two_versions()
    newer = with_newer_fields(document)
    newer["models"].pop(NEWER)
    newer["models"]["iris"]["aliases"].pop(NEWER)
    assert answered(path, newer) == answered(path, document)


@pytest.mark.parametrize("name", ["queued", "running", "handed_back", "succeeded", "failed"])
def test_job_has_the_documented_fields_alone(name: str) -> None:
    document = json.loads(golden(f"job/1/{name}.json"))
    answers = []
    for content in (document, with_newer_fields(document)):
        api = TrainingApi()
        api.bucket.put(job_key(JOB_ID), json.dumps(content).encode())
        answers.append(api.client.get(f"/jobs/{JOB_ID}"))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert NEWER not in answers[1].text
    assert answers[1].json() == answers[0].json()


def test_recipes_have_the_documented_fields_alone() -> None:
    api = TrainingApi()
    document = json.loads(golden("recipes/1/recipes.json"))
    newer = with_newer_fields(document)
    newer["recipes"].pop(NEWER)
    api.bucket.put(RECIPES_KEY, json.dumps(newer).encode())
    assert api.client.get("/recipes").json() == document["recipes"]


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield each object in a document, at any depth."""
    if isinstance(schema, dict):
        yield schema
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from objects(inner)


def test_openapi_promises_no_undocumented_fields() -> None:
    document = TrainingApi().client.get("/openapi.json").json()
    models = [schema for schema in objects(document) if isinstance(schema.get("properties"), dict)]
    assert {"Signature", "Column", "PublicJob", "Progress", "Result", "Verdict", "Promotion", "AnnouncedRecipe"} <= {
        str(schema.get("title")) for schema in models
    }
    assert [schema["title"] for schema in models if schema.get("additionalProperties")] == []


class Inner(Part):
    """Keeps unknown fields."""

    name: str = ""


def test_public_form_is_made_once_and_of_what_needs_it() -> None:
    assert public(ModelList) is public(ModelList) is public(public(ModelList))
    assert public(int) is int
    assert public(dict[str, int] | None) == dict[str, int] | None
    assert issubclass(public(Signature), Signature)
    assert Signature.model_fields["inputs"].annotation != public(Signature).model_fields["inputs"].annotation
    assert (Signature.model_config["extra"], Inner.model_config["extra"]) == ("allow", "allow")


@pytest.mark.parametrize("model", [ModelDescription, PublicJob])
def test_public_form_documents_the_same_fields(model: type[Any]) -> None:
    assert public(model).model_fields.keys() == model.model_fields.keys()
    assert (public(model).__name__, public(model).__doc__) == (model.__name__, model.__doc__)


A, NEWER_A = {"name": "a"}, {"name": "a", NEWER: 1}


@pytest.mark.parametrize(
    ("form", "given", "expected"),
    [
        (Inner | None, NEWER_A, A),
        (Inner | None, None, None),
        (list[Inner], [NEWER_A], [A]),
        (tuple[Inner, ...], [NEWER_A, NEWER_A], [A, A]),
        (dict[str, list[Inner]], {"a": [NEWER_A]}, {"a": [A]}),
        (dict[str, Annotated[Inner | None, Field(description="b")]], {"a": NEWER_A}, {"a": A}),
        (dict[str, Any], NEWER_A, NEWER_A),
    ],
)
def test_public_form_drops_unknown_fields_at_any_depth(form: Any, given: Any, expected: Any) -> None:
    adapter = TypeAdapter(public(form))
    assert adapter.dump_python(adapter.validate_python(given), mode="json") == expected
