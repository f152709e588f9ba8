"""Models of each flavor, converted, tried and compared; and those that cannot be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
from sklearn.cluster import KMeans
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from model_sync.ports import Unservable
from offpath_cli.errors import AnswersDiffer, ModelRefused
from offpath_cli.register.candidate import Candidate, CandidateBuilder
from offpath_cli.register.compare_answers import AnsweredRecord, compare_answers
from offpath_cli.register.examples import Records, Tensors
from offpath_cli.register.model_task import model_task_of
from offpath_cli.register.native import ExpectedAnswers
from offpath_cli.register.original import Original, read_folder
from offpath_cli.register.registration_spec import RegistrationSpec
from tests.support.builders import own_models
from training.onnx_artifact.agreement import TOLERANCE

# mlflow warns of its own type hints when parts of it are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType")

LARGE = 10_000_000


def order(**changes: Any) -> RegistrationSpec:
    return replace(RegistrationSpec("models:/m/1", "m", "http://127.0.0.1:5000"), **changes)


def tried(original: Original, max_bytes: int = LARGE, **changes: Any) -> Candidate:
    given = order(**changes)
    return CandidateBuilder(original, model_task_of(original, given), original.example, max_bytes, given.opset).build()


@pytest.mark.parametrize("name", list(own_models.estimators()))
def test_a_model_that_can_be_converted_answers_as_the_original(name: str) -> None:
    flavor, native, frame = own_models.estimators()[name]
    found = tried(own_models.original(flavor, native, frame))
    assert found.difference is not None
    assert found.difference <= TOLERANCE
    assert found.agreement is not None
    assert found.agreement.compared >= 2_000
    assert found.bytes == len(found.model.onnx.SerializeToString())


def test_labels_are_the_classes_by_index() -> None:
    candidate = tried(own_models.original("sklearn", own_models.churn(), own_models.customers()))
    assert (candidate.model.task, candidate.model.labels) == ("classification", ("leaves", "stays"))


def test_labels_can_be_given_to_classes_without_names() -> None:
    booster = own_models.estimators()["xgboost binary:logistic"][1]
    original = own_models.original("xgboost", booster, own_models.flowers()[0])
    assert tried(original).model.labels == ("0", "1")
    assert tried(original, labels=("setosa", "other")).model.labels == ("setosa", "other")


def test_a_matrix_stays_a_tensor() -> None:
    from mlflow.models import infer_signature

    _, native, frame = own_models.estimators()["no names"]
    rows = frame.to_numpy()
    logged = Original("sklearn", native, infer_signature(rows), Tensors({None: rows.tolist()}))
    assert tried(logged).model.signature.inputs.is_tensor_spec()


def test_a_signature_that_was_not_logged_is_the_examples() -> None:
    frame = own_models.customers()
    unsigned = replace(own_models.original("sklearn", own_models.churn(), frame), signature=None)
    columns = {column.name: column.type.name for column in tried(unsigned).model.signature.inputs}
    assert columns == {
        "plan": "string",
        "country": "string",
        "months": "long",
        "spend": "double",
        "invoiced": "boolean",
    }


def test_a_few_records_are_kept_as_the_example() -> None:
    found = tried(own_models.original("sklearn", own_models.churn(), own_models.customers()))
    assert len(found.model.example) == 5


def test_a_disagreement_is_told_with_both_answers() -> None:
    unlike = own_models.xgboost_booster("reg:logistic", own_models.flowers()[1] > 0)
    original = own_models.original("xgboost", unlike, own_models.flowers()[0])
    # The converter of that operator set forgets the sigmoid.
    with pytest.raises(
        AnswersDiffer, match=r"answer \d+ of \d+ records otherwise; the smallest is .*original says 0\.\d+"
    ):
        tried(original, opset=15)
    assert tried(original).agreement is not None


def test_an_estimator_that_predicts_nothing_is_refused() -> None:
    scaler = StandardScaler().fit(own_models.numbers())
    with pytest.raises(ModelRefused, match=r"this StandardScaler \(sklearn\) predicts nothing"):
        tried(own_models.original("sklearn", scaler, own_models.numbers()))


def test_another_label_is_told_with_the_record() -> None:
    answers: list[AnsweredRecord] = [{"label": "a"}, {"label": "b"}]
    with pytest.raises(AnswersDiffer, match=r"give 1 of 2 records another label; record 1 is 'b' and 'a'"):
        compare_answers(answers, ExpectedAnswers(labels=["a", "a"]))


@pytest.mark.parametrize(
    ("native", "complaint"),
    [
        (own_models.unwritten(), r"no converter to ONNX for sklearn\.neural_network\._rbm\.BernoulliRBM"),
        (
            make_pipeline(FunctionTransformer(np.cbrt), LinearRegression()).fit(own_models.numbers(), np.arange(100)),
            "there is no converter to ONNX for FunctionTransformer with the function cbrt",
        ),
        (KMeans(2, n_init=1).fit(own_models.numbers()), r"nothing in this KMeans \(sklearn\) says what it is for"),
    ],
)
def test_what_cannot_be_converted_is_named(native: Any, complaint: str) -> None:
    with pytest.raises(ModelRefused, match=complaint):
        tried(own_models.original("sklearn", native, own_models.numbers()))


def test_an_objective_that_says_nothing_of_a_task() -> None:
    ranking = own_models.xgboost_booster("rank:pairwise", own_models.flowers()[1])
    original = own_models.original("xgboost", ranking, own_models.flowers()[0])
    with pytest.raises(ModelRefused, match="with the objective rank:pairwise says what it is for: add --task"):
        tried(original)


def test_a_task_that_is_not_the_models() -> None:
    original = own_models.original("sklearn", own_models.churn(), own_models.customers())
    with pytest.raises(ModelRefused, match=r"--task regression: but this Pipeline \(sklearn\) is a classification"):
        tried(original, task="regression")
    with pytest.raises(ModelRefused, match=r"there are 3 labels \(a, b, c\) for 2 classes \(leaves, stays\)"):
        tried(original, labels=("a", "b", "c"))


def test_without_an_example_nothing_is_converted() -> None:
    original = own_models.original("sklearn", own_models.churn(), own_models.customers())
    with pytest.raises(ModelRefused, match=r"logged without an input example.*add --example FILE\.json"):
        tried(replace(original, example=None))
    with pytest.raises(ModelRefused, match=r"logged without a signature: add --example FILE\.json"):
        tried(replace(original, example=None, signature=None))


def test_an_example_that_is_not_the_signatures() -> None:
    frame = own_models.customers()
    original = own_models.original("sklearn", own_models.churn(), frame)
    first = frame.iloc[0].to_dict()
    lacking = {name: value for name, value in first.items() if name != "months"}
    for record, complaint in (
        (lacking, "record 0 of the input example lacks months, which the signature requires"),
        (first | {"age": 3}, "record 0 of the input example has the columns age, which the signature has not"),
        (first | {"months": 1.5}, "the input example is not as the signature says: ValueError"),
    ):
        with pytest.raises(ModelRefused, match=complaint):
            tried(replace(original, example=Records([record])))
    with pytest.raises(ModelRefused, match=r"the input example is not of the signature's columns plan, country"):
        tried(replace(original, example=Tensors({None: [[1.0]]})))


def test_what_the_original_itself_does_not_take() -> None:
    frame = own_models.customers()
    original = own_models.original("sklearn", own_models.churn(), frame[["spend"]])
    with pytest.raises(ModelRefused, match=r"the Pipeline \(sklearn\) itself fails on the input example: ValueError"):
        tried(original)


def test_a_column_type_that_is_not_served_is_named() -> None:
    frame = own_models.customers()[["spend"]].assign(since=np.datetime64("2026-01-01"))
    native = LinearRegression().fit(frame[["spend"]], np.arange(100))
    with pytest.raises(Unservable, match="input 'since' of type 'datetime', which is not served"):
        tried(own_models.original("sklearn", native, frame))


def test_a_model_that_the_sync_would_not_publish_is_refused() -> None:
    original = own_models.original("sklearn", own_models.churn(), own_models.customers())
    with pytest.raises(Unservable, match=r"its \d+ bytes are over OFFPATH_MAX_MODEL_BYTES=1000"):
        tried(original, max_bytes=1_000)


def test_an_operator_set_can_be_asked_for() -> None:
    original = own_models.original("sklearn", *own_models.estimators()["a search's winner"][1:])
    written = {entry.domain: entry.version for entry in tried(original, opset=15).model.onnx.opset_import}
    assert written.get("", 0) <= 15
    with pytest.raises(ModelRefused, match=r"cannot be converted to ONNX: .*99"):
        tried(original, opset=99)


def test_categories_of_xgboost_are_refused() -> None:
    frame = own_models.customers()[["spend"]].assign(plan=own_models.customers().plan.astype("category"))
    native = xgboost.XGBRegressor(n_estimators=3, enable_categorical=True).fit(frame, np.arange(100))
    named = own_models.customers()[["spend", "plan"]]
    with pytest.raises(ModelRefused, match=r"trained with categorical columns \(plan\)"):
        tried(own_models.original("xgboost", native, named))


def test_params_of_a_signature_are_refused_by_name(tmp_path: Path) -> None:
    params = ParamSchema([ParamSpec("threshold", DataType.double, 0.5)])
    Model(signature=ModelSignature(Schema([ColSpec("double", "x")]), params=params)).save(tmp_path / "MLmodel")
    with pytest.raises(ModelRefused, match="its signature has the params threshold, which a request may set"):
        read_folder(tmp_path)
