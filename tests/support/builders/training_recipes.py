"""A small recipe that differs from iris: a regression on columns of several types."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from training.recipe import Dataset, Estimator, InputColumn, Parameters, Recipe


class RidgeParameters(Parameters):
    """Hyperparameters of the regression."""

    alpha: float = Field(1.0, ge=0, description="strength of the regularisation")


def load() -> Dataset:
    """Return 40 parcels, whose price follows from weight and zone."""
    frame = load_iris(as_frame=True).frame.head(40)
    zones, weights = ["abca"[row % 4] for row in range(40)], [row / 8 for row in range(40)]
    prices = [weight * 2 + "abc".index(zone) * 5 for zone, weight in zip(zones, weights, strict=True)]
    frame = frame.assign(zone=zones, weight=weights, price=prices)  # a data frame, without an import of pandas
    return Dataset(frame[["zone", "weight"]], frame["price"], source="made up")


def build(parameters: RidgeParameters, seed: int) -> Estimator:
    """Return one-hot zones and standardised weights into a ridge regression."""
    columns = ColumnTransformer([("zone", OneHotEncoder(), ["zone"]), ("weight", StandardScaler(), ["weight"])])
    return make_pipeline(columns, Ridge(alpha=parameters.alpha, random_state=seed))


PARCELS: Recipe[Any] = Recipe(
    name="parcels",
    title="ridge regression",
    description="The price of a parcel.",
    task="regression",
    columns=(
        InputColumn(name="zone", type="string", description="a, b or c"),
        InputColumn(name="weight", type="double", description="weight in kg"),
    ),
    parameters=RidgeParameters,
    load=load,
    build=build,
    separate_inputs=True,
)
