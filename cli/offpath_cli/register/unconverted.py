"""Check an ONNX file that came as it is: it answers what its signature allows, and no class is without a label."""

from random import Random

from pydantic import JsonValue

from offpath.contracts.model_manifest import ColumnType, Signature
from offpath_cli.errors import ModelRefused
from offpath_cli.register.example_inputs import ExampleInputs
from offpath_cli.register.record_forms import RecordForms, fields_of, has_records, records_of
from offpath_cli.register.serving_check import ServingCheck
from prediction_api.errors import ModelUnusable
from training.probes.answers import Record
from training.probes.fields import drawn_value, special_values
from training.probes.structure import Structure

_DRAWN = 200
_SEED = 1


def check_unconverted(check: ServingCheck, signature: Signature, example: ExampleInputs | None) -> None:
    """Ask for records that its signature allows. Raises ModelRefused for one that the API could not answer."""
    if not has_records(signature):
        return
    fields, examples = fields_of(signature, example), records_of(signature, example)
    random, structure = Random(_SEED), Structure()  # noqa: S311 - it draws records
    base: Record = examples[0] if examples else {field.name: _plain(field.type) for field in fields}
    edges = [
        {**base, field.name: value} for at, field in enumerate(fields) for value in special_values(field, structure, at)
    ]
    drawn = [{**base, **{field.name: drawn_value(field, structure, random) for field in fields}} for _ in range(_DRAWN)]
    try:
        check.ask(RecordForms(signature))([base, *edges[:2_000], *drawn])
    except ModelUnusable as error:
        raise ModelRefused(
            f"{error}. Give its classes the indexes of --labels, from 0 on, or texts as classes"
        ) from error


def _plain(kind: ColumnType) -> JsonValue:
    plain: dict[ColumnType, JsonValue] = {"string": "", "boolean": False, "long": 0, "integer": 0}
    return plain.get(kind, 0.0)
