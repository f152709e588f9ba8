"""What every recipe goes through: data, training, evaluation, ONNX, agreement; registering is the tracker's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sklearn.model_selection import train_test_split

from training.metrics import evaluate
from training.onnx_form import check_agreement, to_onnx
from training.recipe import Dataset, Parameters, Recipe

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """A model that is fit to be registered. onnx: `onnx.ModelProto`. example: one held-out record."""

    recipe: Recipe[Any]
    parameters: Parameters
    seed: int
    data: Dataset
    train_rows: int
    test_rows: int
    metrics: dict[str, float]
    onnx: Any
    largest_difference: float
    example: dict[str, Any]


def train(recipe: Recipe[Any], parameters: Parameters, seed: int, say: Say) -> Trained:
    """Train and check one model; nothing is written anywhere. Raises TrainingError when ONNX does not agree."""
    data = recipe.load()
    stratify = data.target if recipe.task == "classification" else None
    parts = train_test_split(
        data.features, data.target, test_size=recipe.test_share, random_state=seed, stratify=stratify
    )
    train_x, test_x, train_y, test_y = parts
    say(f"data: {len(train_x)} rows to train, {len(test_x)} held out")
    estimator = recipe.build(parameters, seed).fit(train_x, train_y)
    metrics = evaluate(recipe.task, test_y, estimator.predict(test_x))
    say("trained: " + ", ".join(f"{name} {value:.3f}" for name, value in metrics.items()))
    model = to_onnx(recipe, estimator)
    difference = check_agreement(recipe, estimator, model, test_x)
    say(f"ONNX and scikit-learn agree: largest difference {difference:.1e}")
    example = test_x.iloc[0].to_dict()
    return Trained(recipe, parameters, seed, data, len(train_x), len(test_x), metrics, model, difference, example)
