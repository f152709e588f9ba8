"""A registered model says what its original says: where models differ from their ONNX forms."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import IterativeImputer, SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier, LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from offpath_cli.errors import ModelRefused
from offpath_cli.register.original import Original, read_file
from prediction_api.errors import ModelUnusable
from tests.support.builders.registered_models import of_original, registered

pd: Any = import_module("pandas")  # it is not typed

# mlflow warns of its own type hints when parts of it are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType")

nan = np.nan
RANDOM = np.random.default_rng(5)


def test_outliers_are_named() -> None:
    rows = pd.DataFrame({"a": RANDOM.normal(0, 1, 50)})
    forest = IsolationForest(n_estimators=5, random_state=0).fit(rows)
    inlier = float(rows.a.iloc[forest.decision_function(rows).argmax()])
    assert forest.predict(pd.DataFrame({"a": [100.0, inlier]})).tolist() == [-1, 1]
    asked = ({"a": 100.0}, {"a": inlier})
    assert registered(forest, rows, labels=("outlier", "inlier")).labels(*asked) == ["outlier", "inlier"]
    assert registered(forest, rows).labels(*asked) == ["-1", "1"]


def test_outliers_of_the_training_alone_are_refused() -> None:
    rows = pd.DataFrame({"a": RANDOM.normal(0, 1, 50)})
    with pytest.raises(ModelRefused, match="train it with novelty=True"):
        registered(LocalOutlierFactor().fit(rows), rows)


def test_missing_values_take_the_trees_branch() -> None:
    rows = pd.DataFrame({"x": [nan, nan, 1.0, 5.0]})
    tree = DecisionTreeClassifier(random_state=0).fit(rows, [0, 0, 0, 1])
    found = registered(tree, rows.dropna(), rows)
    assert found.answers({}) == [{"label": "0", "class_index": 0, "probabilities": {"0": 1.0, "1": 0.0}}]
    assert tree.predict_proba(pd.DataFrame({"x": [nan]})).tolist() == [[1.0, 0.0]]


def test_a_threshold_of_infinity_is_served() -> None:
    rows = pd.DataFrame({"a": [nan, nan, nan, 1, 1, 1, 1.0], "b": [1, 1, 1, nan, nan, 1, 5.0]})
    tree = DecisionTreeClassifier(random_state=0).fit(rows, [1, 1, 1, 0, 0, 0, 1])
    asked = pd.DataFrame({"a": [nan, 1.0, nan], "b": [nan, nan, 5.0]})
    assert registered(tree, rows).labels({}, {"a": 1.0}, {"b": 5.0}) == [str(label) for label in tree.predict(asked)]


def test_a_forest_sends_missing_values_as_the_original() -> None:
    rows = pd.DataFrame({name: RANDOM.normal(0, 1, 200).round(1) for name in "abc"})
    rows = rows.mask(RANDOM.random(rows.shape) < 0.2)
    forest = RandomForestClassifier(5, random_state=0).fit(rows, (rows.a.fillna(1) > rows.b.fillna(0)).astype(int))
    found = registered(forest, rows)
    assert found.candidate.agreement is not None
    assert found.candidate.agreement.compared >= 2_000


def scores() -> tuple[Any, Any]:
    rows = pd.DataFrame({"score": np.random.default_rng(5).normal(0, 1, 300).round(2)})
    return rows, (rows.score + np.random.default_rng(6).normal(0, 1, 300) > 1.6).astype(int)


def test_a_tuned_threshold_is_kept() -> None:
    rows, target = scores()
    model = TunedThresholdClassifierCV(LogisticRegression(), scoring="balanced_accuracy", cv=3).fit(rows, target)
    [answer] = registered(model, rows).answers({"score": 1.0})
    assert answer["label"] == str(model.predict(pd.DataFrame({"score": [1.0]}))[0]) == "1"
    assert answer["probabilities"]["1"] < 0.5


@pytest.mark.parametrize("classes", [(0, 1), (1, 2), ("no", "yes")])
@pytest.mark.parametrize("positive", [0, 1])
def test_a_fixed_threshold_is_kept(classes: tuple[Any, Any], positive: int) -> None:
    rows, target = scores()
    named = np.array(classes)[target]
    fixed = FixedThresholdClassifier(LogisticRegression(), threshold=0.2, pos_label=classes[positive]).fit(rows, named)
    asked = [{"score": value} for value in np.linspace(-2, 3, 21).tolist()]
    assert registered(fixed, rows).labels(*asked) == [str(one) for one in fixed.predict(pd.DataFrame(asked))]


def label_graph(label: int, *, probabilities: bool) -> Any:
    """Return a graph that names one class for every record, whatever it finds probable."""
    nodes = [
        helper.make_node("Mul", ["score", "zero"], ["nothing"]),
        helper.make_node("Cast", ["nothing"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Add", ["whole", "label of all"], ["column"]),
        helper.make_node("Reshape", ["column", "flat"], ["label"]),
    ]
    outputs = [helper.make_tensor_value_info("label", TensorProto.INT64, [None])]
    constants = {"zero": np.zeros(1, np.float32), "label of all": np.array([label]), "flat": np.array([-1])}
    if probabilities:
        nodes.append(helper.make_node("Concat", ["score", "nothing"], ["probabilities"], axis=1))
        outputs.append(helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2]))
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, [None, 1])],
        outputs,
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_the_class_that_a_graph_names_is_the_answer(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(label_graph(1, probabilities=True).SerializeToString())
    found = of_original(read_file(tmp_path / "model.onnx"), ("stays", "leaves"))
    assert found.labels({"score": 0.9}) == ["leaves"]


@pytest.mark.parametrize("label", [-1, 2])
@pytest.mark.parametrize("probabilities", [False, True])
def test_a_class_index_without_a_label_is_refused(tmp_path: Path, label: int, probabilities: bool) -> None:
    (tmp_path / "model.onnx").write_bytes(label_graph(label, probabilities=probabilities).SerializeToString())
    with pytest.raises(ModelUnusable, match=f"the model gives the class index {label}; its 2 labels are stays, leaves"):
        of_original(read_file(tmp_path / "model.onnx"), ("stays", "leaves"))


def test_classes_that_are_numbers_keep_their_names() -> None:
    rows = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0] * 10})
    model = LinearSVC().fit(rows, [3, 3, 7, 7] * 10)
    assert registered(model, rows).labels({"a": 1.0}, {"a": 4.0}) == ["3", "7"]


def test_several_labels_a_record_are_refused_by_name() -> None:
    rows = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0]})
    model = MultiOutputClassifier(LogisticRegression()).fit(rows, [[0, 1], [0, 0], [1, 1], [1, 0]])
    with pytest.raises(ModelRefused, match="MultiOutputClassifier predicts 2 labels a record"):
        registered(model, rows)


WORDS = pd.DataFrame({"text": ["good", "good", "bad", "bad", "goodé", "goodé"]})


@pytest.mark.parametrize("vectorizer", [CountVectorizer(lowercase=False), TfidfVectorizer(ngram_range=(1, 2))])
def test_words_with_accents_are_words(vectorizer: Any) -> None:
    columns = ColumnTransformer([("t", vectorizer, "text")])
    model = make_pipeline(columns, LogisticRegression(C=10)).fit(WORDS, [1, 1, 0, 0, 0, 0])
    texts = ["goodé", "GOODÉ", "good bad", "é", "", "good-bad", "\u0130good"]
    asked = [{"text": text} for text in texts]
    answers = registered(model, WORDS.head(4)).answers(*asked)
    assert [answer["label"] for answer in answers] == [str(label) for label in model.predict(pd.DataFrame(asked))]
    given = [list(answer["probabilities"].values()) for answer in answers]
    assert np.allclose(given, model.predict_proba(pd.DataFrame(asked)))


def test_a_missing_text_is_refused_where_the_original_fails() -> None:
    rows = pd.DataFrame({"text": ["good", "bad"] * 5, "n": [1.0, 2.0] * 5})
    columns = ColumnTransformer([("t", CountVectorizer(), "text"), ("n", "passthrough", ["n"])])
    model = make_pipeline(columns, LogisticRegression()).fit(rows, [0, 1] * 5)
    signed = pd.concat([rows, pd.DataFrame({"text": [None], "n": [1.0]})])
    found = registered(model, rows, signed)
    assert found.candidate.notes == ("required, as the original fails without: text",)
    with pytest.raises(ModelRefused, match="inputs\\[0\\]\\.text: required"):
        found.answers({"n": 1.0})


@pytest.mark.parametrize("missing", [None, nan])
def test_a_missing_text_is_the_category_that_was_learnt(missing: Any) -> None:
    texts = pd.Series(["a", "b", missing, ""] * 5, dtype=object)
    rows = pd.DataFrame({"plan": texts, "n": [1.0, 2.0, 3.0, 4.0] * 5})
    columns = ColumnTransformer([("p", OneHotEncoder(), ["plan"]), ("n", StandardScaler(), ["n"])])
    model = make_pipeline(columns, LogisticRegression(C=100)).fit(rows, [0, 1, 1, 0] * 5)
    found = registered(model, rows)
    asked = pd.DataFrame({"plan": pd.Series([missing, ""], dtype=object), "n": [2.0, 2.0]})
    expected = model.predict_proba(asked)
    answers = found.answers({"n": 2.0}, {"plan": "", "n": 2.0})
    assert np.allclose([list(answer["probabilities"].values()) for answer in answers], expected)
    assert not np.allclose(expected[0], expected[1])


def test_an_unknown_category_is_refused_with_column_and_value() -> None:
    rows = pd.DataFrame({"plan": ["basic", "pro", "basic", "pro"]})
    columns = ColumnTransformer([("p", OneHotEncoder(), ["plan"])])
    found = registered(make_pipeline(columns, LogisticRegression()).fit(rows, [0, 1, 0, 1]), rows)
    with pytest.raises(ModelRefused, match=r"inputs\[0\]\.plan: the model does not know this value; .*got 'gold'"):
        found.answers({"plan": "gold"})
    assert found.labels({"plan": "pro"}) == ["1"]


def test_an_unknown_category_that_the_original_takes_is_answered() -> None:
    rows = pd.DataFrame({"plan": ["basic", "pro"] * 5, "level": [1, 2] * 5})
    columns = ColumnTransformer(
        [
            ("p", OneHotEncoder(handle_unknown="ignore"), ["plan"]),
            ("l", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-5), ["level"]),
        ]
    )
    model = make_pipeline(columns, LogisticRegression()).fit(rows, [0, 1] * 5)
    asked = pd.DataFrame({"plan": ["gold", "pro"], "level": [7, 1]})
    assert registered(model, rows).labels(*asked.to_dict("records")) == [str(one) for one in model.predict(asked)]


@pytest.mark.parametrize(
    "name", ["sepal length (cm)", "home-dest", "label", "probabilities", "class_index", "Größe", "inputs"]
)
def test_columns_have_the_names_that_teams_give_them(name: str) -> None:
    rows = pd.DataFrame({name: [1.0, 2.0, 3.0, 4.0], "b": ["x", "y", "x", "y"]})
    columns = ColumnTransformer([("s", StandardScaler(), [name]), ("o", OneHotEncoder(), ["b"])])
    model = make_pipeline(columns, LogisticRegression()).fit(rows, [0, 0, 1, 1])
    asked = pd.DataFrame({name: [1.5, 3.5], "b": ["y", "x"]})
    found = registered(model, rows)
    expected = [str(one) for one in model.predict(asked)]
    given = [found.answers(record)[0]["label"] for record in asked.to_dict("records")] if name != "inputs" else expected
    assert given == expected
    assert found.candidate.records >= 2_000


def test_whole_numbers_that_may_be_missing_are_doubles() -> None:
    rows = pd.DataFrame({"age": pd.array([1, 2, None, 4] * 5, dtype="Int64"), "b": [1.0, 0.0, 2.0, 1.0] * 5})
    model = make_pipeline(SimpleImputer(), LogisticRegression())
    model.fit(rows.astype(float), [0, 0, 1, 1] * 5)
    found = registered(model, rows.astype(float), rows)
    assert found.candidate.notes == ("whole numbers that may be missing are served as doubles: age",)
    expected = [str(one) for one in model.predict(pd.DataFrame({"age": [3.0, 3.0, nan], "b": [1.0, 1.0, 1.0]}))]
    assert found.labels({"age": 3, "b": 1.0}, {"age": 3.0, "b": 1.0}, {"b": 1.0}) == expected


def test_a_large_number_is_refused_where_the_original_fails() -> None:
    rows = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0]})
    found = registered(DecisionTreeClassifier().fit(rows, [0, 0, 1, 1]), rows)
    with pytest.raises(ModelRefused, match=r"inputs\[0\]\.a: the model takes numbers up to 3\.40282e\+38 here"):
        found.answers({"a": 1e39})


def test_a_pipeline_of_texts_alone_is_served() -> None:
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(WORDS.text, [1, 1, 0, 0, 0, 0])
    assert registered(model, WORDS).labels({"text": "goodé"}) == [str(model.predict(["goodé"])[0])]


def test_a_matrix_of_single_precision_is_compared_at_its_edges() -> None:
    from mlflow.models import infer_signature

    from offpath_cli.register.examples import Tensors

    rows = RANDOM.normal(0, 1, (60, 3)).astype(np.float32)
    model = make_pipeline(StandardScaler(), RandomForestClassifier(5, random_state=0)).fit(rows, rows[:, 0] > 0)
    found = of_original(Original("sklearn", model, infer_signature(rows), Tensors({None: rows.tolist()})))
    assert found.candidate.agreement is not None
    assert found.candidate.agreement.compared >= 2_000


@pytest.mark.parametrize("seed", [1, 2])
def test_a_column_transformers_weights_count(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = pd.DataFrame({"a": random.normal(0, 1, 80), "b": random.choice(["x", "y"], 80)})
    parts = [("a", StandardScaler(), ["a"]), ("b", OneHotEncoder(), ["b"])]
    weights = {"a": float(random.normal(0, 2)), "b": float(random.normal(0, 2))}
    model = make_pipeline(ColumnTransformer(parts, transformer_weights=weights), LogisticRegression())
    found = registered(model.fit(rows, rows.a > 0), rows)
    assert found.labels(*rows.head(9).to_dict("records")) == [str(one) for one in model.predict(rows.head(9))]


def test_a_frozen_classifier_is_calibrated_as_it_is() -> None:
    rows, frozen = scores()[0], FrozenEstimator(LogisticRegression().fit(*scores()))
    model = CalibratedClassifierCV(frozen).fit(rows, scores()[1])
    assert registered(model, rows).labels({"score": 0.4}) == [str(model.predict(pd.DataFrame({"score": [0.4]}))[0])]


def test_a_request_without_any_value_is_imputed_as_the_original() -> None:
    rows = pd.DataFrame(RANDOM.normal(0, 1, (80, 3)) + np.arange(3), columns=list("abc"))
    rows = rows.mask(RANDOM.random(rows.shape) < 0.2)
    model = make_pipeline(IterativeImputer(max_iter=3), LinearRegression()).fit(rows, RANDOM.normal(0, 1, 80))
    found = registered(model, rows)
    requests: list[list[dict[str, Any]]] = [[{}], [{}, {}], [{"a": 1.0}], [{}, {"a": 1.0}]]
    for asked in requests:
        frame = pd.DataFrame([[record.get(name, nan) for name in "abc"] for record in asked], columns=list("abc"))
        assert [answer["value"] for answer in found.answers(*asked)] == pytest.approx(model.predict(frame))


@pytest.mark.parametrize("seed", [1, 2])
def test_neighbours_that_chance_chooses_are_refused(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = pd.DataFrame({name: random.integers(0, 6, 300) for name in "ab"})
    model = KNeighborsClassifier(5).fit(rows, random.choice(list("xyz"), 300))
    with pytest.raises(ModelRefused, match="equally far away"):
        registered(model, rows)


@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_of_hardly_any_length_are_normalized_as_the_original(norm: Any, dtype: str) -> None:
    rows = pd.DataFrame(RANDOM.normal(0, 1, (80, 2)), columns=["a", "b"]).astype(dtype)
    rows.iloc[:20] = 0.0
    model = make_pipeline(Normalizer(norm), LogisticRegression()).fit(rows, RANDOM.integers(0, 2, 80))
    tiny = [{"a": float(np.array(size, dtype)), "b": 0.0} for size in (1e-20, 2e-15, 3e-15, 1e-7, 1e-5)]
    expected = model.predict_proba(pd.DataFrame(tiny).astype(dtype))
    answers = registered(model, rows).answers(*tiny)
    assert np.allclose([list(answer["probabilities"].values()) for answer in answers], expected, atol=1e-5)


@pytest.mark.parametrize("encoder", [OneHotEncoder(handle_unknown="ignore"), OrdinalEncoder()])
def test_each_column_has_its_own_kind_of_missing_text(encoder: Any) -> None:
    random = np.random.default_rng(6)
    kinds = {"a": None, "b": nan}
    rows = pd.DataFrame(
        {
            name: pd.Series(random.choice(np.array(["x", "y", missing], object), 120), dtype=object)
            for name, missing in kinds.items()
        }
    ).assign(number=random.normal(0, 1, 120))
    rows["b"] = rows.b.where(rows.b.isin(["x", "y"]), nan)
    parts = [("a", clone(encoder), ["a"]), ("b", clone(encoder), ["b"]), ("number", "passthrough", ["number"])]
    model = make_pipeline(ColumnTransformer(parts), DecisionTreeClassifier(max_depth=6, random_state=0))
    model.fit(rows, (rows.a.isna() ^ rows.b.isna() ^ (rows.number > 0)).astype(int))
    asked = [{"number": number, **other} for number in (-1.0, 1.0) for other in ({}, {"a": "x"}, {"b": "y"})]
    frame = pd.DataFrame(
        {
            name: pd.Series([record.get(name, missing) for record in asked], dtype=object)
            for name, missing in {**kinds, "number": nan}.items()
        }
    ).astype({"number": float})
    assert registered(model, rows).labels(*asked) == [str(one) for one in model.predict(frame)]
