"""What an ONNX file that came as it is gives: classes and probabilities that are that, of each record for itself."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from sklearn.svm import LinearSVC

from offpath_cli.errors import ModelRefused
from offpath_cli.register.original import read_file
from prediction_api.errors import ModelUnusable
from tests.support.builders.registered_models import Registered, of_original

# mlflow warns of its own type hints when parts of it are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType")

FLOAT = TensorProto.FLOAT
INDEXES = TensorProto.INT64


def model_of(nodes: list[Any], inputs: list[Any], outputs: list[Any], opset: int = 17, **constants: Any) -> Any:
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    made = helper.make_graph(nodes, "graph", inputs, outputs, tensors)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def of_one(operator: str, kind: int, out: int, shape: list[Any], opset: int = 17, **attributes: Any) -> Any:
    """Return a graph of one operator, from x to y."""
    given_to = helper.make_tensor_value_info("x", kind, shape)
    gives = helper.make_tensor_value_info("y", out, shape)
    return model_of([helper.make_node(operator, ["x"], ["y"], **attributes)], [given_to], [gives], opset)


def registered(model: Any, labels: tuple[str, ...] = (), task: Any = None) -> Registered:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(model.SerializeToString())
        return of_original(read_file(path), labels, task)


def answered(found: Registered, numbers: list[float]) -> list[Any]:
    return found.answers(*({"x": number} for number in numbers))


@settings(max_examples=12, deadline=None)
@given(
    st.integers(9, 21),
    st.sampled_from([FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16]),
    st.sampled_from([["n"], ["n", 1]]),
    st.lists(st.floats(-30, 30, width=16), min_size=1, max_size=4),
)
def test_one_sigmoid_gives_both_classes(opset: int, kind: int, shape: list[Any], numbers: list[float]) -> None:
    if kind == TensorProto.FLOAT16:
        given_to, gives = (helper.make_tensor_value_info(name, of, shape) for name, of in (("x", FLOAT), ("y", kind)))
        narrow = helper.make_node("Cast", ["x"], ["narrow"], to=kind)
        model = model_of([narrow, helper.make_node("Sigmoid", ["narrow"], ["y"])], [given_to], [gives], opset)
    else:
        model = of_one("Sigmoid", kind, kind, shape, opset)
    answers = answered(registered(model, ("no", "yes")), numbers)
    second = [1 / (1 + np.exp(-number)) for number in numbers]
    assert [answer["probabilities"]["yes"] for answer in answers] == pytest.approx(second, abs=1e-3)
    sums = [sum(answer["probabilities"].values()) for answer in answers]
    assert sums == pytest.approx([1.0] * len(numbers), abs=1e-3)
    assert all((answer["label"] == "yes") == (answer["probabilities"]["yes"] > 0.5) for answer in answers)


@settings(max_examples=6, deadline=None)
@given(st.lists(st.integers(-(2**40), 2**40), min_size=2, max_size=5, unique=True), st.integers(1, 3))
def test_numbered_classes_are_mapped_in_any_operator_set(numbers: list[int], ml_opset: int) -> None:
    numbers = sorted(numbers)
    nodes = [
        helper.make_node(
            "LinearClassifier",
            ["x"],
            ["label", "scores"],
            domain="ai.onnx.ml",
            coefficients=[1.0 + at for at in range(len(numbers))],
            intercepts=[-float(at * at) for at in range(len(numbers))],
            classlabels_ints=numbers,
            post_transform="SOFTMAX",
        )
    ]
    gives = [
        helper.make_tensor_value_info("label", INDEXES, ["n"]),
        helper.make_tensor_value_info("scores", FLOAT, ["n", len(numbers)]),
    ]
    model = model_of(nodes, [helper.make_tensor_value_info("x", FLOAT, ["n", 1])], gives)
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", ml_opset))
    for answer in answered(registered(model), [-9.0, -1.0, 0.0, 1.0, 3.0, 9.0]):
        assert answer["label"] == max(answer["probabilities"], key=answer["probabilities"].get)
        assert answer["class_index"] == numbers.index(int(answer["label"]))


@pytest.mark.parametrize(
    ("operator", "labels", "complaint"),
    [
        ("Neg", ("no", "yes"), "as the probability of a class"),
        ("Identity", ("a", "b", "c"), "add up to 0"),
        ("Sigmoid", ("a", "b", "c"), "several labels a record are not served"),
    ],
)
def test_scores_are_not_taken_for_probabilities(operator: str, labels: tuple[str, ...], complaint: str) -> None:
    width = 1 if len(labels) == 2 else len(labels)
    with pytest.raises(ModelRefused, match=complaint):
        registered(of_one(operator, FLOAT, FLOAT, ["n", width]), labels)


def test_scores_beside_a_label_are_left_out() -> None:
    rows = np.random.default_rng(4).normal(0, 1, (60, 3)).astype(np.float32)
    classifier = LinearSVC().fit(rows, np.where(rows[:, 0] > 0, "up", "down"))
    found = registered(to_onnx(classifier, rows[:1], target_opset=17))
    assert [output.name for output in found.candidate.model.onnx.graph.output] == ["label"]


@pytest.mark.parametrize("operator", ["RandomNormalLike", "RandomUniformLike", "Bernoulli"])
def test_operators_that_draw_numbers_are_refused(operator: str) -> None:
    with pytest.raises(ModelRefused, match=f"its operator {operator} draws random numbers"):
        registered(of_one(operator, FLOAT, FLOAT, ["n", 1]), task="regression")


def test_an_answer_by_chance_is_refused() -> None:
    node = helper.make_node("Dropout", ["x", "ratio", "training"], ["y"])
    ends = [helper.make_tensor_value_info(name, FLOAT, ["n", 3]) for name in "xy"]
    dropout = model_of([node], ends[:1], ends[1:], ratio=np.float32(0.5), training=np.array(True))
    with pytest.raises(ModelRefused, match="left to chance"):
        registered(dropout, task="regression")


@pytest.mark.parametrize("axis", [0, 1])
def test_a_record_is_answered_for_itself(axis: int) -> None:
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[axis], keepdims=1),
        helper.make_node("Sub", ["x", "mean"], ["y"]),
    ]
    ends = [helper.make_tensor_value_info(name, FLOAT, ["n", 2]) for name in "xy"]
    model = model_of(nodes, ends[:1], ends[1:])
    if axis == 1:
        assert registered(model, task="regression").candidate.records == 0
        return
    with pytest.raises(ModelRefused, match="hangs on the records beside it"):
        registered(model, task="regression")


@pytest.mark.parametrize("kind", [TensorProto.BOOL, TensorProto.UINT8, TensorProto.INT32, INDEXES])
def test_true_and_false_are_class_indexes(kind: int) -> None:
    nodes = [
        helper.make_node("Greater", ["x", "half"], ["is_more"]),
        helper.make_node("Cast", ["is_more"], ["y"], to=kind),
    ]
    inputs = [helper.make_tensor_value_info("x", FLOAT, ["n", 1])]
    model = model_of(nodes, inputs, [helper.make_tensor_value_info("y", kind, ["n", 1])], half=np.float32(0.5))
    answers = answered(registered(model, ("no", "yes")), [0.0, 0.5, 0.75])
    assert [answer["label"] for answer in answers] == ["no", "no", "yes"]


def test_several_labels_a_record_are_refused() -> None:
    nodes = [
        helper.make_node("Greater", ["x", "half"], ["is_more"]),
        helper.make_node("Cast", ["is_more"], ["y"], to=INDEXES),
    ]
    ends = [helper.make_tensor_value_info(name, kind, ["n", 3]) for name, kind in (("x", FLOAT), ("y", INDEXES))]
    with pytest.raises(ModelUnusable, match="gives 3 labels for 1 record"):
        registered(model_of(nodes, ends[:1], ends[1:], half=np.float32(0.5)), ("a", "b"))


@pytest.mark.parametrize("end", ["input", "output"])
def test_sequences_are_refused_by_name(end: str) -> None:
    sequence = helper.make_tensor_sequence_value_info("x" if end == "input" else "y", FLOAT, ["n", 1])
    tensor = helper.make_tensor_value_info("y" if end == "input" else "x", FLOAT, ["n", 1])
    node = helper.make_node("SequenceAt", ["x", "first"], ["y"]) if end == "input" else None
    made = helper.make_node("SequenceConstruct", ["x"], ["y"])
    ends = [sequence, tensor] if end == "input" else [tensor, sequence]
    with pytest.raises(ModelRefused, match=f"its {end} '{sequence.name}' is a sequence, and not a tensor"):
        registered(model_of([node or made], ends[:1], ends[1:], first=np.array(0)), task="regression")


@pytest.mark.parametrize("shape", [None, []])
def test_an_input_of_unknown_rank_is_refused(shape: Any) -> None:
    with pytest.raises(ModelRefused, match="its input 'x' has no dimension, or an unknown number of them"):
        registered(of_one("Neg", FLOAT, FLOAT, shape), task="regression")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"CBM1" + bytes(99), "a model of CatBoost, and no ONNX model: save it by save_model"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file, as Keras writes them"),
        (b"PK\x03\x04" + bytes(99), "a zip archive, as PyTorch and Keras write them"),
        (b"\x80\x05\x95" + bytes(99), "a pickle"),
        (b'{"learner": {}}', "a model of XGBoost, as JSON"),
        (b"tree\nversion=v4\n", "a model of LightGBM, as text"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
    ],
)
@pytest.mark.parametrize("suffix", [".onnx", ".json", ".model"])
def test_a_file_of_another_kind_is_named(tmp_path: Path, content: bytes, kind: str, suffix: str) -> None:
    path = tmp_path / f"model{suffix}"
    path.write_bytes(content)
    with pytest.raises(ModelRefused, match=f"^model{suffix} is {kind}"):
        read_file(path)
