"""The recipe `abalone`: how many rings a shell has, which tell its age, from sex, measures and weights."""

from typing import Any

from pydantic import Field
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from training.callbacks import ReportProgress
from training.recipe import Estimator, Frame, InputColumn, Parameters, Recipe
from training.recipes.abalone_data import MEASURES, SEXES, read, sample

TREES_A_STEP = 10


class AbaloneParameters(Parameters):
    """Hyperparameters of the random forest."""

    n_estimators: int = Field(100, ge=1, le=1_000, description="number of trees")
    max_depth: int = Field(15, ge=1, le=50, description="the most levels of a tree")
    min_samples_split: int = Field(10, ge=2, le=1_000, description="the least rows of a node that is split")
    min_samples_leaf: int = Field(5, ge=1, le=1_000, description="the least rows of a leaf")
    random_state: int = Field(42, ge=0, le=2**32 - 1, description="seed of the trees; --seed is the split's")


def build(parameters: AbaloneParameters, seed: int) -> Estimator:  # noqa: ARG001  the forest has a seed of its own
    """Return one-hot sex and the measures as they are into a random forest.

    Half of the columns are tried at each split, as the measures are alike. A sex that is none of the three becomes
    zeros, as in ONNX.
    """
    sex = OneHotEncoder(categories=[list(SEXES)], handle_unknown="ignore", sparse_output=False)
    forest = RandomForestRegressor(max_features=0.5, **parameters.model_dump())
    return make_pipeline(ColumnTransformer([("sex", sex, ["sex"])], remainder="passthrough"), forest)


def fit(estimator: Estimator, rows: Frame, target: Any, progress: ReportProgress) -> Estimator:
    """Fit some trees at a time. The forest is the same as if it were fitted at once."""
    columns, forest = estimator[0], estimator[-1]
    prepared, trees = columns.fit_transform(rows), forest.n_estimators
    forest.set_params(warm_start=True)
    for grown in [*range(TREES_A_STEP, trees, TREES_A_STEP), trees]:
        forest.set_params(n_estimators=grown).fit(prepared, target)
        progress(grown, trees)
    return estimator


RECIPE = Recipe(
    name="abalone",
    title="random forest",
    description="How many rings the shell of an abalone has, from its sex, its measures and its weights.",
    task="regression",
    columns=(
        InputColumn(name="sex", type="string", description="M, F or I (infant)"),
        *(InputColumn(name=name, type="double", description=about) for name, about in MEASURES.items()),
    ),
    parameters=AbaloneParameters,
    load=sample,
    build=build,
    separate_inputs=True,
    read=read,
    fit=fit,
    unit="rings",
)
