"""Record predictions as MLflow runs: inputs as parameters, probabilities as metrics, the rest as tags."""

from typing import Any

import mlflow
from fastapi import FastAPI

from benchmarks.handbuilt.iris import ROUTE, TAGS, Inputs, answer, load, records_of

app = FastAPI()
model = load()
mlflow.set_experiment("handbuilt-runs")


@app.post(ROUTE)
async def predict(body: Inputs) -> dict[str, Any]:
    """Return predictions for the records."""
    records = records_of(body)
    with mlflow.start_run() as run:
        predictions = model.predict(records)
        mlflow.log_params(records[0])
        mlflow.log_metrics(predictions[0]["probabilities"])
        mlflow.set_tags({**TAGS, "prediction": predictions[0]["label"]})
    return answer(predictions, run.info.run_id)
