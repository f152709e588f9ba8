"""Folders that hold no model, or half of one: each is refused with a reason, whatever is in its files."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from model_sync.ports import Unservable
from offpath_cli.errors import ModelRefused
from offpath_cli.register.examples import read_example
from offpath_cli.register.model_task import model_task_of
from offpath_cli.register.original import Original, read_folder
from offpath_cli.register.registration_spec import RegistrationSpec

# mlflow warns of its own type hints when parts of it are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType")

PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8))
# A pickle that asks for a module that scikit-learn had once, and for one that nobody has.
OLD_MODULE = b"\x80\x04csklearn.ensemble.forest\nRandomForestClassifier\n)\x81."
NO_MODULE = b"\x80\x04cour_features_of_nobody\nModel\n)\x81."


def _objects(inner: Any) -> Any:
    return st.dictionaries(st.sampled_from(("data", "sklearn", "onnx", "inputs", "a")), inner, max_size=3)


VALUES = st.recursive(PLAIN, lambda inner: st.one_of(st.lists(inner, max_size=3), _objects(inner)), max_leaves=8)


def described() -> Any:
    """Return what an MLmodel file may say, right or wrong."""
    flavors = st.dictionaries(st.sampled_from(("sklearn", "onnx", "xgboost", "catboost")), VALUES, max_size=2)
    fields = {"flavors": flavors | VALUES, "signature": VALUES, "metadata": VALUES, "saved_input_example_info": VALUES}
    return st.fixed_dictionaries({}, optional=fields)


def refused(folder: Path) -> str:
    with pytest.raises((ModelRefused, Unservable)) as failed:
        read_folder(folder)
    return str(failed.value)


@settings(max_examples=60, deadline=None)
@given(described() | VALUES)
def test_whatever_an_mlmodel_file_says_is_refused_or_read(document: Any) -> None:
    with TemporaryDirectory() as folder:
        (Path(folder) / "MLmodel").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
        assert refused(Path(folder))


@given(st.binary(max_size=60))
def test_an_mlmodel_file_of_any_bytes_is_refused(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        (Path(folder) / "MLmodel").write_bytes(content)
        assert refused(Path(folder))


@pytest.mark.parametrize("name", ["../outside.onnx", "/etc/passwd", None, ""])
def test_an_onnx_file_beside_the_folder_is_not_read(tmp_path: Path, name: str | None) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "outside.onnx").write_bytes(b"no model")
    (tmp_path / "model" / "MLmodel").write_text(yaml.safe_dump({"flavors": {"onnx": {"data": name}}}))
    assert refused(tmp_path / "model").startswith("its MLmodel file names no ONNX file of the model's folder")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (OLD_MODULE, "the version of sklearn here has not"),
        (NO_MODULE, "'our_features_of_nobody', which is not installed"),
    ],
)
def test_a_module_that_is_gone_is_named_with_advice(tmp_path: Path, content: bytes, reason: str) -> None:
    flavor = {"pickled_model": "model.pkl", "serialization_format": "cloudpickle", "sklearn_version": "0.21"}
    (tmp_path / "MLmodel").write_text(yaml.safe_dump({"flavors": {"sklearn": flavor}}))
    (tmp_path / "model.pkl").write_bytes(content)
    assert reason in refused(tmp_path)


@settings(max_examples=60)
@given(VALUES | st.integers(1, 3).map(lambda depth: "[" * 5_000 * depth))
def test_an_example_of_any_json_is_read_or_refused(document: Any) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "example.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        try:
            read_example(path)
        except ModelRefused as error:
            assert str(error).startswith("the input example example.json cannot be read: ")  # noqa: PT017


def test_a_class_without_conventions_is_asked_for_its_task() -> None:
    class Predictor:
        def get_params(self, deep: bool = True) -> dict[str, object]:
            return {"deep": deep}

        def predict(self, rows: object) -> object:
            return rows

    spec = RegistrationSpec("models:/m/1", "m", "http://127.0.0.1:5000")
    with pytest.raises(ModelRefused, match="nothing in this Predictor"):
        model_task_of(Original("sklearn", Predictor()), spec)
