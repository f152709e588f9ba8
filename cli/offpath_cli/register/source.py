"""Tell the sources of models apart, a file, a folder and MLflow, and fetch those of MLflow."""

import re
from pathlib import Path

from offpath_cli.errors import ModelRefused, first_line

_URI = re.compile(r"models:/[^/@]+(/[^/@]+|@[^/@]+)|models:/m-[0-9a-f]+|runs:/[0-9a-f]+/.+")
FORMS = "expected an .onnx file, or models:/NAME/VERSION, models:/NAME@ALIAS, models:/m-… or runs:/RUN/PATH"


def is_uri(source: str) -> bool:
    """Return whether it names a model of MLflow's rather than a file. Raises ModelRefused for what is neither."""
    if _URI.fullmatch(source):
        return True
    if re.match(r"\w+:/", source):
        raise ModelRefused(f"{source!r} names no model: {FORMS}")
    if not Path(source).exists():
        raise ModelRefused(f"there is no file {source!r} (looked for from {Path.cwd()}): {FORMS}")
    if Path(source).is_dir() and not (Path(source) / "MLmodel").is_file():
        raise ModelRefused(f"the folder {source!r} holds no MLmodel file, so it is no model of MLflow's: {FORMS}")
    return False


def fetch(source: str, tracking_uri: str, folder: Path) -> Path:
    """Fetch a model from MLflow, and return its folder.

    Raises ModelRefused when MLflow has no such model, or does not hand it out.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    mlflow.set_tracking_uri(tracking_uri)
    try:
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=source, dst_path=str(folder)))
    except (MlflowException, OSError) as error:  # OSError: a run's folder of that name is not there
        raise ModelRefused(f"MLflow at {tracking_uri} has no model {source}: {first_line(error)}") from error
