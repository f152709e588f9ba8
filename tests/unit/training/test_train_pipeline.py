"""A pipeline trains, from data to a model that is fit to be registered."""

from dataclasses import replace
from math import ceil
from typing import Any

import numpy as np
import onnxruntime
import pytest

from tests.support.builders.training_recipes import PARCELS
from training.callbacks import Callbacks, Report
from training.data.dataset import split
from training.metrics import evaluate
from training.onnx_artifact.agreement import TOLERANCE, check_agreement
from training.onnx_artifact.convert import check_size, to_onnx
from training.recipe import ChosenArtifact, HoldoutSet, OnnxArtifact, Parameters, Recipe, TrainingError
from training.recipes.abalone import RECIPE as ABALONE
from training.recipes.catalog import NAMES, find_recipe
from training.recipes.iris import RECIPE as IRIS
from training.recipes.iris import IrisParameters
from training.train_pipeline import Trained, train

SHELLS = ABALONE.load()


def trained(recipe: Recipe[Any], said: list[str] | None = None) -> Trained:
    lines = [] if said is None else said
    return train(recipe, recipe.parameters(), seed=7, callbacks=Callbacks(lines.append))


def holdout(estimator: Any, features: Any) -> HoldoutSet:
    probabilities = estimator.predict_proba(features) if hasattr(estimator, "predict_proba") else None
    return HoldoutSet(features, None, estimator.predict(features), probabilities)


def session(model: Any) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def test_iris_is_learnt_and_reported() -> None:
    said: list[str] = []
    result = trained(IRIS, said)
    assert (result.train_rows, result.test_rows) == (120, 30)
    assert result.metrics.keys() == result.train_metrics.keys() == {"accuracy", "precision", "recall", "f1"}
    assert min(result.metrics.values()) > 0.9
    assert list(result.figures) == ["confusion_matrix.png"]
    assert result.largest_difference <= TOLERANCE
    assert result.example.keys() == {"sepal_length", "sepal_width", "petal_length", "petal_width"}
    assert [line.split()[0] for line in said] == ["data:", "trained:", "ONNX"]


def test_iris_in_onnx_maps_a_matrix_to_labels_and_probabilities() -> None:
    model = session(trained(IRIS).artifact.onnx)
    label, probabilities = model.run(["label", "probabilities"], {"inputs": np.full((2, 4), 1.5, dtype="float32")})
    assert [(entry.name, entry.type, entry.shape[1]) for entry in model.get_inputs()] == [
        ("inputs", "tensor(float)", 4)
    ]
    assert (label.shape, label.dtype) == ((2,), np.int64)
    assert (probabilities.shape, probabilities.dtype) == ((2, 3), np.float32)


def test_separate_inputs_give_each_column_an_onnx_input() -> None:
    result = trained(PARCELS)
    model = session(result.artifact.onnx)
    assert [(entry.name, entry.type) for entry in model.get_inputs()] == [
        ("zone", "tensor(string)"),
        ("weight", "tensor(float)"),
    ]
    feeds = {"zone": np.array([["a"], ["c"]], dtype=object), "weight": np.array([[1], [2]], dtype="float32")}
    (values,) = model.run(["variable"], feeds)
    assert values.shape == (2, 1)
    assert values[1] > values[0]
    assert result.metrics.keys() == result.train_metrics.keys() == {"mse", "rmse", "mae", "r2"}
    assert result.metrics["r2"] > 0.9


def test_the_seed_makes_a_training_repeatable() -> None:
    first, second = trained(IRIS), trained(IRIS)
    other = train(IRIS, IrisParameters(), seed=8)
    assert first.artifact.onnx.SerializeToString() == second.artifact.onnx.SerializeToString()
    assert first.artifact.onnx.SerializeToString() != other.artifact.onnx.SerializeToString()


def test_the_digest_of_the_data_tells_other_data() -> None:
    data = IRIS.load()
    assert data.sha256 == IRIS.load().sha256
    assert data.sha256 != replace(data, target=1 - data.target).sha256
    assert data.sha256 != replace(data, features=data.features + 0.1).sha256
    assert data.size_bytes == len(data.features.assign(target=data.target).to_csv(index=False)) + 1


def test_files_are_taken_instead_of_the_recipes_own_data() -> None:
    data = IRIS.load()
    half = replace(data, features=data.features[::2], target=data.target[::2], synthetic=True)
    said: list[str] = []
    result = train(IRIS, IrisParameters(), 7, half, Callbacks(said.append))
    assert (result.train_rows, result.test_rows, result.data) == (60, 15, half)
    assert said[0] == "data: 60 rows to train, 15 held out (synthetic)"


def test_too_few_rows_are_refused() -> None:
    data = IRIS.load()
    few = replace(data, features=data.features[::4], target=data.target[::4], source="few.csv")
    with pytest.raises(TrainingError, match=r"few\.csv: 38 rows are too few: at least 40"):
        train(IRIS, IrisParameters(), 7, few)
    one_class = replace(data, features=data.features[:103], target=data.target[:103])
    with pytest.raises(
        TrainingError, match=r"too few rows of a class \(3 of virginica\): at least 5 of each of setosa"
    ):
        train(IRIS, IrisParameters(), 7, one_class)


