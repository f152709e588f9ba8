"""`python -m benchmarks.handbuilt.save_pyfunc FOLDER`: the iris model as MLflow's own format keeps it."""

import sys
from pathlib import Path

import mlflow.sklearn
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression


def main(folder: Path) -> None:
    """Train and save."""
    model = LogisticRegression(max_iter=1000).fit(*load_iris(return_X_y=True))
    mlflow.sklearn.save_model(model, folder, pip_requirements=[])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
