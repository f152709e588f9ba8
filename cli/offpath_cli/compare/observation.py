"""What the spans of a request say of the versions that dealt with it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from offpath import attributes
from offpath.attributes import trace_tag
from offpath_cli.compare.span import Span

VALIDATE = "validate"


@dataclass(frozen=True, slots=True)
class Observation:
    """One request, as one version answered or shadowed it.

    request_ms: the whole of it, of an answer. model_ms: reading the inputs and calling the model. said: a label or a
    number a record, where it is either. records: how many predictions there are. agreement: of a shadow, with what was
    answered.
    """

    version: str
    alias: str
    is_shadow: bool
    failed: bool
    request_ms: float | None
    model_ms: float | None
    said: Sequence[str | float]
    records: int
    agreement: float | None = None
    difference: float | None = None


def observations(spans: Sequence[Span], model: str) -> Iterator[Observation]:
    """One for each answer of the model, and one for each shadow."""
    for span in spans:
        if span.attributes.get(attributes.SHADOW) and span.attributes.get(attributes.MODEL) == model:
            yield _shadowed(span)
        elif span.attributes.get(trace_tag("model")) == model:
            yield _answered(span, [child for child in spans if child.parent_id == span.span_id])


def _answered(root: Span, children: Sequence[Span]) -> Observation:
    predicted = [] if root.failed else _predictions(root)
    work = [
        child.milliseconds
        for child in children
        if not child.attributes.get(attributes.SHADOW)
        and (child.name == VALIDATE or attributes.MODEL in child.attributes)
    ]
    return Observation(
        version=str(root.attributes.get(trace_tag("model_version"), "")),
        alias=str(root.attributes.get(trace_tag("alias"), "")),
        is_shadow=False,
        failed=root.failed,
        request_ms=root.milliseconds,
        model_ms=sum(work) if work and not root.failed else None,
        said=_said(predicted),
        records=len(predicted),
    )


def _shadowed(span: Span) -> Observation:
    predicted = [] if span.failed else _predictions(span)
    return Observation(
        version=str(span.attributes.get(attributes.MODEL_VERSION, "")),
        alias=str(span.attributes.get(attributes.ALIAS, "")),
        is_shadow=True,
        failed=span.failed,
        request_ms=None,
        model_ms=None if span.failed else span.milliseconds,
        said=_said(predicted),
        records=len(predicted),
        agreement=_number(span.attributes.get(attributes.SHADOW_AGREEMENT)),
        difference=_number(span.attributes.get(attributes.SHADOW_DIFFERENCE)),
    )


def _predictions(span: Span) -> list[Any]:
    """One a record, of either route's form; none where the outputs are not a list."""
    outputs = span.attributes.get(attributes.SPAN_OUTPUTS)
    try:
        predictions = json.loads(outputs) if isinstance(outputs, str) else outputs
    except ValueError:
        return []
    return predictions if isinstance(predictions, list) else []


def _said(predictions: Sequence[Any]) -> list[str | float]:
    """The predictions that are labels or numbers."""
    return [value for value in map(_value, predictions) if value is not None]


def _value(prediction: Any) -> str | float | None:
    match prediction:
        case str(label) | {"label": str(label)}:
            return label
        case {"value": value} | value if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        case dict(row) if len(row) == 1:  # MLflow's scoring protocol: an output a column
            return _value(next(iter(row.values())))
        case _:
            return None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