def test_both_parts_have_their_share_of_rare_values() -> None:
    for seed in range(5):
        _, _, learnt, holdout = split(ABALONE, SHELLS, seed)
        oldest = SHELLS.target.quantile(0.9)
        assert (holdout > oldest).mean() == pytest.approx((learnt > oldest).mean(), abs=0.02)


@pytest.mark.parametrize("rows", [40, 99])
def test_values_that_do_not_part_in_tenths_are_split(rows: int) -> None:
    few = replace(SHELLS, features=SHELLS.features[:rows], target=SHELLS.target[:rows])
    train_x, test_x, *_ = split(ABALONE, few, 1)
    assert (len(train_x), len(test_x)) == (rows - ceil(rows / 5), ceil(rows / 5))


def test_a_model_that_is_too_large_is_refused() -> None:
    artifact = trained(IRIS).artifact
    assert artifact.bytes == len(artifact.onnx.SerializeToString())
    check_size(IRIS, artifact)
    artifact.onnx.doc_string = "x" * IRIS.max_bytes
    with pytest.raises(TrainingError, match=r"takes 10\.0 MB, over 10 MB: not registered\. Take hyperparameters that"):
        check_size(IRIS, artifact)
    check_size(replace(IRIS, max_bytes=11_000_000), artifact)


@pytest.mark.parametrize("recipe", [IRIS, PARCELS], ids=lambda recipe: recipe.name)
def test_a_model_that_onnx_does_not_agree_with_is_refused(recipe: Recipe[Any]) -> None:
    data = recipe.load()
    estimator = recipe.build(recipe.parameters(), 1).fit(data.features, data.target)
    reversed_target = data.target.to_numpy()[::-1]
    other = recipe.build(recipe.parameters(), 1).fit(data.features, reversed_target)
    with pytest.raises(TrainingError, match="not registered"):
        check_agreement(recipe, to_onnx(recipe, other), holdout(estimator, data.features))


def test_differing_probabilities_of_the_same_labels_are_refused() -> None:
    data = IRIS.load()
    rows = data.features[::50]  # the surest ones of each species
    first = IRIS.build(IrisParameters(c=1.0), 1).fit(data.features, data.target)
    second = IRIS.build(IrisParameters(c=1.1), 1).fit(data.features, data.target)
    with pytest.raises(TrainingError, match=r"differ by 0\.0"):
        check_agreement(IRIS, to_onnx(IRIS, second), holdout(first, rows))


def test_a_regression_is_compared_relative_to_its_values() -> None:
    data = PARCELS.load()
    estimator = PARCELS.build(PARCELS.parameters(), 1).fit(data.features, data.target * 1e6)
    assert check_agreement(PARCELS, to_onnx(PARCELS, estimator), holdout(estimator, data.features)) <= TOLERANCE


def test_two_labels_that_are_as_probable_may_change_places() -> None:
    data = IRIS.load()
    estimator = IRIS.build(IrisParameters(), 1).fit(data.features, data.target)
    estimator[-1].coef_[:], estimator[-1].intercept_[:] = 0, 0
    even = replace(holdout(estimator, data.features), predicted=np.full(len(data.features), 2))
    assert check_agreement(IRIS, to_onnx(IRIS, estimator), even) <= TOLERANCE


def test_a_recipe_is_judged_by_the_artifact_it_chooses() -> None:
    artifact, said = trained(IRIS).artifact, list[str]()

    def choose(_: Parameters, exact: OnnxArtifact, rows: HoldoutSet, report: Report) -> ChosenArtifact:
        report("chosen")
        return ChosenArtifact(
            artifact, 0 * rows.predicted, {"float32_bytes": float(exact.bytes)}, {"onnx.precision": "int8"}
        )

    result = trained(replace(IRIS, choose=choose), said)
    assert said[-1] == "chosen"
    assert result.artifact is artifact
    assert result.metrics["accuracy"] == pytest.approx(1 / 3)
    assert (result.more_metrics["float32_bytes"] > 0, dict(result.tags)) == (True, {"onnx.precision": "int8"})


def test_metrics_are_averaged_over_classes() -> None:
    scores = evaluate("classification", [0, 0, 0, 1], [0, 0, 1, 1])
    assert scores == pytest.approx({"accuracy": 0.75, "precision": 0.75, "recall": 5 / 6, "f1": 0.7333333})
    assert evaluate("regression", [1.0, 3.0], [1.0, 2.0]) == pytest.approx(
        {"mse": 0.5, "rmse": 0.5**0.5, "mae": 0.5, "r2": 0.5}
    )


def test_the_catalog_finds_recipes_by_name() -> None:
    assert find_recipe("iris") is IRIS
    assert [find_recipe(name).name for name in NAMES] == list(NAMES)
    with pytest.raises(TrainingError, match="no recipe 'irsi'; there is: iris, abalone, sentiment-tfidf"):
        find_recipe("irsi")
