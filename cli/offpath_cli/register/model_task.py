"""Whether a model classifies or regresses, and its classes: from the model, its metadata, or the options."""

import json
from dataclasses import dataclass
from typing import Any, cast, get_args

from offpath.contracts.model_manifest import Task
from offpath_cli.register.errors import Refused
from offpath_cli.register.graph_cleanup import class_labels
from offpath_cli.register.original import Original
from offpath_cli.register.registration_spec import RegistrationSpec


@dataclass(frozen=True, slots=True)
class ModelTask:
    """What a model is for. classes: the values that it predicts, by class index; labels: what they are called."""

    task: Task
    labels: tuple[str, ...] = ()
    classes: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class _Told:
    task: Task | None = None
    classes: tuple[Any, ...] = ()


def model_task_of(original: Original, spec: RegistrationSpec) -> ModelTask:
    """Raises Refused where the model does not say it and no option does, or where they contradict each other."""
    told = _told(original)
    asked = spec.task or ("classification" if spec.labels else None)
    if asked and told.task and asked != told.task:
        raise Refused(f"--task {asked}: but this {original.kind} is a {told.task}; leave the option out")
    task = asked or told.task or _marked(original)
    if task is None:
        raise Refused(
            f"nothing in this {original.kind} says what it is for: add --task regression, or --labels with the names "
            "of its classes by class index"
        )
    return ModelTask(task) if task == "regression" else _classification(original, spec, told.classes)


def _classification(original: Original, spec: RegistrationSpec, classes: tuple[Any, ...]) -> ModelTask:
    labels = spec.labels or tuple(map(str, original.mark.labels)) or tuple(map(_label, classes))
    if not labels:
        raise Refused(f"nothing in this {original.kind} names its classes: add --labels, by class index")
    if classes and len(labels) != len(classes):
        shown = ", ".join(map(_label, classes))
        raise Refused(f"there are {len(labels)} labels ({', '.join(labels)}) for {len(classes)} classes ({shown})")
    return ModelTask("classification", labels, classes or tuple(range(len(labels))))


def _marked(original: Original) -> Task | None:
    given = original.mark.task or ("classification" if original.mark.labels else None)
    return cast(Task, given) if given in get_args(Task) else None


def _told(original: Original) -> _Told:
    if original.flavor == "onnx":
        classes = class_labels(original.native)
        return _Told("classification", classes) if classes else _Told()
    if hasattr(original.native, "predict") and hasattr(original.native, "get_params"):
        return _estimator(original.native)
    return _xgboost(original.native) if original.flavor == "xgboost" else _lightgbm(original.native)


def _estimator(estimator: Any) -> _Told:
    from sklearn.base import is_classifier, is_regressor

    if not is_classifier(estimator):
        return _Told("regression" if is_regressor(estimator) else None)
    classes = estimator.classes_
    if isinstance(classes, list):
        raise Refused(f"{type(estimator).__name__} predicts {len(classes)} labels a record: one is served")
    return _Told("classification", tuple(classes.tolist()))


def _xgboost(booster: Any) -> _Told:
    learner = json.loads(booster.save_config())["learner"]
    objective = learner["objective"]["name"]
    classes = max(int(learner["learner_model_param"]["num_class"]), 2)
    return _by_objective(objective, classes, ("binary:", "multi:"), ("reg:", "count:"))


def _lightgbm(booster: Any) -> _Told:
    written = next(line for line in booster.model_to_string().splitlines() if line.startswith("objective="))
    objective = written.removeprefix("objective=").split(" ")[0]
    classes = max(booster.num_model_per_iteration(), 2)
    regressions = ("regression", "huber", "fair", "poisson", "quantile", "mape", "gamma", "tweedie")
    return _by_objective(objective, classes, ("binary", "multiclass"), regressions)


def _by_objective(
    objective: str, classes: int, classifications: tuple[str, ...], regressions: tuple[str, ...]
) -> _Told:
    if objective.startswith(classifications):
        return _Told("classification", tuple(range(classes)))
    return _Told("regression" if objective.startswith(regressions) else None)


def _label(value: Any) -> str:
    """A class as a label: 1.0 is class 1."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
