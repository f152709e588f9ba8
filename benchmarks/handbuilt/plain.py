"""Predictions, and nothing recorded: what the other hand-built services are compared with."""

from typing import Any

from fastapi import FastAPI

from benchmarks.handbuilt.iris import ROUTE, Inputs, answer, load, records_of

app = FastAPI()
model = load()


@app.post(ROUTE)
async def predict(body: Inputs) -> dict[str, Any]:
    """Predictions for the records."""
    return answer(model.predict(records_of(body)))
