"""The files that a job learns from, as paths."""

from collections.abc import Sequence
from pathlib import Path

from offpath.aws.clients import s3_client
from offpath.aws.s3 import Bucket
from offpath.contracts.errors import ObjectMissing, Transient
from training.recipes.recipe import TrainingError


def fetch(bucket: str, keys: Sequence[str], folder: Path) -> list[Path]:
    """Copy these objects into the folder, under their own names. Raises TrainingError."""
    if not keys:
        return []
    files = Bucket(s3_client(timeout_seconds=30), bucket)
    paths = [folder / str(number) / key.rsplit("/", 1)[-1] for number, key in enumerate(keys)]
    for key, path in zip(keys, paths, strict=True):
        path.parent.mkdir()
        try:
            path.write_bytes(files.get(key))
        except (ObjectMissing, Transient) as error:
            raise TrainingError(f"the data cannot be had: {error}") from error
    return paths
