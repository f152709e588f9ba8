"""Whether a new version becomes champion: its metric against the champion's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isclose

from training.metrics import less_is_better


@dataclass(frozen=True, slots=True)
class Promotion:
    """When a new version becomes champion: its run's metric is better than the champion's, by margin or more."""

    metric: str
    margin: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it does, and why, or why not. comparable: whether the rows were the same; None: nothing was compared."""

    promoted: bool
    reason: str
    comparable: bool | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """A version and what its run says. rows: what decided which rows were held out, by its name."""

    version: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    rows: Mapping[str, str | None] = field(default_factory=dict)


def decide(promotion: Promotion, new: Measured, champion: Measured | None) -> Verdict:
    """Whether the new version is better than the champion, by the margin or more."""
    metric = promotion.metric
    if champion is None:
        return Verdict(promoted=True, reason="there was no champion")
    if champion.version == new.version:
        return Verdict(promoted=True, reason="it is the champion: an earlier attempt of this job promoted it")
    if metric not in new.metrics:
        return Verdict(promoted=False, reason=f"its run has no metric {metric}")
    if metric not in champion.metrics:
        return Verdict(promoted=False, reason=f"the run of the champion, version {champion.version}, has no {metric}")
    return _compared(promotion, new, champion)


def _compared(promotion: Promotion, new: Measured, champion: Measured) -> Verdict:
    metric, margin = promotion.metric, promotion.margin
    gain = new.metrics[metric] - champion.metrics[metric]
    gain = -gain if less_is_better(metric) else gain
    enough = gain > 0 and (gain >= margin or isclose(gain, margin, rel_tol=1e-9))
    wanted = f"{margin:.6g} or more was asked for" if margin else "any gain was asked for"
    compared = (
        f"{metric} {new.metrics[metric]:.6g} against {champion.metrics[metric]:.6g} of the champion, version "
        f"{champion.version}: {'worse' if gain < 0 else 'better'} by {abs(gain):.6g}; {wanted}"
    )
    others = _other_rows(new, champion)
    return Verdict(promoted=enough, comparable=not others, reason=compared + others)


def _other_rows(new: Measured, champion: Measured) -> str:
    """A sentence that names what differs; empty if both were measured on the same rows."""
    differing = [name for name in sorted({*new.rows, *champion.rows}) if new.rows.get(name) != champion.rows.get(name)]
    if not differing:
        return ""
    return f". The two were measured on different held-out rows: not the same {' and '.join(differing)}"
