"""Models that are not served are refused by name; kinds of number and of training that are, are served."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow.models import infer_signature
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

from offpath_cli.errors import ModelRefused
from offpath_cli.register.examples import Tensors
from offpath_cli.register.original import Original
from prediction_api.format_predictions import format_predictions, label_of
from prediction_api.scoring.tensors import TensorReader
from tests.support.builders.registered_models import of_original, registered

pd: Any = import_module("pandas")  # it is not typed

# mlflow warns of its own type hints when parts of it are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType")

RANDOM = np.random.default_rng(8)
ROWS = pd.DataFrame({"a": RANDOM.normal(0, 1, 120).round(2), "b": RANDOM.normal(0, 1, 120).round(2)})


@pytest.mark.parametrize(
    "model", [OneVsRestClassifier(LogisticRegression()), KNeighborsClassifier(), XGBClassifier(n_estimators=3)]
)
@pytest.mark.parametrize("labels", [2, 3])
def test_several_labels_a_record_are_refused_by_number(model: Any, labels: int) -> None:
    targets = RANDOM.integers(0, 2, (len(ROWS), labels))
    with pytest.raises(ModelRefused, match=f"predicts {labels} labels a record: one is served"):
        registered(model.fit(ROWS, targets), ROWS, flavor="sklearn")


def test_a_model_without_fitting_is_refused() -> None:
    with pytest.raises(ModelRefused, match="LogisticRegression has no classes: it was logged before it was fitted"):
        registered(LogisticRegression(), ROWS)


@pytest.mark.parametrize("kind", [int, str])
def test_categories_of_pandas_are_refused_by_column(kind: Any) -> None:
    kinds = RANDOM.integers(0, 4, len(ROWS))
    rows = ROWS.assign(shop=pd.Series(map(kind, kinds)).astype("category"))
    model = XGBClassifier(n_estimators=3, enable_categorical=True).fit(rows, kinds % 2)
    with pytest.raises(ModelRefused, match=r"trained with categorical columns \(shop\)"):
        registered(model, rows, flavor="xgboost")


@pytest.mark.parametrize("seed", [1, 2])
def test_early_stopping_counts_after_the_model_was_read(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    classes = (ROWS.a + random.normal(0, 1, len(ROWS)) > 0).astype(int)
    model = XGBClassifier(n_estimators=200, learning_rate=0.5, early_stopping_rounds=2)
    model.fit(ROWS[:80], classes[:80], eval_set=[(ROWS[80:], classes[80:])], verbose=False)
    model.save_model(tmp_path / "model.json")
    read = XGBClassifier()
    read.load_model(tmp_path / "model.json")
    assert read.best_iteration + 1 < read.get_booster().num_boosted_rounds()
    found = registered(read, ROWS, flavor="xgboost")
    assert found.labels(*ROWS.to_dict("records")) == [str(one) for one in model.predict(ROWS)]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_tensors_of_whole_numbers_are_probed_within_their_type(dtype: str) -> None:
    rows = RANDOM.integers(0, 100, (80, 3)).astype(dtype)
    model = RandomForestClassifier(3, random_state=0).fit(rows, rows[:, 0] > rows[:, 1])
    example = Tensors({None: rows.tolist()})
    found = of_original(Original("sklearn", model, infer_signature(rows), example))
    assert found.candidate.agreement is not None
    assert found.candidate.agreement.compared - found.candidate.agreement.refused >= 2_000


@pytest.mark.parametrize("seed", [1, 2])
def test_missing_numbers_of_a_tensor_are_compared(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = random.normal(0, 1, (120, 3)).astype(np.float32)
    rows[random.random(rows.shape) < 0.2] = np.nan
    forest = RandomForestClassifier(4, random_state=0).fit(rows, np.nan_to_num(rows[:, 0], nan=1.0) > 0)
    found = of_original(Original("sklearn", forest, infer_signature(rows), Tensors({None: rows.tolist()})))
    assert found.candidate.notes[0].startswith("a tensor may hold null at /invocations alone")
    assert not np.isnan(found.candidate.model.example).any()
    asked = TensorReader(found.check.version.signature.tensors, 9).read("inputs", rows[:9].tolist())
    answers = format_predictions(found.check.version, found.check.model.run(asked), 9)
    assert [label_of(answer) for answer in answers] == [str(one) for one in forest.predict(rows[:9])]


def test_a_tensor_that_may_not_be_missing_says_so() -> None:
    rows = RANDOM.normal(0, 1, (80, 2))
    model = LogisticRegression().fit(rows, rows[:, 0] > 0)
    found = of_original(Original("sklearn", model, infer_signature(rows), Tensors({None: rows.tolist()})))
    [tensor] = found.check.version.signature.tensors
    assert tensor.limits is not None
    assert tensor.limits.missing is False
    assert found.candidate.notes == ()


def test_columns_that_are_numbered_are_served_by_their_numbers() -> None:
    rows = pd.DataFrame(RANDOM.normal(0, 1, (90, 3)))
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, rows[0] > rows[1])
    example = Tensors({None: rows.to_numpy().tolist()})
    found = of_original(Original("sklearn", model, infer_signature(rows), example))
    asked = [{str(name): value for name, value in row.items()} for row in rows.head(9).to_dict("records")]
    assert found.labels(*asked) == [str(one) for one in model.predict(rows.head(9))]


@pytest.mark.parametrize("largest", [2**63, 2**64 - 1])
def test_columns_without_a_type_are_named(largest: int) -> None:
    rows = pd.DataFrame({"id": np.array([1, largest] * 40, np.uint64), "b": RANDOM.normal(0, 1, 80)})
    model = LogisticRegression().fit(rows, rows.b > 0)
    with pytest.raises(ModelRefused, match=r"MLflow has no type for one of its columns: id \(uint64\), b \(float64\)"):
        registered(model, rows)


def test_an_optional_boolean_says_why_it_is_not_served() -> None:
    rows = pd.DataFrame({"a": RANDOM.normal(0, 1, 80), "flag": pd.Series([True, None] * 40, dtype="boolean")})
    model = LogisticRegression().fit(rows[["a"]], rows.a > 0)
    with pytest.raises(ModelRefused, match="lacks flag, which cannot be missing here, as neither true nor false says"):
        registered(model, rows)


@pytest.mark.parametrize("encoder", [OrdinalEncoder(), OneHotEncoder(handle_unknown="ignore")])
def test_large_ids_are_told_apart_or_refused_by_name(encoder: Any) -> None:
    ids = [2**53 + at for at in range(6)]
    rows = pd.DataFrame({"id": RANDOM.choice(ids, 200)})
    model = make_pipeline(encoder, DecisionTreeClassifier(random_state=0)).fit(rows, rows.id % 2)
    try:
        found = registered(model, rows)
    except ModelRefused as error:
        assert "an encoder of whole numbers from 2**53 on" in str(error)  # noqa: PT017
    else:
        assert found.labels(*({"id": one} for one in ids)) == [str(one % 2) for one in ids]
