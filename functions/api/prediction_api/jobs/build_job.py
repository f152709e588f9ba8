"""From a request to a job, checked against the recipe."""

from collections.abc import Mapping

from pydantic import JsonValue, ValidationError
from pydantic_core import to_json

from offpath.contracts.names import CHAMPION
from offpath.contracts.recipes import AnnouncedRecipe
from offpath.contracts.training_job import Job, new_id, now
from prediction_api.errors import FieldError, InvalidInputs
from prediction_api.inputs.field_errors import MAX_ERRORS, field_errors
from prediction_api.inputs.json_body import parse_object
from prediction_api.jobs.parameters import defaults, parameters_adapter, properties
from prediction_api.jobs.request import TrainingRequest

# In characters, of a body within an error's text.
LONGEST_EXAMPLE = 500


def build_job(name: str, recipe: AnnouncedRecipe, body: bytes) -> Job:
    """Return the job that a body asks for, with defaults for what it leaves out. Raises PredictionApiError."""
    document = parse_object(body or b"{}", '{"parameters": {…}}')
    request, errors = _request(recipe, body or b"{}")
    parameters, wrong = _parameters(recipe, document.get("parameters", {}))
    errors += wrong
    if errors or request is None:
        raise _refusal(name, recipe, errors, document)
    at = now()
    return Job(
        id=new_id(at),
        model=name,
        parameters=defaults(recipe) | parameters,
        seed=request.seed,
        data=request.data,
        alias=request.alias,
        promote=request.promote,
        created_at=at,
        updated_at=at,
    )


def _request(recipe: AnnouncedRecipe, body: bytes) -> tuple[TrainingRequest | None, list[FieldError]]:
    try:
        request = TrainingRequest.model_validate_json(body)
    except ValidationError as error:
        return None, _field_errors(error)
    return request, _against_recipe(request, recipe)


def _parameters(recipe: AnnouncedRecipe, given: JsonValue) -> tuple[dict[str, JsonValue], list[FieldError]]:
    if not isinstance(given, dict):  # an error of the request as a whole, which _request finds
        return {}, []
    try:
        return parameters_adapter(recipe).validate_json(to_json(given)), []
    except ValidationError as error:
        return {}, _field_errors(error, "parameters")


def _field_errors(error: ValidationError, prefix: str = "") -> list[FieldError]:
    return field_errors(error.errors(include_url=False), prefix, whole="the body")


def _against_recipe(request: TrainingRequest, recipe: AnnouncedRecipe) -> list[FieldError]:
    errors = []
    if request.data and not recipe.takes_data:
        errors.append(FieldError("data", "this recipe brings its own data and takes no files; leave data out"))
    if request.promote and request.promote.metric not in recipe.metrics:
        known = f"there is no metric {request.promote.metric[:80]!r}; there is: {', '.join(recipe.metrics)}"
        errors.append(FieldError("promote.metric", known))
    if request.promote and request.alias == CHAMPION:
        both = f"{CHAMPION} is given to the version in any case, so that there is nothing to promote: drop one"
        errors.append(FieldError("alias", both))
    return errors


def _refusal(
    name: str, recipe: AnnouncedRecipe, errors: list[FieldError], document: Mapping[str, JsonValue]
) -> InvalidInputs:
    known = "; ".join(f"{field}: {schema.get('description', '')}" for field, schema in properties(recipe).items())
    more = f"; the first {MAX_ERRORS} are listed" if len(errors) > MAX_ERRORS else ""
    detail = f"{len(errors)} field(s) are not as the recipe {name} takes them{more}.{_advice(recipe, document)}"
    return InvalidInputs(f"{detail} Its parameters are {known}", errors[:MAX_ERRORS])


def _advice(recipe: AnnouncedRecipe, document: Mapping[str, JsonValue]) -> str:
    """Return the body that was meant, where hyperparameters stand beside `parameters` instead of below it."""
    beside = {field: value for field, value in document.items() if field in properties(recipe)}
    if not beside:
        return ""
    below = document.get("parameters", {})
    rest = {field: value for field, value in document.items() if field in TrainingRequest.model_fields}
    meant = rest | {"parameters": (below if isinstance(below, dict) else {}) | beside}
    return f" Parameters go below `parameters`: send {to_json(meant).decode()[:LONGEST_EXAMPLE]}."
