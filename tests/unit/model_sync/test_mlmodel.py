"""An MLmodel file is read, or refused with a message that says what is wrong."""

import json
from typing import Any

import pytest

from model_sync.example import MAX_TENSOR_BYTES, first_record, first_tensors
from model_sync.file_checks import check_onnx
from model_sync.mlmodel import parse_mlmodel
from model_sync.ports import Unservable
from offpath.contracts.model_manifest import Tensor
from tests.support.builders.model_files import IRIS_COLUMNS, IRIS_LABELS, mlmodel, onnx_file


def marked(**offpath: Any) -> dict[str, Any]:
    return {"offpath": offpath}


def inputs(*columns: dict[str, Any]) -> dict[str, str]:
    return {"inputs": json.dumps(columns)}


def tensor(dtype: str, shape: list[int], **name: str) -> dict[str, Any]:
    return {"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": shape}, **name}


def test_a_model_of_one_tensor_without_a_name() -> None:
    outputs = json.dumps([tensor("int64", [-1]), tensor("complex64", [-1])])
    signature = parse_mlmodel(mlmodel(signature=inputs(tensor("float32", [-1, 4])) | {"outputs": outputs})).signature
    assert signature.tensors == (Tensor(dtype="float32", shape=(-1, 4)),)
    assert signature.outputs == (Tensor(dtype="int64", shape=(-1,)),)


def test_several_tensors_keep_their_order() -> None:
    given = inputs(tensor("uint8", [-1, 2, 2], name="image"), tensor("object", [-1], name="caption"))
    image, caption = parse_mlmodel(mlmodel(signature=given)).signature.tensors
    assert (image.name, image.dtype, image.shape) == ("image", "uint8", (-1, 2, 2))
    assert (caption.name, caption.dtype) == ("caption", "str")


def test_a_model_with_a_tokenizer() -> None:
    text = inputs({"type": "string", "name": "review"})
    model = parse_mlmodel(mlmodel(signature=text, metadata=marked(labels=["a"], tokenizer="tokenizer.json")))
    assert model.tokenizer_path == "tokenizer.json"
    assert parse_mlmodel(mlmodel()).tokenizer_path is None


@pytest.mark.parametrize(
    "given",
    [
        [{"type": "string", "name": "a"}, {"type": "string", "name": "b"}],
        [{"type": "double", "name": "a"}],
        [tensor("int64", [-1, -1], name="a")],
    ],
)
def test_a_tokenizer_reads_one_text(given: list[dict[str, Any]]) -> None:
    with pytest.raises(Unservable, match="a tokenizer reads one column, a string"):
        parse_mlmodel(mlmodel(signature=inputs(*given), metadata=marked(labels=["x"], tokenizer="tokenizer.json")))


def test_an_iris_model() -> None:
    model = parse_mlmodel(mlmodel())
    assert (model.onnx_path, model.example_path, model.bytes) == ("model.onnx", "input_example.json", 823)
    assert (model.task, list(model.labels)) == ("classification", IRIS_LABELS)
    assert [(column.name, column.type) for column in model.signature.inputs] == [
        (name, "double") for name in IRIS_COLUMNS
    ]
    assert [column.name for column in model.signature.outputs] == ["label"]  # the manifest has no type for an array


def test_labels_alone_make_a_classification() -> None:
    model = parse_mlmodel(mlmodel(metadata=marked(labels=[0, 1, True, "x"])))
    assert (model.task, model.labels) == ("classification", ("0", "1", "True", "x"))


def test_a_regression_needs_no_labels() -> None:
    model = parse_mlmodel(mlmodel(metadata=marked(task="regression"), saved_input_example_info=None))
    assert (model.task, model.labels, model.example_path) == ("regression", (), None)


