"""Predictions traced by `@mlflow.trace`: as many spans and tags as offpath's own.

Whether the export is asynchronous is for `MLFLOW_ENABLE_ASYNC_TRACE_LOGGING` to say.
"""

from typing import Any

import mlflow
from fastapi import FastAPI

from benchmarks.handbuilt.iris import ROUTE, TAGS, Inputs, answer, load, records_of
from prediction_api.format_predictions import ClassPrediction

app = FastAPI()
model = load()
mlflow.set_experiment("handbuilt-traces")


@app.post(ROUTE)
async def predict(body: Inputs) -> dict[str, Any]:
    """Predictions for the records."""
    return traced(body)


@mlflow.trace(name="POST /models/{name}/predict", span_type="CHAIN")
def traced(body: Inputs) -> dict[str, Any]:
    """The whole request."""
    predictions = run(validate(body))
    mlflow.update_current_trace(tags={**TAGS, "prediction": predictions[0]["label"]})
    return answer(predictions, mlflow.get_active_trace_id() or "")


@mlflow.trace(name="validate", span_type="PARSER")
def validate(body: Inputs) -> list[dict[str, Any]]:
    """FastAPI has validated by now: this is the span alone."""
    return records_of(body)


@mlflow.trace(name="iris", span_type="TASK")
def run(records: list[dict[str, Any]]) -> list[ClassPrediction]:
    """The model call."""
    return model.predict(records)
