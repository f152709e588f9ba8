"""Rules by which a new version becomes champion, and their verdicts. They talk to no server."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import isclose, isnan, nan

from offpath.contracts.model_manifest import Task
from offpath.contracts.promotion import Promotion, Verdict
from training.metrics import VALIDATION, less_is_better

_MAIN: Mapping[Task, str] = {"classification": f"{VALIDATION}accuracy", "regression": f"{VALIDATION}rmse"}
FIRST = "there was no champion"


@dataclass(frozen=True, slots=True)
class Measured:
    """A version and its run's metrics. rows: what decided which rows were held out, by name.

    synthetic: the version learnt from made-up data.
    """

    version: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    rows: Mapping[str, str | None] = field(default_factory=dict)
    synthetic: bool = False

    def was_held_out_as(self, other: "Measured") -> bool:
        """Return whether both were measured on the same rows."""
        return not _differing_rows(self, other)


class ChampionRule(ABC):
    """Decides whether a version becomes champion. Where there is no champion, it does."""

    def decide(self, new: Measured, champion: Measured | None) -> Verdict:
        """Return the verdict. champion: the version that is; None where there is none."""
        if champion is None:
            return Verdict(promoted=True, reason=FIRST)
        if champion.version == new.version:
            return Verdict(promoted=True, reason="it is the champion: an earlier attempt of this job promoted it")
        return self._weigh(new, champion, _compare(self._metric, new, champion))

    @property
    @abstractmethod
    def _metric(self) -> str:
        """Return the metric that the two are compared by."""

    @abstractmethod
    def _weigh(self, new: Measured, champion: Measured, comparison: "_Comparison") -> Verdict:
        """Return the verdict on a version beside a champion."""


@dataclass(frozen=True, slots=True)
class IfBetter(ChampionRule):
    """The new version becomes champion if it is better, by the margin or more.

    One of made-up data never takes the place of one of given data.
    """

    promotion: Promotion

    @property
    def _metric(self) -> str:
        return self.promotion.metric

    def _weigh(self, new: Measured, champion: Measured, comparison: "_Comparison") -> Verdict:
        gain, margin = comparison.gain, self.promotion.margin
        if refusal := _refusal(new, champion, comparison):
            return refusal
        is_enough = gain > 0 and (gain >= margin or isclose(gain, margin, rel_tol=1e-9))
        wanted = f"{margin:.6g} or more was asked for" if margin else "any gain was asked for"
        return comparison.verdict(wanted, promoted=is_enough)


@dataclass(frozen=True, slots=True)
class NotWorse(ChampionRule):
    """The new version becomes champion unless it is worse, or nothing says whether it is.

    One of made-up data never takes the place of one of given data.
    """

    metric: str

    @property
    def _metric(self) -> str:
        return self.metric

    def _weigh(self, new: Measured, champion: Measured, comparison: "_Comparison") -> Verdict:
        if refusal := _refusal(new, champion, comparison):
            return refusal
        return comparison.verdict("it was not to be worse", promoted=comparison.gain >= 0)


@dataclass(frozen=True, slots=True)
class Asked(ChampionRule):
    """Somebody decides who is shown both figures. Nothing is moved where there is nobody.

    ask: takes what there is to know, and whether yes is advised; returns the answer. None: there is nobody.
    """

    metric: str
    ask: Callable[[str, bool], bool] | None

    @property
    def _metric(self) -> str:
        return self.metric

    def _weigh(self, new: Measured, champion: Measured, comparison: "_Comparison") -> Verdict:
        is_downgrade = _is_downgrade(new, champion)
        told = comparison.reason + (f". {_made_up(champion)}" if is_downgrade else "")
        comparison = replace(comparison, reason=told)
        if self.ask is None:
            return comparison.verdict("nobody was there to be asked", promoted=False)
        promoted = self.ask(told, comparison.gain > 0 and not is_downgrade)
        return comparison.verdict("as it was answered", promoted=promoted)


@dataclass(frozen=True, slots=True)
class Unmeasured(ChampionRule):
    """Somebody decides on a version that no figure of its run tells of. Nothing is moved where there is nobody.

    ask: as that of `Asked`.
    """

    ask: Callable[[str, bool], bool] | None

    @property
    def _metric(self) -> str:
        return ""

    def _weigh(self, new: Measured, champion: Measured, comparison: "_Comparison") -> Verdict:  # noqa: ARG002
        told = f"the champion is version {champion.version}, and no figure says which of the two is better"
        if self.ask is None:
            return Verdict(promoted=False, reason=f"{told}; nobody was there to be asked")
        return Verdict(promoted=self.ask(told, False), reason=f"{told}; as it was answered")


def main_metric(task: Task) -> str:
    """Return the metric by which two versions of a model are compared if nobody names one."""
    return _MAIN[task]


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Both figures. gain: by how much the new version is better; NaN where one was not measured."""

    reason: str
    gain: float = nan
    differing: tuple[str, ...] = ()

    def verdict(self, why: str, *, promoted: bool) -> Verdict:
        comparable = None if isnan(self.gain) else not self.differing
        return Verdict(promoted=promoted, comparable=comparable, reason=f"{self.reason}; {why}{self._rows()}")

    def _rows(self) -> str:
        names = " and ".join(self.differing)
        return f". The two were measured on different held-out rows: not the same {names}" if names else ""


def _refusal(new: Measured, champion: Measured, comparison: _Comparison) -> Verdict | None:
    """Return the verdict where no figure decides."""
    if _is_downgrade(new, champion):
        return Verdict(promoted=False, reason=_made_up(champion))
    return Verdict(promoted=False, reason=comparison.reason) if isnan(comparison.gain) else None


def _is_downgrade(new: Measured, champion: Measured) -> bool:
    return new.synthetic and not champion.synthetic


def _made_up(champion: Measured) -> str:
    return f"it learnt from made-up data, and the champion, version {champion.version}, from given data"


def _compare(metric: str, new: Measured, champion: Measured) -> _Comparison:
    if metric not in new.metrics:
        return _Comparison(f"its run has no metric {metric}")
    if metric not in champion.metrics:
        return _Comparison(f"the run of the champion, version {champion.version}, has no {metric}")
    gain = new.metrics[metric] - champion.metrics[metric]
    gain = -gain if less_is_better(metric) else gain
    change = "worse" if gain < 0 else "better"
    reason = (
        f"{metric} {new.metrics[metric]:.6g} against {champion.metrics[metric]:.6g} of the champion, version "
        f"{champion.version}: {change} by {abs(gain):.6g}"
    )
    return _Comparison(reason, gain, tuple(_differing_rows(new, champion)))


def _differing_rows(new: Measured, champion: Measured) -> list[str]:
    """Return the names of what differs; none if both were measured on the same rows."""
    return [name for name in sorted({*new.rows, *champion.rows}) if new.rows.get(name) != champion.rows.get(name)]
