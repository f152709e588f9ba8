"""GetLayerVersionByArn is, in IAM, lambda:GetLayerVersion on that version. MiniStack takes it for ListLayers on all."""

from collections.abc import Mapping
from typing import Any

from ministack.core import iam_actions

ACTION = "lambda:GetLayerVersion"
ARN = "arn:aws:lambda:us-east-1:000000000000:layer:files:1"


def is_needed() -> bool:
    """Return whether the request's action or resource is another one."""
    query = {"find": ["LayerVersion"], "Arn": [ARN]}
    request: tuple[Any, ...] = ("lambda", "GET", "/2018-10-31/layers", {}, b"", query)
    action = iam_actions.extract_iam_action(*request)
    resource = iam_actions.extract_resource_arn(*request, "us-east-1", "000000000000")
    return bool((action, resource) != (ACTION, ARN))


def install() -> None:
    """Name both as AWS does."""
    former_action, former_resource = iam_actions.extract_iam_action, iam_actions.extract_resource_arn

    def action(service: str, method: str, path: str, *rest: Any) -> Any:
        return ACTION if _version(service, path, rest[2]) else former_action(service, method, path, *rest)

    def resource_arn(service: str, method: str, path: str, *rest: Any) -> Any:
        return _version(service, path, rest[2]) or former_resource(service, method, path, *rest)

    iam_actions.extract_iam_action, iam_actions.extract_resource_arn = action, resource_arn


def _version(service: str, path: str, query: Mapping[str, Any] | None) -> str | None:
    """Return the ARN that the request asks for, if it is this one."""
    asked = {name: value[0] if isinstance(value, list) else value for name, value in (query or {}).items()}
    is_by_arn = service == "lambda" and path.rstrip("/").endswith("/layers") and asked.get("find") == "LayerVersion"
    return asked.get("Arn") if is_by_arn else None
