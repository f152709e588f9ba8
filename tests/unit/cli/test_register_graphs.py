"""ONNX files: what is read, mended, and refused with the name of what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.linear_model import LogisticRegression

from local.testbed.models import IRIS_COLUMNS, SETOSA, sum_onnx
from model_sync.ports import Unservable
from offpath_cli.errors import ModelRefused
from offpath_cli.register.candidate import Candidate, CandidateBuilder
from offpath_cli.register.examples import Example, Records, Tensors
from offpath_cli.register.model_task import model_task_of
from offpath_cli.register.original import read_file
from offpath_cli.register.registration_spec import RegistrationSpec
from prediction_api.errors import ModelUnusable
from tests.support.builders.own_models import flowers, graph

# mlflow warns of its own type hints when parts of it are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType")


def saved(folder: Path, model: Any, name: str = "model.onnx") -> Path:
    path = folder / name
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    return path


def tried(path: Path, example: Example | None = None, **options: Any) -> Candidate:
    spec = RegistrationSpec(str(path), "m", "http://127.0.0.1:5000", **options)
    original = read_file(path)
    return CandidateBuilder(original, model_task_of(original, spec), example, 10_000_000, spec.opset).build()


def with_zipmap() -> Any:
    """Return the graph that skl2onnx writes of a classifier without any option."""
    measures, species = flowers()
    names = species.map({0: "setosa", 1: "versicolor", 2: "virginica"})
    model = LogisticRegression(max_iter=500).fit(measures.to_numpy(), names)
    return convert_sklearn(model, initial_types=[("features", FloatTensorType([None, 4]))], target_opset=17)


def weights(width: int) -> Any:
    return numpy_helper.from_array(np.ones((width, 2), np.float32), "weights")


def classifier(labels: int = 2) -> Any:
    """Return a graph of two probabilities from a tensor of four."""
    nodes = [helper.make_node("MatMul", ["image", "weights"], ["raw"]), helper.make_node("Softmax", ["raw"], ["value"])]
    model = graph(*nodes, image=4)
    model.graph.initializer.append(weights(4))
    return model


def test_columns_are_those_of_a_value_a_record(tmp_path: Path) -> None:
    found = tried(saved(tmp_path, sum_onnx()), task="regression")
    assert [(column.name, column.type.name) for column in found.model.signature.inputs] == [
        ("a", "float"),
        ("b", "float"),
    ]
    assert (found.records, found.difference) == (0, None)


def test_a_matrix_has_the_columns_of_the_example(tmp_path: Path) -> None:
    found = tried(saved(tmp_path, with_zipmap()), Records([SETOSA]))
    assert [column.name for column in found.model.signature.inputs] == list(IRIS_COLUMNS)
    assert found.records == 1


def test_a_matrix_is_a_tensor_if_nothing_names_its_columns(tmp_path: Path) -> None:
    found = tried(saved(tmp_path, with_zipmap()), Tensors({None: [list(SETOSA.values())]}))
    [tensor] = found.model.signature.inputs.inputs
    assert (tensor.name, tensor.shape) == ("features", (-1, 4))


def test_probabilities_become_a_tensor_and_the_classes_labels(tmp_path: Path) -> None:
    found = tried(saved(tmp_path, with_zipmap()))
    assert found.model.labels == ("setosa", "versicolor", "virginica")
    assert "ZipMap" not in {node.op_type for node in found.model.onnx.graph.node}


def test_weights_beside_the_file_are_taken_into_it(tmp_path: Path) -> None:
    options: dict[str, Any] = {"save_as_external_data": True, "location": "weights.bin", "size_threshold": 0}
    onnx.save(classifier(), tmp_path / "apart.onnx", **options)
    assert (tmp_path / "weights.bin").exists()
    found = tried(tmp_path / "apart.onnx", labels=("cat", "dog"))
    assert len(found.model.onnx.graph.initializer[0].raw_data) == 32

    (tmp_path / "weights.bin").unlink()
    with pytest.raises(ModelRefused, match=r"apart\.onnx cannot be read: .*weights\.bin.*belong beside it"):
        read_file(tmp_path / "apart.onnx")


def frobnicate(domain: str) -> Any:
    return helper.make_node("Frobnicate", ["a"], ["value"], domain=domain)


def within_if() -> Any:
    """Return a graph with an operator that nobody has, in a branch."""
    output = helper.make_tensor_value_info("value", TensorProto.FLOAT, [None, None])
    branch = helper.make_graph([frobnicate("")], "branch", [], [output])
    return helper.make_node("If", ["a"], ["value"], then_branch=branch, else_branch=branch)


def normalizer(**attributes: Any) -> Any:
    return helper.make_node("StringNormalizer", ["a"], ["value"], case_change_action="LOWER", **attributes)


NEGATIVE = helper.make_node("Neg", ["a"], ["value"])


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        (graph(frobnicate("com.acme"), domains=("com.acme",), a=1), r"operator Frobnicate \(domain com\.acme\)"),
        (graph(frobnicate(""), a=1), r"does not have the operator Frobnicate \(domain ai\.onnx\)"),
        (graph(within_if(), a=1), r"does not have the operator Frobnicate \(domain ai\.onnx\)"),
        (
            graph(NEGATIVE, opset=99, a=1),
            r"operator set 99 of ai\.onnx, and ONNX Runtime [\d.]+ knows them up to \d\d:",
        ),
        (graph(normalizer(), a=1), "StringNormalizer needs the locale en_US, which AWS Lambda does not have"),
        (graph(normalizer(locale="de_DE"), a=1), "StringNormalizer needs the locale de_DE"),
    ],
)
def test_what_the_runtime_does_not_have_is_named(tmp_path: Path, model: Any, complaint: str) -> None:
    with pytest.raises(ModelRefused, match=complaint):
        tried(saved(tmp_path, model), task="regression")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "its ONNX file is empty"),
        (sum_onnx()[:50], "is damaged, or no ONNX model: it ends in the middle of a field"),
        (b"hello world, this is no model", "is damaged, or no ONNX model"),
    ],
)
def test_a_file_without_a_model_is_refused_by_the_sync(tmp_path: Path, content: bytes, complaint: str) -> None:
    with pytest.raises(Unservable, match=complaint):
        read_file(saved(tmp_path, content))


def test_a_graph_without_an_operator(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match=r"hollow\.onnx holds no operator"):
        read_file(saved(tmp_path, graph(a=1), "hollow.onnx"))


def test_too_many_labels_are_refused_by_the_api(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match="the model gives 2 probabilities a record for 3 labels"):
        tried(saved(tmp_path, classifier()), labels=("a", "b", "c"))


def test_a_graph_that_says_no_task_asks_for_it(tmp_path: Path) -> None:
    with pytest.raises(
        ModelRefused, match=r"nothing in this ONNX graph says what it is for: add --task regression, or"
    ):
        tried(saved(tmp_path, sum_onnx()))
    with pytest.raises(ModelRefused, match="nothing in this ONNX graph names its classes: add --labels"):
        tried(saved(tmp_path, sum_onnx()), task="classification")


def test_an_operator_set_is_for_conversions(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="--opset 15 is for conversions"):
        tried(saved(tmp_path, sum_onnx()), task="regression", opset=15)


def test_a_type_that_is_not_served_is_named(tmp_path: Path) -> None:
    model = graph(NEGATIVE, a=2)
    for entry in (*model.graph.input, *model.graph.output):
        entry.type.tensor_type.elem_type = TensorProto.BFLOAT16
    with pytest.raises(Unservable, match="a tensor of type 'bfloat16', which is not served"):
        tried(saved(tmp_path, model), task="regression")
