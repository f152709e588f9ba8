"""Tell by its first bytes what a file is that is no ONNX model."""

from pathlib import Path

from offpath_cli.errors import ModelRefused

_LOG = "log the model to MLflow with its own library, and register that, or export it to ONNX"
# What a file begins with, what it then is, and what to do.
_KINDS = (
    (
        b"CBM1",
        "a model of CatBoost",
        'save it by save_model(path, format="onnx"), which CatBoost does without categories',
    ),
    (b"\x89HDF", "an HDF5 file, as Keras writes them", "export the model to ONNX (tf2onnx, or model.export)"),
    (b"PK\x03\x04", "a zip archive, as PyTorch and Keras write them", "export the model to ONNX (torch.onnx.export)"),
    (b"\x80", "a pickle", _LOG),
    (b"\x1f\x8b", "packed by gzip", "unpack it first"),
    (b"tree\n", "a model of LightGBM, as text", "log it by mlflow.lightgbm.log_model, and register that"),
    (b"{L", "a model of XGBoost, as UBJSON", "log it by mlflow.xgboost.log_model, and register that"),
    (b'{"learner"', "a model of XGBoost, as JSON", "log it by mlflow.xgboost.log_model, and register that"),
    (b"{", "JSON", _LOG),
    (b"version https://git-lfs", "a pointer of Git LFS", "fetch the file itself: git lfs pull"),
)
_HEAD = 64


def refuse_other_kinds(path: Path) -> None:
    """Raise ModelRefused for a file of another kind that is known, with what to do. Raises OSError, too."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    for start, kind, advice in _KINDS:
        if head.startswith(start):
            raise ModelRefused(f"{path.name} is {kind}, and no ONNX model: {advice}")
