"""Predict by the registry's own format, `mlflow.pyfunc`, with scikit-learn behind it."""

import os
from typing import Any

import mlflow.pyfunc
import numpy as np
from fastapi import FastAPI

from benchmarks.handbuilt.iris import FOLDER_VARIABLE, ROUTE, Inputs, answer, records_of

app = FastAPI()
model = mlflow.pyfunc.load_model(os.environ[FOLDER_VARIABLE])


@app.post(ROUTE)
async def predict(body: Inputs) -> dict[str, Any]:
    """Return predictions for the records."""
    classes = model.predict(np.array([list(record.values()) for record in records_of(body)]))
    return answer([{"class_index": int(index)} for index in classes])
