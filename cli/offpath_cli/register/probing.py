"""Compare a model's ONNX form with the original on records that are made for it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import SystemRandom

import numpy as np
from mlflow.types import ColSpec, DataType, Schema, TensorSpec

from offpath.contracts.model_manifest import ColumnLimits, Signature
from offpath_cli.errors import ModelRefused
from offpath_cli.register.example_inputs import ExampleInputs
from offpath_cli.register.model_task import ModelTask
from offpath_cli.register.original import Original
from offpath_cli.register.original_answers import original_ask
from offpath_cli.register.record_forms import RecordForms, fields_of, records_of
from training.probes.answers import Answer, Ask, Record, difference, scales_of
from training.probes.compare import Comparison
from training.probes.draw import RECORDS, ProbeMaker
from training.probes.fields import Field
from training.probes.limits import UNSEEN_TEXT, with_limits
from training.probes.structure import Structure, structure_of

# Of the time that the original may take for its answers.
_SECONDS = 60.0
_LEAST_RECORDS = 300
_ADVICE = "log the model with a data frame to leave values out at /predict, too"


@dataclass(frozen=True, slots=True)
class Probing:
    """Hold what a model is compared on.

    fields: with what the original refuses. notes: what changed of the signature.
    """

    forms: RecordForms
    fields: Sequence[Field]
    comparison: Comparison
    notes: tuple[str, ...]


def prepare_probing(
    original: Original, model_task: ModelTask, signature: Signature, example: ExampleInputs, seed: int | None = None
) -> Probing:
    """Return what to compare a model on. seed: of what is drawn; a new one by default.

    Raises ModelRefused if the original answers no record of the example.
    """
    structure = structure_of(original.native)
    forms = RecordForms(signature, _missing_texts(original, model_task, signature, example, structure))
    ask, examples = original_ask(original, model_task, forms), records_of(signature, example)
    answered = _answered(original, ask, examples)
    given = fields_of(signature, example)
    fields = with_limits(ask, given, answered, structure)
    if signature.tensors:
        joint = _joint(fields)
        fields = [replace(field, is_optional=field.is_optional and joint.missing, limits=joint) for field in fields]
    seed = SystemRandom().randrange(2**31) if seed is None else seed
    count = _affordable(ask, answered)
    records = ProbeMaker(fields, answered, structure, ask, seed, count).records()
    scales = scales_of(ask(answered))
    comparison = Comparison(ask, records, ask(records), answered[0], seed, is_smooth=structure.is_smooth, scales=scales)
    return Probing(forms, fields, comparison, _notes(signature, given, fields))


def limited_schema(schema: Schema, fields: Sequence[Field]) -> Schema:
    """Return the columns, those required that the original refuses to miss; a schema of tensors stays."""
    if schema.is_tensor_spec():
        return schema
    needed = {field.name for field in fields if not field.is_optional}
    columns: list[ColSpec | TensorSpec] = [
        ColSpec(one.type, one.name, required=one.required or one.name in needed) for one in schema
    ]
    return Schema(columns)


def limits_of(signature: Signature, fields: Sequence[Field]) -> dict[str, ColumnLimits]:
    """Return what the original refuses, by column or tensor."""
    if not signature.tensors:
        return {field.name: field.limits for field in fields if field.limits != ColumnLimits()}
    [tensor] = signature.tensors
    found = _joint(fields)
    rounded = found.model_copy(
        update={"least": _as_held(found.least, tensor.dtype), "most": _as_held(found.most, tensor.dtype)}
    )
    return {} if found == ColumnLimits() else {tensor.key: rounded}


def _as_held(limit: float | None, dtype: str) -> float | None:
    """Return a limit as a tensor of that type holds it: its numbers are rounded before they are compared."""
    return float(np.dtype(dtype).type(limit)) if limit is not None and dtype.startswith("float") else limit


def _joint(fields: Sequence[Field]) -> ColumnLimits:
    """Return the limits that hold for every number of a tensor."""
    return ColumnLimits(
        least=max((field.limits.least for field in fields if field.limits.least is not None), default=None),
        most=min((field.limits.most for field in fields if field.limits.most is not None), default=None),
        missing=all(field.limits.missing for field in fields),
    )


def joined_limits(one: Mapping[str, ColumnLimits], other: Mapping[str, ColumnLimits]) -> dict[str, ColumnLimits]:
    """Return the limits of both, which say different things of a column."""
    found = dict(one)
    for name, limits in other.items():
        changed = {key: getattr(limits, key) for key in limits.model_fields_set}
        found[name] = found.get(name, ColumnLimits()).model_copy(update=changed)
    return found


def whole_numbers_that_may_be_missing(schema: Schema) -> tuple[Schema, list[str]]:
    """Return the schema with optional whole numbers as doubles, which can say that there is none, and their names."""
    if schema.is_tensor_spec():
        return schema, []
    whole = (DataType.long, DataType.integer)  # no set: types of arrays and objects have no hash
    names = [one.name for one in schema if not one.required and one.type in whole]
    columns: list[ColSpec | TensorSpec] = [
        ColSpec(DataType.double if one.name in names else one.type, one.name, required=one.required) for one in schema
    ]
    return Schema(columns), names


def _answered(original: Original, ask: Ask, examples: Sequence[Record]) -> list[Record]:
    answers = ask(examples)
    found = [record for record, answer in zip(examples, answers, strict=True) if answer.refused is None]
    if not found:
        reason = answers[0].refused if answers else "it has no record"
        raise ModelRefused(f"the {original.kind} itself fails on the input example: {reason}")
    return found


def _missing_texts(
    original: Original, model_task: ModelTask, signature: Signature, example: ExampleInputs, structure: Structure
) -> dict[str, float | None]:
    """Return what stands for a missing text: what its encoders learnt, or what the original takes, None before NaN."""
    nan = float("nan")
    kinds = structure.missing or structure.filled
    if kinds and len({kind is None for kind in kinds}) == 1:
        return {column.name: kinds[0] for column in signature.columns}
    found: dict[str, float | None] = {}
    for column in signature.columns:
        if column.type != "string" or column.required:
            continue
        for missing in (None, nan):
            ask = original_ask(original, model_task, RecordForms(signature, {**found, column.name: missing}))
            if _takes_as_missing(ask, column.name, records_of(signature, example)[:3], is_learnt=bool(kinds)):
                found[column.name] = missing
                break
    return found


def _takes_as_missing(ask: Ask, name: str, records: Sequence[Record], *, is_learnt: bool) -> bool:
    """Return whether the original answers records without the column.

    is_learnt: whether its encoders learnt missing values, of both kinds: the one that a column did not learn is
    answered, if at all, as a text that it does not know.
    """
    without = ask([{key: value for key, value in record.items() if key != name} for record in records])
    unseen: list[Answer | None] = [None] * len(without)
    if is_learnt:
        unseen = [*ask([{**record, name: UNSEEN_TEXT} for record in records])]
    return any(
        one.refused is None and (other is None or difference(other, one) is None)
        for one, other in zip(without, unseen, strict=True)
    )


def _affordable(ask: Ask, records: Sequence[Record]) -> int:
    """Return how many records the original can answer in the time that there is."""
    few = [*records[:50]] * (1 if len(records) >= 50 else 5)
    started = time.monotonic()
    ask(few)
    each = (time.monotonic() - started) / len(few)
    return max(_LEAST_RECORDS, min(RECORDS, int(_SECONDS / max(each, 1e-6))))


def _notes(signature: Signature, given: Sequence[Field], found: Sequence[Field]) -> tuple[str, ...]:
    pairs = list(zip(given, found, strict=True))
    needed = [] if signature.tensors else [one.name for one, other in pairs if one.is_optional > other.is_optional]
    closed = [field.name for field in found if field.limits.values is not None]
    notes = []
    if needed:
        notes.append(f"required, as the original fails without: {', '.join(needed)}")
    if closed:
        notes.append(f"only values that the original knows are taken: {', '.join(closed)}")
    if signature.tensors and any(one.is_optional for one in found):
        notes.append(f"a tensor may hold null at /invocations alone: {_ADVICE}")
    return tuple(notes)
