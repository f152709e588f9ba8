"""Make of an original what can be registered: converted, tried as it will be served, and compared with the original."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from mlflow.models import ModelSignature
from mlflow.types import Schema
from onnx import ModelProto
from onnx.checker import ValidationError

from model_sync.ports import Unservable
from offpath.contracts.errors import OffpathError
from offpath.contracts.model_manifest import ColumnLimits
from offpath_cli.errors import AnswersDiffer, ModelRefused, first_line
from offpath_cli.register.class_outputs import (
    check_outputs,
    complete_two_classes,
    keep_labels_alone,
    number_booleans,
)
from offpath_cli.register.compare_answers import compare_answers, disagreement
from offpath_cli.register.convert import Converted, conversions
from offpath_cli.register.example_inputs import (
    MOST_LOGGED,
    ExampleInputs,
    infer_inputs,
    is_unknown,
    prepare_example,
    served_signature,
    with_text_names,
)
from offpath_cli.register.examples import FORMS, Example
from offpath_cli.register.graph import check_operators
from offpath_cli.register.graph_cleanup import index_labels, open_label_shape, remove_scores, remove_zipmap
from offpath_cli.register.graph_signature import graph_inputs, graph_outputs
from offpath_cli.register.model_task import ModelTask
from offpath_cli.register.native import has_probabilities, predict
from offpath_cli.register.original import Original
from offpath_cli.register.probing import (
    Probing,
    joined_limits,
    limited_schema,
    limits_of,
    prepare_probing,
    whole_numbers_that_may_be_missing,
)
from offpath_cli.register.record_forms import has_records
from offpath_cli.register.serving_check import ServingCheck, load_as_served
from offpath_cli.register.unconverted import NoProbabilities, check_unconverted
from offpath_cli.register.unsupported import check_supported
from training.callbacks import Report
from training.probes.compare import Agreement, Disagreement
from training.registry.versions import OnnxPackage, save_model


def _no_report(text: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Hold a model that can be registered.

    bytes: the size of its file. records: how many it was tried with. difference: the largest to the original; None
    where nothing was converted. agreement: how it was compared; None where it was not, or on the example alone. notes:
    what its signature says that was not logged so.
    """

    model: OnnxPackage
    bytes: int
    records: int
    difference: float | None
    agreement: Agreement | None = None
    notes: tuple[str, ...] = ()


Checked: TypeAlias = Callable[[Converted], Candidate]


