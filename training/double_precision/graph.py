"""Build an ONNX graph from values, as NumPy's expressions are written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from offpath.contracts.model_manifest import TextAnalyzer

Constant: TypeAlias = "NDArray[Any] | float | int | list[Any]"
DOMAINS = {"": 21, "ai.onnx.ml": 5, "com.microsoft": 1}


@dataclass(slots=True)
class Graph:
    """Collect nodes and constants; each result has a name of its own, which no column of a team's has.

    text_inputs: the columns of texts, with what makes their terms. prefix: of names within a graph of a graph.
    """

    nodes: list[Any] = field(default_factory=list)
    constants: dict[tuple[str, tuple[int, ...], bytes], Any] = field(default_factory=dict)
    count: int = 0
    prefix: str = ""
    text_inputs: dict[str, list[TextAnalyzer]] = field(default_factory=dict)

    def node(self, kind: str, *inputs: Value, outputs: int = 1, domain: str = "", **attributes: Any) -> list[Value]:
        """Add a node, and return its outputs."""
        names = [self._name() for _ in range(outputs)]
        inputs_names = [value.name for value in inputs]
        self.nodes.append(helper.make_node(kind, inputs_names, names, domain=domain, **attributes))
        return [Value(self, name) for name in names]

    def op(self, kind: str, *inputs: Value, domain: str = "", **attributes: Any) -> Value:
        """Add a node of one output, and return that."""
        return self.node(kind, *inputs, domain=domain, **attributes)[0]

    def constant(self, value: Constant, dtype: Any = np.float64) -> Value:
        """Return a constant; one of the same content is there once."""
        array: NDArray[Any] = np.asarray(value, dtype)
        content = repr(array.tolist()).encode() if array.dtype == np.object_ else array.tobytes()
        key = (array.dtype.str, array.shape, content)
        if key not in self.constants:
            self.constants[key] = numpy_helper.from_array(array, self._name())
        return Value(self, self.constants[key].name)

    def indexes(self, *values: int) -> Value:
        """Return whole numbers, int64 [values], as shapes and axes are."""
        return self.constant(list(values), np.int64)

    def concat(self, values: list[Value], axis: int = 1) -> Value:
        """Return the values side by side."""
        return values[0] if len(values) == 1 else self.op("Concat", *values, axis=axis)

    def where(self, condition: Value, yes: Value | Constant, no: Value | Constant) -> Value:
        """Return one or the other, element by element."""
        return self.op("Where", condition, self.value(yes), self.value(no))

    def value(self, given: Value | Constant) -> Value:
        """Return it, or the constant that it is."""
        return given if isinstance(given, Value) else self.constant(given)

    def sum_of(self, values: list[Value]) -> Value:
        """Return the sum, added up in the values' order."""
        total = values[0]
        for value in values[1:]:
            total += value
        return total

    def _name(self) -> str:
        self.count += 1
        return f"\N{SECTION SIGN}{self.prefix}{self.count}"


@dataclass(frozen=True, slots=True)
class Value:
    """Hold a value in a graph; doubles of shape [records, width] unless something else is said."""

    graph: Graph
    name: str

    def __add__(self, other: Value | Constant) -> Value:
        return self._with("Add", other)

    def __sub__(self, other: Value | Constant) -> Value:
        return self._with("Sub", other)

    def __mul__(self, other: Value | Constant) -> Value:
        return self._with("Mul", other)

    def __truediv__(self, other: Value | Constant) -> Value:
        return self._with("Div", other)

    def __matmul__(self, other: Value | Constant) -> Value:
        # Not MatMul: ONNX Runtime joins that with a scale before or after it, which it then has in single precision.
        return self._with("Gemm", other)

    def __pow__(self, other: Value | Constant) -> Value:
        return self._with("Pow", other)

    def __gt__(self, other: Any) -> Value:
        return self._with("Greater", other)

    def __ge__(self, other: Any) -> Value:
        return self._with("GreaterOrEqual", other)

    def __lt__(self, other: Any) -> Value:
        return self._with("Less", other)

    def __le__(self, other: Any) -> Value:
        return self._with("LessOrEqual", other)

    def __neg__(self) -> Value:
        return self.graph.op("Neg", self)

    def equals(self, other: Value | Constant) -> Value:
        """Return whether the values are equal."""
        return self._with("Equal", other)

    def apply(self, kind: str, **attributes: Any) -> Value:
        """Return an operator's result for the value alone."""
        return self.graph.op(kind, self, **attributes)

    def sum(self, axis: int = 1) -> Value:
        """Return the sums along an axis, which stays with the length 1."""
        return self.graph.op("ReduceSum", self, self.graph.indexes(axis), keepdims=1)

    def max(self, axis: int = 1) -> Value:
        """Return the largest along an axis, which stays with the length 1."""
        return self.graph.op("ReduceMax", self, self.graph.indexes(axis), keepdims=1)

    def take(self, columns: Any, axis: int = 1) -> Value:
        """Return some of the columns, in that order."""
        return self.graph.op("Gather", self, self.graph.constant(columns, np.int64), axis=axis)

    def column(self, index: int) -> Value:
        """Return one column, of shape [records, 1]."""
        return self.take([index])

    def argmax(self) -> Value:
        """Return the first index of the largest, int64 [records, 1]."""
        return self.graph.op("ArgMax", self, axis=1, keepdims=1)

    def argmin(self) -> Value:
        """Return the first index of the least, int64 [records, 1]."""
        return self.graph.op("ArgMin", self, axis=1, keepdims=1)

    def reshape(self, *shape: int) -> Value:
        """Return the value in another shape; 0 keeps a length, -1 is what is left."""
        return self.graph.op("Reshape", self, self.graph.indexes(*shape))

    def double(self) -> Value:
        """Return the value in double precision."""
        return self.graph.op("Cast", self, to=TensorProto.DOUBLE)

    def single(self) -> Value:
        """Return the value rounded to single precision, as doubles."""
        return self.graph.op("Cast", self, to=TensorProto.FLOAT).double()

    def whole(self) -> Value:
        """Return the value as int64, cut off toward zero."""
        return self.graph.op("Cast", self, to=TensorProto.INT64)

    def expit(self) -> Value:
        """Return 1 / (1 + exp(-x)) so that neither tail loses its digits."""
        small = self.apply("Abs").apply("Neg").apply("Exp")
        return self.graph.where(self >= 0.0, self.graph.constant(1.0) / (small + 1.0), small / (small + 1.0))

    def softmax(self) -> Value:
        """Return exp(x) in parts of 1."""
        powers = (self - self.max()).apply("Exp")
        return powers / powers.sum()

    def _with(self, kind: str, other: Value | Constant) -> Value:
        return self.graph.op(kind, self, self.graph.value(other))


def as_value(given: object) -> Value:
    """Return it as a value, which the caller knows that it is."""
    return cast(Value, given)
