"""Predict, and record nothing: the other hand-built services are compared with this one."""

from typing import Any

from fastapi import FastAPI

from benchmarks.handbuilt.iris import ROUTE, Inputs, answer, load, records_of

app = FastAPI()
model = load()


@app.post(ROUTE)
async def predict(body: Inputs) -> dict[str, Any]:
    """Return predictions for the records."""
    return answer(model.predict(records_of(body)))
