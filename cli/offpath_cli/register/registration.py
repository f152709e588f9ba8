"""Describe a version to register, and where it comes from."""

from importlib.metadata import PackageNotFoundError, version
from platform import python_version

from offpath_cli.register.built import Built
from offpath_cli.register.candidate import Candidate
from offpath_cli.register.registration_spec import RegistrationSpec
from training.registry.versions import NewVersion

_CONVERTERS = {
    "onnx": (),
    "sklearn": ("scikit-learn", "skl2onnx"),
    "xgboost": ("xgboost", "xgboost-cpu", "onnxmltools", "skl2onnx"),
    "lightgbm": ("lightgbm", "onnxmltools", "skl2onnx"),
}
_ALWAYS = ("onnx", "onnxruntime", "numpy", "mlflow")


def new_version(spec: RegistrationSpec, built: Built) -> NewVersion:
    """Return the version to register: a run in the experiment `registered/<name>`, and the model."""
    about, candidate = spec.description or f"{built.kind} from {spec.source}", built.candidate
    return NewVersion(
        name=spec.name,
        experiment=f"registered/{spec.name}",
        title=built.kind,
        about=about,
        model=candidate.model,
        params=_params(spec, built),
        metrics=_metrics(candidate),
        tags={f"version.{name}": number for name, number in _versions(built).items()},
        description=about,
        version_description=f"{about}. {_checked(candidate)}",
    )


def _params(spec: RegistrationSpec, built: Built) -> dict[str, str]:
    candidate = built.candidate
    seed = {"compared_seed": str(candidate.agreement.seed)} if candidate.agreement else {}
    opsets = ", ".join(f"{entry.domain or 'ai.onnx'} {entry.version}" for entry in candidate.model.onnx.opset_import)
    return {
        "source": spec.source,
        "flavor": built.flavor,
        "model": built.native,
        "task": candidate.model.task,
        "opsets": opsets,
        "compared_records": str(candidate.records if candidate.difference is not None else 0),
    } | seed


def _metrics(candidate: Candidate) -> dict[str, float]:
    metrics = {"onnx_bytes": float(candidate.bytes)}
    return metrics if candidate.difference is None else metrics | {"onnx_largest_difference": candidate.difference}


def _checked(candidate: Candidate) -> str:
    if candidate.difference is None:
        return "ONNX as it came: nothing was converted, nothing compared."
    return f"Its ONNX form agrees on {candidate.records:,} record(s): largest difference {candidate.difference:.1e}."


def _versions(built: Built) -> dict[str, str]:
    found = {"python": python_version()}
    for name in (*_CONVERTERS[built.flavor], *_ALWAYS):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # xgboost goes by one of two names
            continue
    return found
