"""The recipe `iris`: the species of a flower from four measurements."""

from pydantic import Field
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from training.recipe import Dataset, Estimator, InputColumn, Parameters, Recipe


class IrisParameters(Parameters):
    """Hyperparameters of the logistic regression."""

    c: float = Field(1.0, gt=0, description="inverse of the regularisation's strength")
    max_iter: int = Field(200, ge=1, le=10_000, description="limit of the solver's iterations")


def load() -> Dataset:
    """Return scikit-learn's own copy of the data: 150 flowers, 50 of each species."""
    data = load_iris(as_frame=True)
    features = data.data.set_axis(RECIPE.column_names, axis="columns")
    return Dataset(features, data.target, source="sklearn.datasets.load_iris")


def build(parameters: IrisParameters, seed: int) -> Estimator:
    """Return standardised measurements into a multinomial logistic regression."""
    model = LogisticRegression(C=parameters.c, max_iter=parameters.max_iter, random_state=seed)
    return make_pipeline(StandardScaler(), model)


RECIPE = Recipe(
    name="iris",
    title="logistic regression",
    description="The species of an iris (setosa, versicolor or virginica) from the measures of one flower.",
    task="classification",
    columns=(
        InputColumn(name="sepal_length", type="double", description="length of the sepal in cm"),
        InputColumn(name="sepal_width", type="double", description="width of the sepal in cm"),
        InputColumn(name="petal_length", type="double", description="length of the petal in cm"),
        InputColumn(name="petal_width", type="double", description="width of the petal in cm"),
    ),
    labels=("setosa", "versicolor", "virginica"),
    parameters=IrisParameters,
    load=load,
    build=build,
)