@dataclass(frozen=True, slots=True)
class CandidateBuilder:
    """Make a candidate of a model, for its task.

    example: records to try it with. max_bytes: that a file may have. seed: of the records that are drawn; a new one by
    default. report: is told of each step.
    """

    original: Original
    model_task: ModelTask
    example: Example | None
    max_bytes: int
    opset: int | None = None
    seed: int | None = None
    report: Report = _no_report

    def build(self) -> Candidate:
        """Return the model as it can be registered.

        Raises ModelRefused, or the error of the sync or the API that cannot serve it.
        """
        inputs, whole = whole_numbers_that_may_be_missing(self._inputs())
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
        check_supported(self.original, self.model_task, example.rows)
        if not has_records(signature):
            return self._on_example(inputs, example)
        self.report("asking the original")
        probing = prepare_probing(self.original, self.model_task, signature, example, self.seed)
        notes = (f"whole numbers that may be missing are served as doubles: {', '.join(whole)}",) if whole else ()
        return self._on_probes(limited_schema(inputs, probing.fields), probing, notes + probing.notes)

    def _on_probes(self, inputs: Schema, probing: Probing, notes: tuple[str, ...]) -> Candidate:
        """Return the first form that agrees on all records."""
        signature = served_signature(inputs)
        refused = limits_of(signature, probing.fields)
        logged = _logged(probing)

        def checked(converted: Converted) -> Candidate:
            limits = joined_limits(converted.limits, refused)
            model = self._package(self._cleaned(converted), inputs, logged, limits)
            check = self._load_as_served(model)
            self.report(f"comparing {len(probing.comparison.records):,} records")
            try:
                agreement = probing.comparison.run(check.ask(probing.forms))
            except Disagreement as found:
                raise disagreement(found) from found
            return Candidate(model, check.version.bytes, agreement.compared, agreement.largest, agreement, notes)

        return self._first(inputs, checked)

    def _on_example(self, inputs: Schema, example: ExampleInputs) -> Candidate:
        """Return the first form that agrees on the example, of tensors that no records are made for."""
        expected = predict(self.original, self.model_task, example.rows)

        def checked(converted: Converted) -> Candidate:
            model = self._package(self._cleaned(converted), inputs, example.logged, converted.limits)
            check = self._load_as_served(model)
            difference = compare_answers(check.answers(example.body, example.records), expected)
            return Candidate(model, check.version.bytes, example.records, difference)

        return self._first(inputs, checked)

    def _first(self, inputs: Schema, checked: Checked) -> Candidate:
        failures: list[Exception] = []
        for what, convert in conversions(self.original, self.model_task, served_signature(inputs), self.opset):
            self.report(f"converting {what}")
            try:
                return checked(convert())
            except (ModelRefused, OffpathError) as error:
                failures.append(error)
        raise _worst(failures)

    def _inputs(self) -> Schema:
        logged = self.original.signature
        if logged and logged.inputs and not is_unknown(logged.inputs):
            return with_text_names(logged.inputs)
        if isinstance(self.original.native, ModelProto):
            return graph_inputs(self.original.native, self.example)
        if self.example is None:
            raise ModelRefused(f"it was logged without a signature: add --example FILE.json with {FORMS}")
        return with_text_names(infer_inputs(self.example))

    def _unconverted(self, graph: ModelProto, inputs: Schema, example: ExampleInputs | None) -> Candidate:
        if self.opset:
            raise ModelRefused(f"--opset {self.opset} is for conversions, and this model is ONNX: leave the option out")
        remove_zipmap(graph)
        check_outputs(graph)
        if self.model_task.task == "classification":
            index_labels(graph)
            number_booleans(graph)
            if len(self.model_task.labels) == 2:
                complete_two_classes(graph)
        check_operators(graph)
        try:
            return self._as_it_is(graph, inputs, example)
        except NoProbabilities:
            if not keep_labels_alone(graph):
                raise
        return self._as_it_is(graph, inputs, example)

    def _as_it_is(self, graph: ModelProto, inputs: Schema, example: ExampleInputs | None) -> Candidate:
        model = self._package(graph, inputs, example.logged if example else None, {})
        check = self._load_as_served(model)
        answers = check.answers(example.body, example.records) if example else []
        check_unconverted(check, self.model_task, served_signature(inputs), example)
        return Candidate(model, check.version.bytes, len(answers), None)

    def _check_classes(self) -> None:
        """Refuse a model whose original names classes that no label stands for."""
        if self.model_task.task == "classification" and not self.model_task.classes:
            raise ModelRefused(f"nothing in this {self.original.kind} names its classes: add --labels, by class index")

    def _cleaned(self, converted: Converted) -> ModelProto:
        graph = converted.onnx
        check_operators(graph)
        if converted.is_ours:
            return graph
        remove_zipmap(graph)
        open_label_shape(graph)
        if self.model_task.task == "classification":
            if not has_probabilities(self.original):
                remove_scores(graph)
            index_labels(graph, self.model_task.classes)
        return graph

    def _package(
        self, graph: ModelProto, inputs: Schema, logged: object, limits: Mapping[str, ColumnLimits]
    ) -> OnnxPackage:
        outputs = graph_outputs(graph, as_columns=not inputs.is_tensor_spec())
        return OnnxPackage(
            onnx=graph,
            signature=ModelSignature(inputs, outputs),
            example=logged,
            task=self.model_task.task,
            labels=self.model_task.labels,
            limits=limits,
        )

    def _load_as_served(self, model: OnnxPackage) -> ServingCheck:
        size = model.onnx.ByteSize()
        if size > self.max_bytes:
            raise Unservable(f"its {size} bytes are over OFFPATH_MAX_MODEL_BYTES={self.max_bytes}")
        with _saved(model) as folder:
            return load_as_served(folder, self.max_bytes)


def _worst(failures: Sequence[Exception]) -> Exception:
    """Return what to tell of several failures: a disagreement, with the part that this project's own form lacks."""
    differs = next((error for error in failures if isinstance(error, AnswersDiffer)), None)
    if differs is None or differs is failures[0]:
        return failures[0]
    return AnswersDiffer(f"{differs}. This was another library's form of it: {failures[0]}")


def _logged(probing: Probing) -> object:
    """Return the first records that are answered, as MLflow takes an example."""
    given = [
        record
        for record, answer in zip(probing.comparison.records, probing.comparison.expected, strict=True)
        if answer.refused is None
    ]
    if not probing.forms.signature.tensors:
        return given[:MOST_LOGGED]
    [tensor] = probing.forms.signature.tensors
    whole = [record for record in given if len(record) == tensor.shape[1]] or given
    rows = probing.forms.rows(whole[:MOST_LOGGED])
    return {tensor.name: rows} if tensor.name else rows


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
