"""Add operators behind a graph's outputs."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, helper, numpy_helper

# An operator, its inputs, its output and its attributes.
Step: TypeAlias = tuple[str, Sequence[str], str, Mapping[str, int]]


def add_steps(
    model: ModelProto,
    output: str,
    constants: Mapping[str, NDArray[np.generic]],
    steps: Sequence[Step],
    given: AbstractSet[str],
) -> None:
    """Add constants and operators to a graph. All names but the output's and those given get the output's before them.

    given: names that the graph has.
    """
    kept = given | {output}

    def full(name: str) -> str:
        return name if name in kept else f"{output}/{name}"

    for name, value in constants.items():
        tensor = numpy_helper.from_array(np.asarray(value), full(name))
        model.graph.node.append(helper.make_node("Constant", [], [full(name)], value=tensor))
    for operator, inputs, found, attributes in steps:
        node = helper.make_node(operator, [*map(full, inputs)], [full(found)])
        node.attribute.extend(helper.make_attribute(name, value) for name, value in attributes.items())
        model.graph.node.append(node)