@pytest.mark.parametrize("key", [{"required": False}, {"optional": True}])
def test_an_optional_column(key: dict[str, bool]) -> None:
    column = {"type": "string", "name": "note"} | key
    assert not parse_mlmodel(mlmodel(signature=inputs(column))).signature.columns[0].required


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"flavors": {"sklearn": {}, "python_function": {}}},
            r"no onnx flavor \(its flavors: python_function, sklearn\)",
        ),
        ({"flavors": {}}, "its flavors: none"),
        ({"flavors": None}, "its MLmodel file cannot be read: flavors: Field required"),
        ({"flavors": {"onnx": {}}}, "flavors.onnx.data"),
        ({"signature": None}, "no signature"),
        ({"signature": {"inputs": None}}, "no signature"),
        ({"signature": {"inputs": "[]"}}, "no signature"),
        ({"signature": {"inputs": "nonsense"}}, "signature.inputs: Invalid JSON"),
        ({"signature": inputs({"type": "double"})}, "an input without a name"),
        ({"signature": inputs({"type": "tensor"})}, "a tensor of type None, which is not served: expected one of"),
        ({"signature": inputs(tensor("complex64", [-1]))}, "a tensor of type 'complex64', which is not served"),
        ({"signature": inputs(tensor("float32", []))}, r"a tensor of the shape \[\], which is not served: "),
        ({"signature": inputs(tensor("float32", [-2]))}, r"a tensor of the shape \[-2\], which is not served: "),
        ({"signature": inputs(tensor("int8", [-1]), tensor("int8", [-1]))}, "of several tensors each has a name"),
        ({"signature": inputs({"type": "datetime", "name": "day"})}, "input 'day' of type 'datetime', which is not"),
        ({"signature": inputs({"type": "array", "name": "xs", "items": {}})}, "input 'xs' of type 'array'"),
        ({"metadata": None}, "nothing says its task"),
        ({"metadata": {"team": "green"}}, "nothing says its task"),
        ({"metadata": marked(task="classification")}, "classification without labels"),
        (
            {"metadata": marked(task="ranking")},
            "task 'ranking' is not known here: expected one of classification, regr",
        ),
        ({"metadata": {"offpath": "regression"}}, "metadata.offpath"),
    ],
)
def test_what_cannot_be_served_says_why(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unservable, match=reason):
        parse_mlmodel(mlmodel(**changes))


@pytest.mark.parametrize(
    ("content", "reason"), [(b"a: [", "is not YAML"), (b"\xff\xfe\x00", "YAML"), (b"", "document")]
)
def test_a_file_that_is_no_mlmodel(content: bytes, reason: str) -> None:
    with pytest.raises(Unservable, match=reason):
        parse_mlmodel(content)


def test_an_onnx_file_passes_and_a_byte_less_does_not() -> None:
    check_onnx(onnx_file())
    with pytest.raises(Unservable, match="damaged"):
        check_onnx(onnx_file()[:-1])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (onnx_file()[:-10], "damaged, or no ONNX model: it ends in the middle"),
        (b"\x80", "damaged, or no ONNX model"),
        (b"\x80" * 11 + b"\x01", "damaged, or no ONNX model: a number of more than 10 bytes"),
        (b"<html>not found</html>", "no ONNX model"),
        (b"\x0b", "no ONNX model: a field of unknown wire type 3"),
        (b"\x08\x07\x11abcdefgh\x1dabcd", "holds no graph"),
        (onnx_file(external=True), "save_as_external_data=False"),
    ],
)
def test_a_file_that_is_no_whole_onnx_model(content: bytes, reason: str) -> None:
    with pytest.raises(Unservable, match=reason):
        check_onnx(content)


@pytest.mark.parametrize(
    "example",
    [
        {"a": 1, "b": "x"},
        [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}],
        {"columns": ["a", "b"], "data": [[1, "x"], [2, "y"]]},
    ],
    ids=["record", "records", "data frame"],
)
def test_the_first_record_of_an_example(example: Any) -> None:
    assert first_record(json.dumps(example).encode(), ["a", "b"]) == {"a": 1, "b": "x"}


def test_a_data_frame_with_a_short_row_is_no_example() -> None:
    assert first_record(b'{"columns": ["a", "b"], "data": [[1]]}', ["a", "b"]) is None


FLAT, NAMED = Tensor(dtype="float32", shape=(-1, 2)), Tensor(name="a", dtype="float32", shape=(-1, 2))


@pytest.mark.parametrize(
    ("example", "tensors", "expected"),
    [
        ({"inputs": [[1, 2], [3, 4]]}, [FLAT], [[1, 2]]),
        ({"inputs": {"a": [[1, 2], [3, 4]]}}, [NAMED], {"a": [[1, 2]]}),
        ({"inputs": [[1, 2], [3, 4]]}, [NAMED], {"a": [[1, 2]]}),
        ({"inputs": [[1, 2], [3, 4]]}, [Tensor(dtype="float32", shape=(2, 2))], [[1, 2], [3, 4]]),
        ({"inputs": {"b": [[1, 2]]}}, [NAMED], None),
        ({"inputs": 1}, [FLAT], None),
        ([[1, 2]], [FLAT], None),
        ({"inputs": [[1] * MAX_TENSOR_BYTES]}, [FLAT], None),
    ],
)
def test_the_first_record_of_an_example_of_tensors(example: Any, tensors: list[Tensor], expected: Any) -> None:
    assert first_tensors(json.dumps(example).encode(), tensors) == expected
