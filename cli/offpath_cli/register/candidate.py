"""The model that is to be registered: converted, tried as it will be served, and in agreement with the original."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from mlflow.models import ModelSignature
from mlflow.types import Schema
from onnx.checker import ValidationError

from model_sync.ports import Unservable
from offpath.contracts.errors import OffpathError
from offpath_cli.register.compare_answers import Disagreement, check_agreement
from offpath_cli.register.convert import conversions
from offpath_cli.register.errors import Refused, first_line
from offpath_cli.register.examples import EXPECTED, Example
from offpath_cli.register.graph import check_operators
from offpath_cli.register.graph_cleanup import with_open_labels, without_scores, without_zipmap
from offpath_cli.register.graph_signature import graph_inputs, graph_outputs
from offpath_cli.register.inputs import Sample, inferred, sample_of, served_signature
from offpath_cli.register.model_task import ModelTask
from offpath_cli.register.native import Expected, has_probabilities, predict
from offpath_cli.register.original import Original
from offpath_cli.register.serving_check import Rehearsal
from training.recipes.recipe import Onnx
from training.registry.versions import ServedModel, save_model


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is fit to be registered. records: tried. difference: the largest, None where nothing was converted."""

    model: ServedModel
    bytes: int
    records: int
    difference: float | None


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried: a model, what it is for, and the records to try it with. max_bytes: that a file may have."""

    original: Original
    model_task: ModelTask
    example: Example | None
    max_bytes: int
    opset: int | None = None

    def run(self) -> Candidate:
        """The model as it can be registered. Raises Refused, or what the sync or the API say that cannot serve it."""
        inputs = self._inputs()
        signature = served_signature(inputs)
        sample = sample_of(self.example, signature) if self.example else None
        if self.original.flavor == "onnx":
            return self._as_it_is(inputs, sample)
        if sample is None:
            raise Refused(
                f"it was logged without an input example, so there is nothing to compare its ONNX form by: add "
                f"--example FILE.json with {EXPECTED}"
            )
        self._check_classes()
        expected = predict(self.original, self.model_task, sample.data)
        failures: list[Exception] = []
        for convert in conversions(self.original, signature, self.opset):
            try:
                return self._tried(self._tidy(convert()), inputs, sample, expected)
            except (Refused, OffpathError) as error:
                failures.append(error)
        raise max(failures, key=lambda error: isinstance(error, Disagreement))

    def _inputs(self) -> Schema:
        logged = self.original.signature
        if logged and logged.inputs:
            found: Schema = logged.inputs
            return found
        if self.original.flavor == "onnx":
            return graph_inputs(self.original.native, self.example)
        if self.example is None:
            raise Refused(f"it was logged without a signature: add --example FILE.json with {EXPECTED}")
        return inferred(self.example)

    def _as_it_is(self, inputs: Schema, sample: Sample | None) -> Candidate:
        if self.opset:
            raise Refused(f"--opset {self.opset} is for conversions, and this model is ONNX: leave the option out")
        graph = self.original.native
        without_zipmap(graph)
        return self._tried(graph, inputs, sample, None)

    def _check_classes(self) -> None:
        classes = self.model_task.classes
        are_numbers = all(isinstance(value, int | float) for value in classes)
        if classes and are_numbers and not has_probabilities(self.original) and classes != tuple(range(len(classes))):
            raise Refused(
                f"{self.original.kind} gives no probabilities, and its classes are {classes}: without probabilities a "
                "number is served as the index of a class. Train it with classes from 0 on, or with texts"
            )

    def _tidy(self, graph: Onnx) -> Onnx:
        without_zipmap(graph)
        with_open_labels(graph)
        if self.model_task.task == "classification" and not has_probabilities(self.original):
            without_scores(graph)
        return graph

    def _tried(self, graph: Onnx, inputs: Schema, sample: Sample | None, expected: Expected | None) -> Candidate:
        check_operators(graph)
        outputs = graph_outputs(graph, as_columns=not inputs.is_tensor_spec())
        model = ServedModel(
            onnx=graph,
            signature=ModelSignature(inputs, outputs),
            example=sample.logged if sample else None,
            task=self.model_task.task,
            labels=self.model_task.labels,
        )
        rehearsal = self._rehearsed(model)
        answers = rehearsal.answers(sample.body, sample.records) if sample else []
        difference = check_agreement(answers, expected) if expected else None
        return Candidate(model, rehearsal.bytes, len(answers), difference)

    def _rehearsed(self, model: ServedModel) -> Rehearsal:
        if (size := model.onnx.ByteSize()) > self.max_bytes:
            raise Unservable(f"its {size} bytes are over OFFPATH_MAX_MODEL_BYTES={self.max_bytes}")
        with tempfile.TemporaryDirectory(prefix="offpath-") as folder:
            try:
                save_model(model, Path(folder) / "model")
            except ValidationError as error:
                raise Refused(f"it is no valid ONNX model: {first_line(error)}") from error
            return Rehearsal(Path(folder) / "model", self.max_bytes)
