"""AWS::RDS::DBInstance, which in MiniStack's CloudFormation is a record without a database: the driver makes one."""

from typing import Any

from ministack.services import rds

from local.emulator import machine_driver
from local.emulator.resource_types import Created, Properties, handlers, register

TYPE = "AWS::RDS::DBInstance"
# What MiniStack says of its own handler.
ADMISSION = "does NOT spawn the Docker DB"
_FORMER = handlers(TYPE)


def is_needed() -> bool:
    """Return whether the type's handler makes no database."""
    return ADMISSION in (handlers(TYPE)["create"].__doc__ or "")


def install() -> None:
    """Let the driver make the database of a record, and remove it."""
    register(TYPE, create=_create, delete=_delete)


def _create(logical_id: str, props: Properties, stack_name: str) -> Created:
    physical_id, attributes = _FORMER["create"](logical_id, props, stack_name)
    endpoint = rds._instances[physical_id]["Endpoint"]
    machine_driver.call(
        "create-database",
        host=endpoint["Address"],
        engine=props["Engine"],
        username=props["MasterUsername"],
        password=props["MasterUserPassword"],
        database=props["DBName"],
    )
    return physical_id, attributes


def _delete(physical_id: str, props: Properties) -> Any:
    host = rds._instances[physical_id]["Endpoint"]["Address"] if physical_id in rds._instances else ""
    if host:
        machine_driver.call("remove-database", host=host)
    return _FORMER["delete"](physical_id, props)
