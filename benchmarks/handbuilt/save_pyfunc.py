"""Save the iris model in MLflow's own format: `python -m benchmarks.handbuilt.save_pyfunc FOLDER`."""

import sys
from pathlib import Path

import mlflow.sklearn
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression


def main(folder: Path) -> None:
    """Train the model, and save it."""
    model = LogisticRegression(max_iter=1000).fit(*load_iris(return_X_y=True))
    mlflow.sklearn.save_model(model, folder, pip_requirements=[])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
