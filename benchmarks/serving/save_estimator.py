"""Save estimators in the form in which `mlflow models serve` takes them."""

from pathlib import Path
from typing import Any

import joblib  # type: ignore[import-untyped]
import mlflow.pyfunc
import mlflow.sklearn
from mlflow.models import infer_signature
from mlflow.pyfunc.model import PythonModel

from training.recipes.catalog import find_recipe

HEAD = "head.joblib"


class EncoderAndHead(PythonModel):
    """Predict by an encoder, which cannot be pickled and comes from its package, and the head that was fitted."""

    def load_context(self, context: Any) -> None:
        """Build the estimator anew, with the head from its file."""
        recipe = find_recipe("sentiment-bert")
        self._model: Any = recipe.build(recipe.parameters(), 0)
        self._model.head = joblib.load(context.artifacts["head"])

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:  # noqa: ARG002
        """Return a class index a row."""
        return self._model.predict(model_input)


def save(estimator: Any, example: Any, folder: Path) -> None:
    """Save an estimator in the scikit-learn flavor, or an encoder with a head as a model of one's own."""
    signature = infer_signature(example, estimator.predict(example))
    if hasattr(estimator, "embedder"):
        folder.parent.mkdir(exist_ok=True)
        head = folder.parent / HEAD
        joblib.dump(estimator.head, head)
        mlflow.pyfunc.save_model(
            str(folder),
            python_model=EncoderAndHead(),
            artifacts={"head": str(head)},
            signature=signature,
            pip_requirements=["scikit-learn"],
        )
        return
    mlflow.sklearn.save_model(
        estimator,
        str(folder),
        signature=signature,
        serialization_format="cloudpickle",
        pip_requirements=["scikit-learn"],
    )
