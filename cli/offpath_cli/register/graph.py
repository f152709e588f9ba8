"""Read an ONNX graph whole, and check that ONNX Runtime has its operators."""

from collections.abc import Iterator
from pathlib import Path

import onnx
import onnxruntime
from google.protobuf.message import DecodeError
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper
from onnxruntime.capi import onnxruntime_pybind11_state as runtime

from model_sync.file_checks import check_onnx
from offpath_cli.errors import ModelRefused, first_line
from offpath_cli.register.file_kinds import refuse_other_kinds

_NAMES = {"": "ai.onnx"}
_RANDOM = {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}


def read_graph(path: Path) -> ModelProto:
    """Return the model in a file, with the weights that lie in files beside it.

    Raises ModelRefused or Unservable.
    """
    try:
        refuse_other_kinds(path)
        model = onnx.load(path, format="protobuf")
    except DecodeError as error:
        check_onnx(path.read_bytes())  # says more of what is wrong
        raise ModelRefused(f"{path.name} is damaged, or no ONNX model: {first_line(error)}") from error
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        raise ModelRefused(
            f"{path.name} cannot be read: {first_line(error)}; if its weights lie in files of their own, these belong "
            "beside it"
        ) from error
    if not model.graph.node:
        check_onnx(model.SerializeToString())
        raise ModelRefused(f"{path.name} holds no operator: it is no model")
    return model


def check_operators(model: ModelProto) -> None:
    """Check what the graph needs of ONNX Runtime.

    Raises ModelRefused that names the operators, with their domains, or the operator set that it does not have.
    """
    known = {(schema.domain, schema.name) for schema in runtime.get_all_operator_schema()}
    own = {(function.domain, function.name) for function in model.functions}
    used = {(_short(node.domain), node.op_type) for node in _nodes(model.graph)}
    if unknown := sorted(used - known - own):
        names = ", ".join(f"{name} (domain {_NAMES.get(domain, domain)})" for domain, name in unknown)
        raise ModelRefused(
            f"ONNX Runtime {onnxruntime.__version__} does not have the operator {names}: export the model without it"
        )
    _check_chance(model)
    _check_locales(model)
    _check_opset(model)


def _check_chance(model: ModelProto) -> None:
    """Refuse operators that draw numbers: the same record would be answered otherwise each time."""
    if found := sorted({node.op_type for node in _nodes(model.graph) if node.op_type in _RANDOM}):
        raise ModelRefused(
            f"its operator {', '.join(found)} draws random numbers, so that a record has no one answer: export the "
            "model as it predicts, without it"
        )


def _check_locales(model: ModelProto) -> None:
    """Refuse texts that are folded by a locale's rules: small images, Lambda's among them, have only the locale C."""
    normalizers = [node for node in _nodes(model.graph) if node.op_type == "StringNormalizer"]
    for node in normalizers:
        given = {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}
        locale = given.get("locale", b"en_US").decode()
        if given.get("case_change_action", b"NONE") != b"NONE" and locale not in {"C", "POSIX"}:
            raise ModelRefused(
                f"its StringNormalizer needs the locale {locale}, which AWS Lambda does not have: lower the texts "
                "before, and train with lowercase=False, or write the graph with the locale C"
            )


def _nodes(graph: GraphProto) -> Iterator[NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _nodes(inner)


def _short(domain: str) -> str:
    return "" if domain == "ai.onnx" else domain


def _check_opset(model: ModelProto) -> None:
    opset = next((entry.version for entry in model.opset_import if not _short(entry.domain)), 0)
    if opset > onnx.defs.onnx_opset_version() or (opset > _SURE and not _loads(opset)):
        newest = next(version for version in range(opset - 1, 0, -1) if version <= _SURE or _loads(version))
        raise ModelRefused(
            f"it is written in operator set {opset} of ai.onnx, and ONNX Runtime {onnxruntime.__version__} knows them "
            f"up to {newest}: export it with opset {newest} or lower"
        )


_SURE = 21


def _loads(opset: int) -> bool:
    """Return whether the runtime takes a graph of that operator set: it does not tell the newest that it knows."""
    if opset > onnx.defs.onnx_opset_version():
        return False
    [given, gives] = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "probe", [given], [gives])
    probe = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    try:
        onnxruntime.InferenceSession(probe.SerializeToString(), providers=["CPUExecutionProvider"])
    except Exception:
        return False
    return True
