"""The specification of a training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.promotion import ChampionRule


@dataclass(frozen=True, slots=True)
class AliasPlan:
    """Aliases to move. alias: to the new version, whatever its scores. rule: decides whether the version is champion.

    Each is None where there is nothing to move.
    """

    alias: str | None = None
    rule: ChampionRule | None = None


@dataclass(frozen=True, slots=True)
class TrainingSpec:
    """A training that is asked for. parameters: values or their texts. wait_seconds: for an MLflow server that starts.

    data: files to learn from; if there are none, the recipe's own data. job: the id of the training job, if it is one:
    run and version have it as a tag.
    """

    model: str
    tracking_uri: str
    seed: int
    parameters: Mapping[str, Any]
    aliases: AliasPlan
    wait_seconds: float = 0.0
    data: Sequence[Path] = ()
    job: str | None = None
