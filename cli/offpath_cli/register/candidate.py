"""Make of an original what can be registered: converted, tried as it will be served, and compared with the original."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlflow.models import ModelSignature
from mlflow.types import Schema
from onnx import ModelProto
from onnx.checker import ValidationError

from model_sync.ports import Unservable
from offpath.contracts.errors import OffpathError
from offpath_cli.errors import AnswersDiffer, ModelRefused, first_line
from offpath_cli.register.compare_answers import compare_answers
from offpath_cli.register.convert import conversions
from offpath_cli.register.example_inputs import ExampleInputs, infer_inputs, prepare_example, served_signature
from offpath_cli.register.examples import FORMS, Example
from offpath_cli.register.graph import check_operators
from offpath_cli.register.graph_cleanup import open_label_shape, remove_scores, remove_zipmap
from offpath_cli.register.graph_signature import graph_inputs, graph_outputs
from offpath_cli.register.model_task import ModelTask
from offpath_cli.register.native import ExpectedAnswers, has_probabilities, predict
from offpath_cli.register.original import Original
from offpath_cli.register.serving_check import ServingCheck, load_as_served
from training.registry.versions import OnnxPackage, save_model


@dataclass(frozen=True, slots=True)
class Candidate:
    """Hold a model that can be registered.

    bytes: the size of its file. records: how many it was tried with. difference: the largest to the original; None
    where nothing was converted.
    """

    model: OnnxPackage
    bytes: int
    records: int
    difference: float | None


@dataclass(frozen=True, slots=True)
class CandidateBuilder:
    """Make a candidate of a model, for its task. example: records to try it with. max_bytes: that a file may have."""

    original: Original
    model_task: ModelTask
    example: Example | None
    max_bytes: int
    opset: int | None = None

    def build(self) -> Candidate:
        """Return the model as it can be registered.

        Raises ModelRefused, or the error of the sync or the API that cannot serve it.
        """
        inputs = self._inputs()
        signature = served_signature(inputs)
        example = prepare_example(self.example, signature) if self.example else None
        native = self.original.native
        if isinstance(native, ModelProto):
            return self._unconverted(native, inputs, example)
        if example is None:
            raise ModelRefused(
                f"it was logged without an input example, so there is nothing to compare its ONNX form by: add "
                f"--example FILE.json with {FORMS}"
            )
        self._check_classes()
        expected = predict(self.original, self.model_task, example.rows)
        failures: list[Exception] = []
        for convert in conversions(self.original, signature, self.opset):
            try:
                return self._checked(self._cleaned(convert()), inputs, example, expected)
            except (ModelRefused, OffpathError) as error:
                failures.append(error)
        raise max(failures, key=lambda error: isinstance(error, AnswersDiffer))

    def _inputs(self) -> Schema:
        logged = self.original.signature
        if logged and logged.inputs:
            found: Schema = logged.inputs
            return found
        if isinstance(self.original.native, ModelProto):
            return graph_inputs(self.original.native, self.example)
        if self.example is None:
            raise ModelRefused(f"it was logged without a signature: add --example FILE.json with {FORMS}")
        return infer_inputs(self.example)

    def _unconverted(self, graph: ModelProto, inputs: Schema, example: ExampleInputs | None) -> Candidate:
        if self.opset:
            raise ModelRefused(f"--opset {self.opset} is for conversions, and this model is ONNX: leave the option out")
        remove_zipmap(graph)
        return self._checked(graph, inputs, example, None)

    def _check_classes(self) -> None:
        classes = self.model_task.classes
        are_numbers = all(isinstance(value, int | float) for value in classes)
        if classes and are_numbers and not has_probabilities(self.original) and classes != tuple(range(len(classes))):
            raise ModelRefused(
                f"{self.original.kind} gives no probabilities, and its classes are {classes}: without probabilities a "
                "number is served as the index of a class. Train it with classes from 0 on, or with texts"
            )

    def _cleaned(self, graph: ModelProto) -> ModelProto:
        remove_zipmap(graph)
        open_label_shape(graph)
        if self.model_task.task == "classification" and not has_probabilities(self.original):
            remove_scores(graph)
        return graph

    def _checked(
        self, graph: ModelProto, inputs: Schema, example: ExampleInputs | None, expected: ExpectedAnswers | None
    ) -> Candidate:
        check_operators(graph)
        outputs = graph_outputs(graph, as_columns=not inputs.is_tensor_spec())
        model = OnnxPackage(
            onnx=graph,
            signature=ModelSignature(inputs, outputs),
            example=example.logged if example else None,
            task=self.model_task.task,
            labels=self.model_task.labels,
        )
        check = self._load_as_served(model)
        answers = check.answers(example.body, example.records) if example else []
        difference = compare_answers(answers, expected) if expected else None
        return Candidate(model, check.version.bytes, len(answers), difference)

    def _load_as_served(self, model: OnnxPackage) -> ServingCheck:
        size = model.onnx.ByteSize()
        if size > self.max_bytes:
            raise Unservable(f"its {size} bytes are over OFFPATH_MAX_MODEL_BYTES={self.max_bytes}")
        with _saved(model) as folder:
            return load_as_served(folder, self.max_bytes)


@contextmanager
def _saved(model: OnnxPackage) -> Iterator[Path]:
    """Yield a folder with the model's files as they will be logged. Raises ModelRefused for an invalid graph."""
    with tempfile.TemporaryDirectory(prefix="offpath-") as parent:
        folder = Path(parent) / "model"
        try:
            save_model(model, folder)
        except ValidationError as error:
            raise ModelRefused(f"it is no valid ONNX model: {first_line(error)}") from error
        yield folder
