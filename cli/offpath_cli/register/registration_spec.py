"""Say what is to be registered, and refuse what is wrong in that before anything is read."""

from dataclasses import dataclass
from pathlib import Path

from offpath.contracts.model_manifest import Task
from offpath_cli.errors import ModelRefused
from training.checks import check_alias

# MLflow's experiments have names of up to 256 characters, and this one's is `registered/` and the name.
_LONGEST_NAME = 245


@dataclass(frozen=True, slots=True)
class RegistrationSpec:
    """Say what to register, and under which name.

    source: a file, a folder, or the address of a logged model. task, labels, example: for what the model itself does
    not say. opset: None for the one that a conversion writes by itself. seed: of the records that are drawn; None for a
    new one. time_limit, memory_limit: for reading, converting and comparing, in seconds and in MB.
    """

    source: str
    name: str
    tracking_uri: str
    alias: str = "champion"
    task: Task | None = None
    labels: tuple[str, ...] = ()
    example: Path | None = None
    description: str = ""
    opset: int | None = None
    seed: int | None = None
    time_limit: int = 600
    memory_limit: int = 8_000


def check_spec(spec: RegistrationSpec) -> None:
    """Raise ModelRefused for what is wrong, or TrainingError for an alias that MLflow refuses."""
    _check_name(spec.name)
    check_alias(spec.alias)
    _check_labels(spec)
    if spec.example and not spec.example.is_file():
        raise ModelRefused(f"--example {spec.example}: there is no such file (looked for from {Path.cwd()})")


def split_labels(text: str) -> tuple[str, ...]:
    """Return the labels in `a,b,c`; none of an empty text.

    Raises ModelRefused for one that is empty, or there twice.
    """
    labels = tuple(label.strip() for label in text.split(",")) if text.strip() else ()
    if not all(labels) or len(set(labels)) < len(labels) or len(labels) == 1:
        raise ModelRefused(
            f"--labels {text!r}: expected two or more different names with commas between, by class index"
        )
    return labels


def _check_name(name: str) -> None:
    """Refuse a name that MLflow refuses, or that a path of the API could not hold."""
    if not name.strip() or any(mark in name for mark in "/:") or name in {".", ".."} or not name.isprintable():
        raise ModelRefused(f"--name {name!r}: MLflow takes any name without / and :, for example churn-2")
    if len(name) > _LONGEST_NAME:
        raise ModelRefused(f"--name {name[:40]}…: it has {len(name)} characters, and MLflow takes {_LONGEST_NAME}")


def _check_labels(spec: RegistrationSpec) -> None:
    if spec.task == "regression" and spec.labels:
        raise ModelRefused(f"--task regression and --labels {','.join(spec.labels)}: a regression has no labels")
