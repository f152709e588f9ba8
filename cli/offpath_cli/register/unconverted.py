"""Check an ONNX file that came as it is: it answers what its signature allows, each record in one way, with classes.

There is no original to compare it with. What it says of a record must not hang on the records beside it, nor on chance,
and what stands for probabilities must be that.
"""

from collections.abc import Sequence
from random import Random

from pydantic import JsonValue

from offpath.contracts.model_manifest import ColumnType, Signature
from offpath_cli.errors import ModelRefused
from offpath_cli.register.example_inputs import ExampleInputs
from offpath_cli.register.model_task import ModelTask
from offpath_cli.register.record_forms import RecordForms, fields_of, has_records, records_of
from offpath_cli.register.serving_check import ServingCheck
from prediction_api.errors import ModelUnusable
from training.probes.answers import Answer, Record
from training.probes.fields import drawn_value, special_values
from training.probes.structure import Structure

_DRAWN = 200
_SEED = 1
_ALONE = 12
# By so much may answers differ, of numbers in single precision, that are no larger than this.
_APART = 1e-3
_ORDINARY = 1e3
# By so much may probabilities of a record add up to something else than 1, in 16 bits.
_SUM = 1e-2


class NoProbabilities(ModelRefused):
    """What a graph gives beside a label, or instead of it, are no probabilities."""


def check_unconverted(
    check: ServingCheck, model_task: ModelTask, signature: Signature, example: ExampleInputs | None
) -> None:
    """Ask for records that its signature allows.

    Raises ModelRefused for one that the API could not answer, or answers in two ways, and NoProbabilities.
    """
    if not has_records(signature):
        return
    records, forms = _records(signature, example), RecordForms(signature)
    ask = check.ask(forms)
    try:
        answers = ask(records)
        _check_steady(records, answers, ask(records), "when it is asked again: something in it is left to chance")
        few = [at for at, record in enumerate(records) if _is_ordinary(record)][:_ALONE]
        alone = [answer for at in few for answer in ask([records[at]])]
        beside = (
            "alone: its answer hangs on the records beside it, as with a normalization that was exported in training"
        )
        _check_steady([records[at] for at in few], [answers[at] for at in few], alone, beside)
    except ModelUnusable as error:
        advice = ". Give its classes the indexes of --labels, from 0 on, or texts as classes"
        raise ModelRefused(f"{error}{advice if model_task.task == 'classification' else ''}") from error
    _check_probabilities(records, answers)


def _records(signature: Signature, example: ExampleInputs | None) -> list[Record]:
    fields, examples = fields_of(signature, example), records_of(signature, example)
    random, structure = Random(_SEED), Structure()  # noqa: S311 - it draws records
    base: Record = examples[0] if examples else {field.name: _plain(field.type) for field in fields}
    edges = [
        {**base, field.name: value} for at, field in enumerate(fields) for value in special_values(field, structure, at)
    ]
    drawn = [{**base, **{field.name: drawn_value(field, structure, random) for field in fields}} for _ in range(_DRAWN)]
    return [base, *drawn[: _ALONE // 2], *edges[:2_000], *drawn[_ALONE // 2 :]]


def _check_steady(records: Sequence[Record], first: Sequence[Answer], second: Sequence[Answer], when: str) -> None:
    for record, one, two in zip(records, first, second, strict=True):
        if _is_ordinary(record) and not _is_near(one, two):
            raise ModelRefused(f"it answers the record {record} with {one}, and with {two} {when}")


def _is_ordinary(record: Record) -> bool:
    """Return whether its numbers are small enough for sums in single precision to be right."""
    return all(abs(value) <= _ORDINARY for value in record.values() if isinstance(value, int | float))


def _is_near(one: Answer, two: Answer) -> bool:
    if (one.refused is None) != (two.refused is None):
        return False
    first = one.values or one.probabilities or ()
    second = two.values or two.probabilities or ()
    if len(first) != len(second) or (not first and one.label != two.label):
        return False
    return all(abs(a - b) <= _APART * max(1.0, abs(a)) for a, b in zip(first, second, strict=True))


def _check_probabilities(records: Sequence[Record], answers: Sequence[Answer]) -> None:
    for record, answer in zip(records, answers, strict=True):
        parts = answer.probabilities or ()
        if any(not -_SUM <= part <= 1 + _SUM for part in parts):
            raise NoProbabilities(
                f"it gives {max(parts, key=abs):.6g} as the probability of a class, for the record {record}: end the "
                "graph with a Softmax, or for two classes with one Sigmoid"
            )
        if parts and abs(sum(parts) - 1) > _SUM:
            raise NoProbabilities(
                f"its probabilities add up to {sum(parts):.6g}, for the record {record}: a record has one label here. "
                "End the graph with a Softmax if its classes exclude each other; several labels a record are not served"
            )


def _plain(kind: ColumnType) -> JsonValue:
    plain: dict[ColumnType, JsonValue] = {"string": "", "boolean": False, "long": 0, "integer": 0}
    return plain.get(kind, 0.0)
