"""The API that takes training jobs, over fakes."""

from __future__ import annotations

import json
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response

from offpath.aws.job_store import JobStore
from offpath.contracts.names import RECIPES_KEY
from offpath.contracts.recipes import AnnouncedRecipe, Better, Recipes
from offpath.testing import InMemoryBucket, InMemoryQueue, RecordingTracing
from prediction_api.http.app import create_app
from prediction_api.jobs.recipe_book import RecipeBook
from prediction_api.jobs.training import Training
from tests.support.builders.api import Api

PARAMETERS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "trees": {"type": "integer", "minimum": 1, "maximum": 100, "default": 10, "description": "how many trees"},
        "rate": {"type": "number", "exclusiveMinimum": 0, "default": 0.5, "description": "how fast it learns"},
        "kind": {"enum": ["gini", "entropy"], "type": "string", "default": "gini", "description": "of splits"},
        "warm": {"type": "boolean", "default": False, "description": "whether it starts from the last one"},
        "depth": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None, "description": "the most levels"},
    },
}
METRICS: dict[str, Better] = {"validation_rmse": "lower", "validation_r2": "higher"}


def recipes() -> Recipes:
    """Return a recipe that takes files, and one that does not."""
    forest = AnnouncedRecipe(description="Trees.", parameters=PARAMETERS, metrics=METRICS, takes_data=True)
    return Recipes(recipes={"forest": forest, "own": forest.model_copy(update={"takes_data": False})})


class TrainingApi:
    """Somebody who orders trainings of the API."""

    def __init__(self, *, configured: bool = True, queue: InMemoryQueue | None = None, **settings: Any) -> None:
        self.bucket = InMemoryBucket()
        self.bucket.put(RECIPES_KEY, recipes().to_json())
        self.queue = queue or InMemoryQueue()
        self.store = JobStore(self.bucket)
        self.now = 1000.0
        book = RecipeBook(self.bucket, clock=lambda: self.now)
        training = Training(book, self.store, self.queue, self.bucket) if configured else None
        served = Api(**settings)
        self.traced = RecordingTracing()
        app = create_app(served.loader, self.traced, served.settings, training)
        self.client = TestClient(app, raise_server_exceptions=False)

    def post(self, body: Any = None, model: str = "forest") -> Response:
        content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        return self.client.post(f"/models/{model}/train", content=content)

    def wrong(self, body: Any, model: str = "forest") -> dict[str, str]:
        """Return what is wrong with a body, by field."""
        answer = self.post(body, model)
        assert answer.status_code == 422, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        return {error["field"]: error["message"] for error in answer.json()["errors"]}
