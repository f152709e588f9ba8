"""A number that is a parameter reaches MiniStack's event source mappings as a string, which it refuses."""

from typing import Any

from ministack.services import lambda_svc

QUEUE = "arn:aws:sqs:us-east-1:000000000000:queue"
_former = lambda_svc._validate_scaling_config


def is_needed() -> bool:
    """Return whether a concurrency of "2" is an error."""
    return lambda_svc._validate_scaling_config({"ScalingConfig": {"MaximumConcurrency": "2"}}, QUEUE) is not None


def install() -> None:
    """Make a number of it before it is looked at: in the document itself, which is what is kept."""
    lambda_svc._validate_scaling_config = _validate


def _validate(data: dict[str, Any], source: str) -> Any:
    scaling = data.get("ScalingConfig") or {}
    if isinstance(scaling.get("MaximumConcurrency"), str):
        data["ScalingConfig"] = {**scaling, "MaximumConcurrency": int(scaling["MaximumConcurrency"])}
    return _former(data, source)
