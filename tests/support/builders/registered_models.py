"""Models that were registered as far as the registry, and answer as the API does."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from offpath.contracts.model_manifest import Task
from offpath_cli.register.candidate import Candidate, CandidateBuilder
from offpath_cli.register.examples import Records
from offpath_cli.register.model_task import model_task_of
from offpath_cli.register.original import Original
from offpath_cli.register.registration_spec import RegistrationSpec
from offpath_cli.register.serving_check import ServingCheck, load_as_served
from training.registry.versions import save_model

_BYTES = 10_000_000
_SEED = 3


@dataclass(frozen=True)
class Registered:
    """A model that could be registered. check: it as the API serves it."""

    candidate: Candidate
    check: ServingCheck

    def answers(self, *records: dict[str, Any]) -> list[Any]:
        """Return the API's answer to each record."""
        return list(self.check.answers(json.dumps({"inputs": records}).encode(), len(records)))

    def labels(self, *records: dict[str, Any]) -> list[str]:
        """Return the label of each record."""
        return [answer["label"] for answer in self.answers(*records)]


def registered(
    native: Any, rows: Any, signed: Any = None, labels: Sequence[str] = (), flavor: str = "sklearn"
) -> Registered:
    """Return a model that was logged with these rows as its example. signed: the rows of its signature, if others."""
    from mlflow.models import infer_signature

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of whole numbers, which cannot be missing later
        signature = infer_signature(rows if signed is None else signed)
    return of_original(Original(flavor, native, signature, Records(records(rows))), labels)


def of_original(original: Original, labels: Sequence[str] = (), task: Task | None = None) -> Registered:
    """Return a model as it was read."""
    spec = RegistrationSpec("models:/m/1", "m", "http://127.0.0.1:5000", labels=tuple(labels), task=task)
    model_task = model_task_of(original, spec)
    candidate = CandidateBuilder(original, model_task, original.example, _BYTES, seed=_SEED).build()
    with TemporaryDirectory() as folder:
        save_model(candidate.model, Path(folder) / "model")
        return Registered(candidate, load_as_served(Path(folder) / "model", _BYTES))


def records(rows: Any) -> list[dict[str, Any]]:
    """Return a data frame's rows, without what is missing."""
    return [
        {name: value for name, value in row.items() if not missing[name]}
        for row, missing in zip(rows.to_dict("records"), rows.isna().to_dict("records"), strict=True)
    ]
