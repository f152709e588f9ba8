"""AWS::EC2::Instance, which MiniStack's CloudFormation does not know: a record in EC2, and a machine."""

import base64
from typing import Any

from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services import ec2, iam, sts
from ministack.services.cloudformation import provisioners

from local.emulator import machine_driver
from local.emulator.resource_types import Created, Properties, is_known, register

TYPE = "AWS::EC2::Instance"
# Which of the subnet's addresses the machine gets: its name follows from it.
LAST_PART = "10"


def is_needed() -> bool:
    """Return whether the type is missing."""
    return not is_known(TYPE)


def install() -> None:
    """Provide it."""
    register(TYPE, create=_create, delete=_delete)


def _create(logical_id: str, props: Properties, stack_name: str) -> Created:  # noqa: ARG001
    data, subnet = _launch_data(logical_id, props["LaunchTemplate"]), ec2._subnets.get(props["SubnetId"])
    if subnet is None:
        raise ValueError(f"{logical_id}: there is no subnet {props['SubnetId']}")
    instance = _launch(props, data, subnet)
    identifier = instance["InstanceId"]
    provisioners._ec2_apply_tags(identifier, props)
    machine_driver.call(
        "start-machine",
        name=instance["PrivateDnsName"],
        user_data=base64.b64decode(data["UserData"]).decode(),
        environ=_credentials(data["IamInstanceProfile"]),
    )
    return identifier, {
        "PrivateDnsName": instance["PrivateDnsName"],
        "PrivateIp": instance["PrivateIpAddress"],
        "PublicIp": instance["PublicIpAddress"],
        "AvailabilityZone": subnet.get("AvailabilityZone", ""),
    }


def _delete(physical_id: str, props: Properties) -> None:  # noqa: ARG001
    instance = ec2._instances.pop(physical_id, None)
    if instance:
        machine_driver.call("remove-machine", name=instance["PrivateDnsName"])


def _launch_data(logical_id: str, specification: Properties) -> dict[str, Any]:
    """Return the data of that version of the launch template, which is its latest."""
    data, template, error = ec2._resolve_launch_template_data(specification)
    if error or template is None:
        raise ValueError(f"{logical_id}: there is no launch template {dict(specification)}")
    if str(specification.get("Version")) != str(template["LatestVersionNumber"]):
        raise ValueError(f"{logical_id}: there is no version {specification.get('Version')!r} of the launch template")
    return dict(data)


def _launch(props: Properties, data: Properties, subnet: Properties) -> dict[str, Any]:
    network = subnet["CidrBlock"].split("/")[0].rpartition(".")[0]
    [instance] = ec2._launch_instances_internal(
        data.get("ImageId", ""),
        props.get("InstanceType") or data.get("InstanceType", ""),
        props["SubnetId"],
        1,
        user_data=data.get("UserData", ""),
        sg_ids=list(data.get("SecurityGroupIds") or []),
        requested_private_ip=f"{network}.{LAST_PART}",
    )
    return dict(instance)


def _credentials(profile: Properties) -> dict[str, str]:
    """Return variables with credentials of the profile's role, which AWS serves as the instance's metadata."""
    [role] = iam._instance_profiles[profile["Arn"].rpartition("/")[2]]["Roles"]
    name = role if isinstance(role, str) else role["RoleName"]
    key, secret, token = f"ASIA{new_uuid().replace('-', '').upper()[:16]}", new_uuid(), new_uuid()
    session = {
        "Arn": f"arn:aws:sts::{get_account_id()}:assumed-role/{name}/machine",
        "UserId": f"{name}:machine",
        "SecretAccessKey": secret,
        "SessionToken": token,
    }
    sts.register_session(key, session)
    return {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": token,
        "AWS_DEFAULT_REGION": get_region(),
    }
