"""Give CloudFormation handlers of resource types: functions that create, update and delete them."""

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services.cloudformation import provisioners

Properties = Mapping[str, Any]
# The physical id, and the attributes.
Created = tuple[str, dict[str, Any]]
Create = Callable[[str, Properties, str], Created]
Delete = Callable[[str, Properties], None]
Handlers = dict[str, Callable[..., Any]]


def is_known(resource_type: str) -> bool:
    """Return whether CloudFormation can create resources of that type."""
    return resource_type in provisioners._RESOURCE_HANDLERS


def handlers(resource_type: str) -> Handlers:
    """Return a copy of the type's handlers."""
    return dict(provisioners._RESOURCE_HANDLERS[resource_type])


def register(resource_type: str, **given: Callable[..., Any]) -> None:
    """Set handlers (`create`, `update`, `delete`) of a type, beside those that it has."""
    provisioners._RESOURCE_HANDLERS[resource_type] = {**provisioners._RESOURCE_HANDLERS.get(resource_type, {}), **given}
