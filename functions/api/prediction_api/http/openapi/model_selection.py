"""What the OpenAPI document says of how a request chooses who answers it."""

from typing import Any

from prediction_api.routing.model_selector import ALIAS, MAX_SESSION_ID, SESSION_HEADER, VERSION


def _parameter(where: str, name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"in": where, "name": name, "description": description, "schema": {"type": "string", **schema}}


CHOICE = [
    _parameter("query", ALIAS, "answer by this alias, whatever its share of the traffic"),
    _parameter("query", VERSION, "answer by this version, if an alias stands for it"),
    _parameter(
        "header",
        SESSION_HEADER,
        "requests of one session are answered by the same alias, and traced as one session",
        maxLength=MAX_SESSION_ID,
    ),
]
