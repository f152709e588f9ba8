"""Where a model comes from: a file, a folder, or MLflow."""

import re
from pathlib import Path

from offpath_cli.register.errors import Refused, first_line

_URI = re.compile(r"models:/[^/@]+(/[^/@]+|@[^/@]+)|models:/m-[0-9a-f]+|runs:/[0-9a-f]+/.+")
EXPECTED = "expected an .onnx file, or models:/NAME/VERSION, models:/NAME@ALIAS, models:/m-… or runs:/RUN/PATH"


def is_uri(source: str) -> bool:
    """Whether it names a model of MLflow's rather than a file. Raises Refused for what is neither."""
    if _URI.fullmatch(source):
        return True
    if re.match(r"\w+:/", source):
        raise Refused(f"{source!r} names no model: {EXPECTED}")
    if not Path(source).exists():
        raise Refused(f"there is no file {source!r} (looked for from {Path.cwd()}): {EXPECTED}")
    if Path(source).is_dir() and not (Path(source) / "MLmodel").is_file():
        raise Refused(f"the folder {source!r} holds no MLmodel file, so it is no model of MLflow's: {EXPECTED}")
    return False


def fetch(source: str, tracking_uri: str, folder: Path) -> Path:
    """The model's folder, fetched from MLflow. Raises Refused when it has no such model, or does not hand it out."""
    import mlflow
    from mlflow.exceptions import MlflowException

    mlflow.set_tracking_uri(tracking_uri)
    try:
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=source, dst_path=str(folder)))
    except (MlflowException, OSError) as error:  # OSError: a run's folder of that name is not there
        raise Refused(f"MLflow at {tracking_uri} has no model {source}: {first_line(error)}") from error
