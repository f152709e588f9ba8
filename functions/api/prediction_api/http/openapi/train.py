"""The operation `train` of one recipe in the OpenAPI document: a form that can be sent as it stands."""

from pydantic import JsonValue
from pydantic_core import to_json

from offpath.contracts.recipes import AnnouncedRecipe
from offpath.contracts.training_job import PublicJob
from prediction_api.http.openapi.parts import JsonSchema, Operation, json_content, schema_of
from prediction_api.http.openapi.predict import PROBLEM
from prediction_api.http.public_route import public
from prediction_api.jobs.build_job import build_job
from prediction_api.jobs.parameters import defaults
from prediction_api.jobs.request import TrainingRequest

_SEED = 42


def train_operation(name: str, recipe: AnnouncedRecipe) -> Operation:
    """Return the operation of `/models/{name}/train`."""
    example: dict[str, JsonValue] = {"parameters": defaults(recipe), "seed": _SEED}
    job = PublicJob.model_validate(build_job(name, recipe, to_json(example)).model_dump(by_alias=True))
    answer: JsonValue = job.model_dump(mode="json", exclude_none=True)
    return {
        "tags": ["training"],
        "operationId": f"train_{name}",
        "summary": f"Train {name}",
        "description": f"{recipe.description} Its metrics are {', '.join(recipe.metrics)}.",
        "parameters": [],
        "requestBody": {"required": False, "content": json_content(_request(recipe), example)},
        "responses": {
            "202": {"description": "The job", "content": json_content(schema_of(public(PublicJob)), answer)},
            "default": PROBLEM,
        },
    }


def _request(recipe: AnnouncedRecipe) -> JsonSchema:
    schema = schema_of(TrainingRequest)
    fields = schema["properties"]
    assert isinstance(fields, dict)
    about = {"title": "Parameters", "description": "hyperparameters of the recipe"}
    kept = {name: field for name, field in fields.items() if name != "data" or recipe.takes_data}
    properties: JsonSchema = {**kept, "parameters": {**recipe.parameters, **about}}
    return {**schema, "properties": properties}
