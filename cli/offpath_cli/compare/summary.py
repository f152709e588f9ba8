"""Sum up the observations of each version in figures."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from offpath_cli.compare.observation import Observation

PERCENTILES = (50, 95, 99)
VALUE_PERCENTILES = (5, 50, 95)


@dataclass(frozen=True, slots=True)
class Summary:
    """Describe one version under one alias, as the one that answered or as a shadow.

    request_ms, model_ms: percentiles 50, 95 and 99. labels: label → part of the records. values: percentiles 5, 50
    and 95 of a regression's predictions. agreement, difference: of a shadow with what was answered, a mean over the
    records.
    """

    version: str
    alias: str
    is_shadow: bool
    requests: int
    records: int
    errors: int
    request_ms: tuple[float, ...] = ()
    model_ms: tuple[float, ...] = ()
    labels: dict[str, float] = field(default_factory=dict)
    values: tuple[float, ...] = ()
    agreement: float | None = None
    difference: float | None = None

    @property
    def error_rate(self) -> float:
        """The part of the requests that failed or were refused, from 0 to 1."""
        return self.errors / self.requests


def summarise(observations: Iterable[Observation]) -> list[Summary]:
    """Return one summary a version and alias: those that answered first, the busiest of them first."""
    groups: dict[tuple[bool, str, str], list[Observation]] = {}
    for seen in observations:
        groups.setdefault((seen.is_shadow, seen.alias, seen.version), []).append(seen)
    summaries = map(_summary, groups.values())
    return sorted(summaries, key=lambda one: (one.is_shadow, -one.requests, one.alias, one.version))


def _summary(group: Sequence[Observation]) -> Summary:
    predicted = [value for seen in group for value in seen.predicted]
    labels = Counter(value for value in predicted if isinstance(value, str))
    return Summary(
        version=group[0].version,
        alias=group[0].alias,
        is_shadow=group[0].is_shadow,
        requests=len(group),
        records=sum(seen.records for seen in group),
        errors=sum(seen.failed for seen in group),
        request_ms=_percentiles([seen.request_ms for seen in group if seen.request_ms is not None], PERCENTILES),
        model_ms=_percentiles([seen.model_ms for seen in group if seen.model_ms is not None], PERCENTILES),
        labels={label: count / labels.total() for label, count in labels.most_common()},
        values=_percentiles([value for value in predicted if isinstance(value, float)], VALUE_PERCENTILES),
        agreement=_mean([(seen.agreement, seen.records) for seen in group]),
        difference=_mean([(seen.difference, seen.records) for seen in group]),
    )


def _percentiles(values: Sequence[float], wanted: Sequence[int]) -> tuple[float, ...]:
    return tuple(float(value) for value in np.percentile(values, wanted)) if values else ()


def _mean(weighted: Sequence[tuple[float | None, int]]) -> float | None:
    """Return the mean over records: a request of a hundred counts for a hundred."""
    known = [(value, weight) for value, weight in weighted if value is not None and weight]
    return sum(value * weight for value, weight in known) / sum(weight for _, weight in known) if known else None
