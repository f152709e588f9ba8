"""AWS::EC2::EIP and AWS::EC2::EIPAssociation, which MiniStack's CloudFormation does not know."""

from ministack.core.responses import new_uuid
from ministack.services import ec2
from ministack.services.cloudformation import provisioners

from local.emulator.resource_types import Created, Properties, is_known, register

ADDRESS, ASSOCIATION = "AWS::EC2::EIP", "AWS::EC2::EIPAssociation"


def is_needed() -> bool:
    """Return whether one of the types is missing."""
    return not (is_known(ADDRESS) and is_known(ASSOCIATION))


def install() -> None:
    """Provide both."""
    register(ADDRESS, create=_create_address, delete=_delete_address)
    register(ASSOCIATION, create=_create_association, delete=_delete_association)


def _create_address(logical_id: str, props: Properties, stack_name: str) -> Created:  # noqa: ARG001
    allocation, address = f"eipalloc-{new_uuid().replace('-', '')[:17]}", ec2._random_ip("52.")
    ec2._addresses[allocation] = {
        "AllocationId": allocation,
        "PublicIp": address,
        "Domain": props.get("Domain", "vpc"),
        "AssociationId": None,
        "InstanceId": None,
        "NetworkInterfaceId": None,
        "PrivateIpAddress": None,
    }
    provisioners._ec2_apply_tags(allocation, props)
    return address, {"AllocationId": allocation, "PublicIp": address}


def _delete_address(physical_id: str, props: Properties) -> None:  # noqa: ARG001
    for allocation, address in list(ec2._addresses.items()):
        if address["PublicIp"] == physical_id:
            del ec2._addresses[allocation]


def _create_association(logical_id: str, props: Properties, stack_name: str) -> Created:  # noqa: ARG001
    address = ec2._addresses.get(props["AllocationId"])
    if address is None or props["InstanceId"] not in ec2._instances:
        raise ValueError(f"{logical_id}: there is no such address or instance: {dict(props)}")
    address["AssociationId"] = f"eipassoc-{new_uuid().replace('-', '')[:17]}"
    address["InstanceId"] = props["InstanceId"]
    return address["AssociationId"], {}


def _delete_association(physical_id: str, props: Properties) -> None:  # noqa: ARG001
    address = ec2._addresses.get(props["AllocationId"])
    if address is not None:
        address["AssociationId"] = address["InstanceId"] = None
