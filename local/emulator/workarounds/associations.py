"""AWS::SSM::Association, which MiniStack's CloudFormation does not know: the driver runs its commands."""

from ministack.core.responses import new_uuid
from ministack.services import ec2

from local.emulator import machine_driver
from local.emulator.resource_types import Created, Properties, is_known, register

TYPE = "AWS::SSM::Association"


def is_needed() -> bool:
    """Return whether the type is missing."""
    return not is_known(TYPE)


def install() -> None:
    """Provide it."""
    register(TYPE, create=_create, update=_update, delete=_delete)


def _create(logical_id: str, props: Properties, stack_name: str) -> Created:  # noqa: ARG001
    _run(logical_id, props)
    identifier = new_uuid()
    return identifier, {"AssociationId": identifier}


def _update(
    physical_id: str,
    old_props: Properties,
    new_props: Properties,
    stack_name: str,  # noqa: ARG001
    logical_id: str = TYPE,
) -> Created:
    if new_props != old_props:
        _run(logical_id, new_props)
    return physical_id, {"AssociationId": physical_id}


def _delete(physical_id: str, props: Properties) -> None:
    """Nothing is left on the machine by an association itself."""


def _run(logical_id: str, props: Properties) -> None:
    [target] = props["Targets"]
    [identifier] = target["Values"]
    if target["Key"] != "InstanceIds" or identifier not in ec2._instances:
        raise ValueError(f"{logical_id}: there is no such instance: {target}")
    if any(not isinstance(value, list) for value in props["Parameters"].values()):
        raise ValueError(f"{logical_id}: each parameter is a list of strings")
    name = ec2._instances[identifier]["PrivateDnsName"]
    machine_driver.call("set-up", name=name, commands="\n".join(props["Parameters"]["commands"]))
