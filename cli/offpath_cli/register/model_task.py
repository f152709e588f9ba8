"""Find out whether a model classifies or regresses, and its classes: from the model, its metadata, or the options."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeGuard, cast, get_args

from numpy.typing import NDArray
from onnx import ModelProto

from offpath.contracts.model_manifest import Task
from offpath_cli.errors import ModelRefused
from offpath_cli.register.graph_cleanup import class_labels
from offpath_cli.register.original import Estimator, Original, is_estimator
from offpath_cli.register.registration_spec import RegistrationSpec

if TYPE_CHECKING:
    import lightgbm
    import xgboost

# A class as the model names it.
ClassValue: TypeAlias = str | int | float | bool


class ClassifierEstimator(Estimator, Protocol):
    """Predict classes. classes_: their values, or a list of such for several labels a record."""

    classes_: NDArray[Any] | list[NDArray[Any]]


# What scikit-learn's outlier detectors predict: an outlier, an inlier.
OUTLIER_CLASSES = (-1, 1)


@dataclass(frozen=True, slots=True)
class ModelTask:
    """Say what a model is for. classes: the values that it predicts, by class index. labels: their names."""

    task: Task
    labels: tuple[str, ...] = ()
    classes: tuple[ClassValue, ...] = ()


@dataclass(frozen=True, slots=True)
class _OwnTask:
    """Say what the model itself tells of its task. objective: of a Booster, where it has no task here."""

    task: Task | None = None
    classes: tuple[ClassValue, ...] = ()
    objective: str = ""


def model_task_of(original: Original, spec: RegistrationSpec) -> ModelTask:
    """Return the task of a model.

    Raises ModelRefused where the model does not say it and no option does, or where they contradict each other.
    """
    own = _own_task(original)
    asked = spec.task or ("classification" if spec.labels else None)
    if asked and own.task and asked != own.task:
        raise ModelRefused(f"--task {asked}: but this {original.kind} is a {own.task}; leave the option out")
    task = asked or own.task or _task_in_metadata(original)
    if task is None:
        raise ModelRefused(
            f"nothing in this {original.kind}{_objective_text(own)} says what it is for: add --task regression, or "
            "--labels with the names of its classes by class index"
        )
    return ModelTask(task) if task == "regression" else _classification(original, spec, own.classes)


def _classification(original: Original, spec: RegistrationSpec, classes: tuple[ClassValue, ...]) -> ModelTask:
    labels = spec.labels or tuple(map(str, original.metadata.labels)) or tuple(map(_label, classes))
    if not labels:
        raise ModelRefused(f"nothing in this {original.kind} names its classes: add --labels, by class index")
    if classes and len(labels) != len(classes):
        shown = ", ".join(map(_label, classes))
        raise ModelRefused(f"there are {len(labels)} labels ({', '.join(labels)}) for {len(classes)} classes ({shown})")
    return ModelTask("classification", labels, classes or tuple(range(len(labels))))


def _task_in_metadata(original: Original) -> Task | None:
    given = original.metadata.task or ("classification" if original.metadata.labels else None)
    return cast(Task, given) if given in get_args(Task) else None


def _own_task(original: Original) -> _OwnTask:
    native = original.native
    if isinstance(native, ModelProto):
        classes = class_labels(native)
        return _OwnTask("classification", classes) if classes else _OwnTask()
    if is_estimator(native):
        return _of_estimator(native)
    if original.flavor == "xgboost":
        return _of_xgboost(cast("xgboost.Booster", native))
    if original.flavor == "lightgbm":
        return _of_lightgbm(cast("lightgbm.Booster", native))
    advice = "; train it with novelty=True" if getattr(native, "novelty", None) is False else ""
    raise ModelRefused(f"this {original.kind} predicts nothing, so it cannot be served{advice}")


def _of_estimator(estimator: Estimator) -> _OwnTask:
    from sklearn.base import is_outlier_detector, is_regressor
    from sklearn.utils import get_tags

    try:
        get_tags(estimator)
    except AttributeError:  # it is of no library that follows scikit-learn's conventions
        return _OwnTask()
    if is_outlier_detector(estimator):
        return _OwnTask("classification", OUTLIER_CLASSES)
    if not _is_classifier(estimator):
        return _OwnTask("regression" if is_regressor(estimator) else None)
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        raise ModelRefused(f"this {type(estimator).__name__} has no classes: it was logged before it was fitted")
    if isinstance(classes, list):
        raise ModelRefused(f"{type(estimator).__name__} predicts {len(classes)} labels a record: one is served")
    return _OwnTask("classification", tuple(classes.tolist()))


def _is_classifier(estimator: Estimator) -> TypeGuard[ClassifierEstimator]:
    from sklearn.base import is_classifier

    return bool(is_classifier(estimator))


def _of_xgboost(booster: "xgboost.Booster") -> _OwnTask:
    learner = json.loads(booster.save_config())["learner"]
    objective = learner["objective"]["name"]
    classes = max(int(learner["learner_model_param"]["num_class"]), 2)
    if objective == "binary:logitraw":
        raise ModelRefused(
            "its objective binary:logitraw gives scores, which are neither classes nor probabilities: train it with "
            "binary:logistic"
        )
    return _by_objective(objective, classes, ("binary:", "multi:"), ("reg:", "count:"))


def _of_lightgbm(booster: "lightgbm.Booster") -> _OwnTask:
    written = next(line for line in booster.model_to_string().splitlines() if line.startswith("objective="))
    objective = written.removeprefix("objective=").split(" ")[0]
    classes = max(booster.num_model_per_iteration(), 2)
    regressions = ("regression", "huber", "fair", "poisson", "quantile", "mape", "gamma", "tweedie")
    return _by_objective(objective, classes, ("binary", "multiclass"), regressions)


def _by_objective(
    objective: str, classes: int, classifications: tuple[str, ...], regressions: tuple[str, ...]
) -> _OwnTask:
    if objective.startswith(classifications):
        return _OwnTask("classification", tuple(range(classes)))
    return _OwnTask("regression") if objective.startswith(regressions) else _OwnTask(objective=objective)


def _objective_text(own: _OwnTask) -> str:
    return f" with the objective {own.objective}" if own.objective else ""


def _label(value: ClassValue) -> str:
    """Return a class as a label: 1.0 is class 1."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
