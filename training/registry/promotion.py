"""Decide which aliases a new version gets: one that is asked for, and champion if the version is better."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isclose

from offpath.contracts.promotion import Promotion, Verdict
from training.metrics import less_is_better


@dataclass(frozen=True, slots=True)
class Measured:
    """A version and its run's metrics. rows: what decided which rows were held out, by name."""

    version: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    rows: Mapping[str, str | None] = field(default_factory=dict)


def decide(promotion: Promotion, new: Measured, champion: Measured | None) -> Verdict:
    """Tell whether the new version is better than the champion, by the margin or more."""
    metric = promotion.metric
    if champion is None:
        return Verdict(promoted=True, reason="there was no champion")
    if champion.version == new.version:
        return Verdict(promoted=True, reason="it is the champion: an earlier attempt of this job promoted it")
    if metric not in new.metrics:
        return Verdict(promoted=False, reason=f"its run has no metric {metric}")
    if metric not in champion.metrics:
        return Verdict(promoted=False, reason=f"the run of the champion, version {champion.version}, has no {metric}")
    return _compare(promotion, new, champion)


def _compare(promotion: Promotion, new: Measured, champion: Measured) -> Verdict:
    metric, margin = promotion.metric, promotion.margin
    gain = new.metrics[metric] - champion.metrics[metric]
    gain = -gain if less_is_better(metric) else gain
    promoted = gain > 0 and (gain >= margin or isclose(gain, margin, rel_tol=1e-9))
    change = "worse" if gain < 0 else "better"
    wanted = f"{margin:.6g} or more was asked for" if margin else "any gain was asked for"
    reason = (
        f"{metric} {new.metrics[metric]:.6g} against {champion.metrics[metric]:.6g} of the champion, version "
        f"{champion.version}: {change} by {abs(gain):.6g}; {wanted}"
    )
    differing = _differing_rows(new, champion)
    if differing:
        names = " and ".join(differing)
        reason += f". The two were measured on different held-out rows: not the same {names}"
    return Verdict(promoted=promoted, comparable=not differing, reason=reason)


def _differing_rows(new: Measured, champion: Measured) -> list[str]:
    """Return the names of what differs; none if both were measured on the same rows."""
    return [name for name in sorted({*new.rows, *champion.rows}) if new.rows.get(name) != champion.rows.get(name)]
