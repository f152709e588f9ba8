"""In AWS a secret's Ref is its ARN. MiniStack gives its name, which is in no policy's Resource."""

from typing import Any

from ministack.services import secretsmanager

from local.emulator.resource_types import Created, Properties, handlers, register

TYPE = "AWS::SecretsManager::Secret"
_FORMER = handlers(TYPE)


def is_needed() -> bool:
    """Return whether a new secret's physical id is no ARN."""
    made = handlers(TYPE)
    physical_id, attributes = made["create"]("Probe", {"Name": "probe", "SecretString": "1"}, "probe")
    made["delete"](physical_id, {})
    if secretsmanager._secrets.pop("probe", None):
        raise AssertionError("a secret that was deleted by its physical id is still there")
    return bool(physical_id != attributes["Arn"])


def install() -> None:
    """Give the ARN, and take it back."""
    create, update, delete = _FORMER["create"], _FORMER["update"], _FORMER["delete"]

    def create_by_arn(logical_id: str, props: Properties, stack_name: str) -> Created:
        _, attributes = create(logical_id, props, stack_name)
        return attributes["Arn"], attributes

    def update_by_arn(physical_id: str, *rest: Any, **more: Any) -> Any:
        answer = update(_name(physical_id), *rest, **more)
        attributes = answer[1] if isinstance(answer, tuple) else {}
        return (attributes.get("Arn", physical_id), attributes) if isinstance(answer, tuple) else answer

    def delete_by_arn(physical_id: str, props: Properties) -> Any:
        return delete(_name(physical_id), props)

    register(TYPE, create=create_by_arn, update=update_by_arn, delete=delete_by_arn)


def _name(arn: str) -> str:
    """Return the name in an ARN, which has six more letters at its end; a name stays as it is."""
    return arn.rpartition(":")[2].rpartition("-")[0] if arn.startswith("arn:") else arn
