"""What somebody asks to be registered, and what of it can be told wrong before anything is read."""

from dataclasses import dataclass
from pathlib import Path

from offpath.contracts.model_manifest import Task
from offpath_cli.register.errors import Refused
from training.checks import check_alias


@dataclass(frozen=True, slots=True)
class RegistrationSpec:
    """What to register, and as what. task, labels, example: for what the model itself does not say. opset: None for
    the one that a conversion writes by itself."""

    source: str
    name: str
    tracking_uri: str
    alias: str = "champion"
    task: Task | None = None
    labels: tuple[str, ...] = ()
    example: Path | None = None
    description: str = ""
    opset: int | None = None


def check_spec(spec: RegistrationSpec) -> None:
    """Raises Refused, or TrainingError for an alias that MLflow refuses."""
    _check_name(spec.name)
    check_alias(spec.alias)
    _check_labels(spec)
    if spec.example and not spec.example.is_file():
        raise Refused(f"--example {spec.example}: there is no such file (looked for from {Path.cwd()})")


def split_labels(text: str) -> tuple[str, ...]:
    """The labels in `a,b,c`; none in an empty text. Raises Refused for one that is empty, or there twice."""
    labels = tuple(label.strip() for label in text.split(",")) if text.strip() else ()
    if not all(labels) or len(set(labels)) < len(labels) or len(labels) == 1:
        raise Refused(f"--labels {text!r}: expected two or more different names with commas between, by class index")
    return labels


def _check_name(name: str) -> None:
    """What MLflow refuses, and what a path of the API could not hold."""
    if not name.strip() or any(mark in name for mark in "/:") or name in {".", ".."} or not name.isprintable():
        raise Refused(f"--name {name!r}: MLflow takes any name without / and :, for example churn-2")


def _check_labels(spec: RegistrationSpec) -> None:
    if spec.task == "regression" and spec.labels:
        raise Refused(f"--task regression and --labels {','.join(spec.labels)}: a regression has no labels")
