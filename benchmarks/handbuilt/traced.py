"""Trace predictions by `@mlflow.trace`, with as many spans and tags as offpath's own.

`MLFLOW_ENABLE_ASYNC_TRACE_LOGGING` says whether the export is asynchronous.
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
    """Return predictions for the records."""
    return traced(body)


@mlflow.trace(name="POST /models/{name}/predict", span_type="CHAIN")
def traced(body: Inputs) -> dict[str, Any]:
    """Answer the whole request in one span."""
    predictions = run(validate(body))
    mlflow.update_current_trace(tags={**TAGS, "prediction": predictions[0]["label"]})
    return answer(predictions, mlflow.get_active_trace_id() or "")


@mlflow.trace(name="validate", span_type="PARSER")
def validate(body: Inputs) -> list[dict[str, Any]]:
    """Make the span of the validation, which FastAPI has done by now."""
    return records_of(body)


@mlflow.trace(name="iris", span_type="TASK")
def run(records: list[dict[str, Any]]) -> list[ClassPrediction]:
    """Call the model in a span."""
    return model.predict(records)
