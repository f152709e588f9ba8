"""Read from the spans of a request how each version dealt with it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from offpath import attributes
from offpath.attributes import trace_tag
from offpath_cli.compare.span import Span

VALIDATE = "validate"


@dataclass(frozen=True, slots=True)
class Observation:
    """Describe one request, as one version answered or shadowed it.

    failed: whether it failed or was refused. request_ms: of an answer, the duration of the whole request. model_ms:
    reading the inputs and calling the model. predicted: a label or a number a record, where it is either. records: how
    many predictions there are. agreement, difference: of a shadow, with the answer.
    """

    version: str
    alias: str
    is_shadow: bool
    failed: bool
    request_ms: float | None
    model_ms: float | None
    predicted: Sequence[str | float]
    records: int
    agreement: float | None = None
    difference: float | None = None


def observations(spans: Sequence[Span], model: str) -> Iterator[Observation]:
    """Yield one observation for each answer of the model, and one for each shadow.

    A shadow's span is a trace of its own; version 0.1.0 made it a part of the request's. A request that was refused
    before a version was selected is no version's. Of a prediction within a request that is traced, too, both spans have
    the tags: the inner one counts.
    """
    around = _around([span for span in spans if _is_answer(span, model)], spans)
    for span in spans:
        if is_shadow(span):
            if span.attributes.get(attributes.MODEL) == model:
                yield _shadow(span)
        elif _is_answer(span, model) and span.span_id not in around:
            yield _answer(span, [child for child in spans if child.parent_id == span.span_id])


def _is_answer(span: Span, model: str) -> bool:
    return (
        not is_shadow(span)
        and span.attributes.get(trace_tag("model")) == model
        and trace_tag("model_version") in span.attributes
    )


def _around(inner: Sequence[Span], spans: Sequence[Span]) -> set[str]:
    """Return the ids of the spans that these lie in."""
    parents = {span.span_id: span.parent_id for span in spans}
    found: set[str] = set()
    for span in inner:
        parent = span.parent_id
        while parent and parent not in found:
            found.add(parent)
            parent = parents.get(parent, "")
    return found


def is_shadow(span: Span) -> bool:
    """Tell whether a shadow made the span."""
    return bool(span.attributes.get(attributes.SHADOW))


def _answer(root: Span, children: Sequence[Span]) -> Observation:
    failed = root.failed or trace_tag(attributes.OUTCOME) in root.attributes
    predictions = [] if failed else _predictions(root)
    work = [child.milliseconds for child in children if _is_models_work(child)]
    return Observation(
        version=str(root.attributes.get(trace_tag("model_version"), "")),
        alias=str(root.attributes.get(trace_tag("alias"), "")),
        is_shadow=False,
        failed=failed,
        request_ms=root.milliseconds,
        model_ms=sum(work) if work and not failed else None,
        predicted=_labels_and_numbers(predictions),
        records=len(predictions),
    )


def _is_models_work(child: Span) -> bool:
    return not is_shadow(child) and (child.name == VALIDATE or attributes.MODEL in child.attributes)


def _shadow(span: Span) -> Observation:
    predictions = [] if span.failed else _predictions(span)
    return Observation(
        version=str(span.attributes.get(attributes.MODEL_VERSION, "")),
        alias=str(span.attributes.get(attributes.ALIAS, "")),
        is_shadow=True,
        failed=span.failed,
        request_ms=None,
        model_ms=None if span.failed else span.milliseconds,
        predicted=_labels_and_numbers(predictions),
        records=len(predictions),
        agreement=_number(span.attributes.get(attributes.SHADOW_AGREEMENT)),
        difference=_number(span.attributes.get(attributes.SHADOW_DIFFERENCE)),
    )


def _predictions(span: Span) -> list[object]:
    """Return one prediction a record, in the form of either route; outputs that are no list are one record's."""
    outputs = span.attributes.get(attributes.SPAN_OUTPUTS)
    try:
        predictions = json.loads(outputs) if isinstance(outputs, str) else outputs
    except ValueError:
        return []
    if isinstance(predictions, list):
        return predictions
    return [] if predictions is None else [predictions]


def _labels_and_numbers(predictions: Sequence[object]) -> list[str | float]:
    """Return the predictions that are labels or numbers."""
    return [value for value in map(_value, predictions) if value is not None]


def _value(prediction: object) -> str | float | None:
    match prediction:
        case str(label) | {"label": str(label)}:
            return label
        case {"value": value} | value if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        case dict(row) if len(row) == 1:  # MLflow's scoring protocol: an output a column
            return _value(next(iter(row.values())))
        case _:
            return None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
