"""Register a model: from its specification to the alias."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from offpath_cli.register.built import Built
from offpath_cli.register.child import build_apart
from offpath_cli.register.registration_spec import RegistrationSpec, check_spec
from offpath_cli.register.source import fetch, is_uri
from training.callbacks import Callbacks, Report
from training.promotion import ChampionRule
from training.registry.mlflow_server import checked_address, quiet_mlflow, wait_for
from training.training_spec import AliasPlan

if TYPE_CHECKING:
    from offpath_cli.register.candidate import Candidate
    from offpath_cli.register.model_task import ModelTask
    from offpath_cli.register.original import Original
    from training.registry.versions import Registered


def register_model(
    spec: RegistrationSpec, max_bytes: int, report: Report, rule: ChampionRule | None = None
) -> "Registered":
    """Read the model, convert it, try it, compare it, and register it. All checks come before anything lasting is done.

    Up to the comparison it is done in a process of its own. max_bytes: the most that the ONNX file may have. rule:
    decides whether the version becomes champion, instead of the alias that the spec names. Raises ModelRefused,
    TrainingError, or an OffpathError of the sync or the API.
    """
    check_spec(spec)
    address = checked_address(spec.tracking_uri)
    is_uri(spec.source)
    wait_for(address, 0)
    built = build_apart(build, spec, max_bytes, report)
    for line in (_candidate_text(built.candidate), *built.candidate.notes):
        report(line)

    from offpath_cli.register.registration import new_version  # it takes seconds to import
    from training.registry.versions import register_version

    plan = AliasPlan(rule=rule) if rule else AliasPlan(spec.alias)
    return register_version(new_version(spec, built), address, plan, Callbacks(report))


def build(spec: RegistrationSpec, max_bytes: int, report: Report) -> Built:
    """Read the model, convert it, try it and compare it. See `register_model`."""
    quiet_mlflow()
    report(f"reading {spec.source}")

    from offpath_cli.register.candidate import CandidateBuilder  # these take seconds to import
    from offpath_cli.register.examples import read_example
    from offpath_cli.register.model_task import model_task_of

    original = _read(spec)
    model_task = model_task_of(original, spec)
    report(f"{original.kind}: {_task_text(model_task)}")
    example = read_example(spec.example) if spec.example else original.example
    candidate = CandidateBuilder(original, model_task, example, max_bytes, spec.opset, spec.seed, report).build()
    return Built(candidate, original.kind, original.flavor, type(original.native).__name__)


def _read(spec: RegistrationSpec) -> "Original":
    from offpath_cli.register.original import read_file, read_folder

    with_example = spec.example is None
    if not is_uri(spec.source):
        path = Path(spec.source)
        return read_folder(path, with_example=with_example) if path.is_dir() else read_file(path)
    with tempfile.TemporaryDirectory(prefix="offpath-") as folder:
        fetched = fetch(spec.source, checked_address(spec.tracking_uri), Path(folder))
        return read_folder(fetched, with_example=with_example)


def _task_text(model_task: "ModelTask") -> str:
    return f"{model_task.task} of {', '.join(model_task.labels)}" if model_task.labels else model_task.task


def _candidate_text(candidate: "Candidate") -> str:
    size = f"{candidate.bytes / 1e3:,.1f} kB"
    if candidate.agreement is not None:
        found = candidate.agreement
        refused = f", {found.refused:,} of which neither answers" if found.refused else ""
        chance = f", but for {found.by_chance:,} whose neighbours are equally far away" if found.by_chance else ""
        return (
            f"converted: {size}; answers as the original does on {found.compared:,} records{refused}{chance}, largest "
            f"difference {found.largest:.1e} (seed {found.seed})"
        )
    if candidate.difference is not None:
        return (
            f"converted: {size}; answers as the original does on {candidate.records} record(s) of the input example, "
            f"largest difference {candidate.difference:.1e}"
        )
    if candidate.records:
        return (
            f"ONNX as it is: {size}; answers {candidate.records} record(s) of the input example, compared with nothing"
        )
    return f"ONNX as it is: {size}; runs on zeros, and compared with nothing: --example FILE.json would try it on more"
