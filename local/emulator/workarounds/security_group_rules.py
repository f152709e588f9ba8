"""AWS::EC2::SecurityGroupIngress and -Egress, which MiniStack's CloudFormation does not know."""

from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import ec2
from ministack.services.cloudformation import provisioners

from local.emulator.resource_types import Create, Created, Delete, Properties, is_known, register

# The type, and where a security group keeps such rules.
TYPES = {"AWS::EC2::SecurityGroupIngress": "IpPermissions", "AWS::EC2::SecurityGroupEgress": "IpPermissionsEgress"}


def is_needed() -> bool:
    """Return whether one of the types is missing."""
    return not all(map(is_known, TYPES))


def install() -> None:
    """Provide both."""
    for resource_type, key in TYPES.items():
        register(resource_type, create=_create(key), delete=_delete(key))


def _create(key: str) -> Create:
    def create(logical_id: str, props: Properties, stack_name: str) -> Created:  # noqa: ARG001
        group = _group(logical_id, props["GroupId"])
        other = props.get("SourceSecurityGroupId") or props.get("DestinationSecurityGroupId")
        if other:
            _group(logical_id, other)
        permission = _permission(props)
        if permission in group[key]:
            raise ValueError(f"{logical_id}: InvalidPermission.Duplicate")
        group[key].append(permission)
        return f"sgr-{new_uuid().replace('-', '')[:17]}", {}

    return create


def _delete(key: str) -> Delete:
    def delete(physical_id: str, props: Properties) -> None:  # noqa: ARG001
        group = ec2._security_groups.get(props["GroupId"])
        if group and _permission(props) in group[key]:
            group[key].remove(_permission(props))

    return delete


def _group(logical_id: str, group_id: str) -> dict[str, Any]:
    group: dict[str, Any] | None = ec2._security_groups.get(group_id)
    if group is None:
        raise ValueError(f"{logical_id}: there is no security group {group_id}")
    return group


def _permission(props: Properties) -> Any:
    [permission] = provisioners._ec2_sg_permissions([props])
    return permission
