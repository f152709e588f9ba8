"""Measure a version on the rows that were held out from another one."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
import mlflow.onnx
from mlflow.entities.model_registry import ModelVersion

from training.callbacks import Report
from training.metrics import VALIDATION, evaluate
from training.onnx_artifact.run import run
from training.recipe import OnnxArtifact
from training.registry.versions import TOKENIZER_PATH
from training.train_pipeline import Trained


def rescored(trained: Trained, version: ModelVersion, report: Report) -> Mapping[str, float] | None:
    """Return the version's metrics on the rows that were held out from the trained model, by their names in a run.

    None, after a report of the reason, if the version cannot be run on them: it may be a model of another kind.
    """
    holdout = trained.holdout
    try:
        with TemporaryDirectory() as folder:
            artifact = _fetch(version, Path(folder))
            outputs = run(trained.recipe, artifact, holdout.features)
        predicted = outputs["variable"].reshape(-1) if trained.recipe.task == "regression" else outputs["label"]
        scores = evaluate(trained.recipe.task, holdout.target, predicted)
    except Exception as error:  # ONNX Runtime, MLflow and the metrics raise a dozen types
        report(f"the champion, version {version.version}, cannot be asked about the same rows: {error}")
        return None
    report(f"measured the champion, version {version.version}, on the same {len(holdout.features)} held-out rows")
    return {f"{VALIDATION}{name}": value for name, value in scores.items()}


def _fetch(version: ModelVersion, folder: Path) -> OnnxArtifact:
    uri = f"models:/{version.name}/{version.version}"
    local = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder)))
    tokenizer = local / TOKENIZER_PATH
    return OnnxArtifact(mlflow.onnx.load_model(str(local)), tokenizer.read_bytes() if tokenizer.exists() else None)
