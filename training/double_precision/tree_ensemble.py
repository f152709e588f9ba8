"""Collect trees into the operator TreeEnsemble: https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import numpy_helper

from training.double_precision.graph import Value

AT_MOST, LESS, MEMBER = 0, 1, 6


@dataclass(slots=True)
class Node:
    """Hold a node of a tree, or a leaf, which has no children.

    members: the categories that go left, instead of a threshold. missing_left: where a missing value goes. value: of a
    leaf.
    """

    feature: int = 0
    threshold: float = np.inf
    left: int = -1
    right: int = -1
    missing_left: bool = True
    value: float = 0.0
    mode: int = AT_MOST
    members: Sequence[float] = ()


@dataclass(slots=True)
class Trees:
    """Collect trees, each of which adds to one target. width: how many targets there are."""

    width: int
    roots: list[int] = field(default_factory=list)
    nodes: list[tuple[int, int, float, bool]] = field(default_factory=list)
    children: list[tuple[int, bool, int, bool]] = field(default_factory=list)
    members: list[float] = field(default_factory=list)
    leaves: list[tuple[int, float]] = field(default_factory=list)

    def add(self, tree: Sequence[Node], target: int) -> None:
        """Add a tree, whose root is its first node."""
        if tree[0].left < 0:  # the operator has no tree without a node
            tree = [Node(left=1, right=1), tree[0]]
        inner = {
            at: len(self.nodes) + rank for rank, at in enumerate(at for at, node in enumerate(tree) if node.left >= 0)
        }
        outer = {
            at: len(self.leaves) + rank for rank, at in enumerate(at for at, node in enumerate(tree) if node.left < 0)
        }
        self.roots.append(inner[0])
        for node in tree:
            if node.left < 0:
                self.leaves.append((target, node.value))
                continue
            self.nodes.append((node.feature, node.mode, node.threshold, node.missing_left))
            sides = [(outer[side], True) if side in outer else (inner[side], False) for side in (node.left, node.right)]
            self.children.append((*sides[0], *sides[1]))
            if node.mode == MEMBER:
                self.members += [*map(float, node.members), np.nan]

    def outputs(self, matrix: Value) -> Value:
        """Return the sums of the trees of each target, in double precision, of shape [records, width]."""
        return matrix.apply(
            "TreeEnsemble", domain="ai.onnx.ml", n_targets=self.width, aggregate_function=1, **self._attributes()
        )

    def _attributes(self) -> dict[str, Any]:
        features, modes, thresholds, missing = zip(*self.nodes, strict=True)
        true_ids, true_leaves, false_ids, false_leaves = zip(*self.children, strict=True)
        targets, weights = zip(*self.leaves, strict=True)
        members = {"membership_values": _tensor(self.members)} if self.members else {}
        return members | {
            "tree_roots": self.roots,
            "nodes_featureids": list(features),
            "nodes_modes": _tensor(modes, np.uint8),
            "nodes_splits": _tensor(thresholds),
            "nodes_truenodeids": list(true_ids),
            "nodes_trueleafs": list(map(int, true_leaves)),
            "nodes_falsenodeids": list(false_ids),
            "nodes_falseleafs": list(map(int, false_leaves)),
            "nodes_missing_value_tracks_true": list(map(int, missing)),
            "leaf_targetids": list(targets),
            "leaf_weights": _tensor(weights),
        }


def _tensor(values: Sequence[float], dtype: Any = np.float64) -> Any:
    return numpy_helper.from_array(np.asarray(values, dtype))
