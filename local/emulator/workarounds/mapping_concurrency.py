"""A number that is a parameter reaches MiniStack's event source mappings as a string, which their poller fails on."""

from typing import Any

from ministack.services import lambda_svc

from local.emulator.resource_types import Created, Properties, handlers, register

TYPE = "AWS::Lambda::EventSourceMapping"
_FORMER = handlers(TYPE)


def is_needed() -> bool:
    """Return whether a new mapping keeps a concurrency of "2" as it came."""
    made = handlers(TYPE)
    identifier, _ = made["create"]("Probe", {"FunctionName": "probe", "ScalingConfig": {"MaximumConcurrency": "2"}}, "")
    kept = lambda_svc._esms[identifier]["ScalingConfig"]["MaximumConcurrency"]
    made["delete"](identifier, {})
    return not isinstance(kept, int)


def install() -> None:
    """Make a number of it, in a new mapping and in one that changes."""
    create, update = _FORMER["create"], _FORMER["update"]

    def create_with_number(logical_id: str, props: Properties, stack_name: str) -> Created:
        created: Created = create(logical_id, _with_number(props), stack_name)
        return created

    def update_with_number(physical_id: str, old: Properties, new: Properties, *rest: Any) -> Any:
        return update(physical_id, _with_number(old), _with_number(new), *rest)

    register(TYPE, create=create_with_number, update=update_with_number)


def _with_number(props: Properties) -> Properties:
    scaling = props.get("ScalingConfig") or {}
    if "MaximumConcurrency" not in scaling:
        return props
    return {**props, "ScalingConfig": {**scaling, "MaximumConcurrency": int(scaling["MaximumConcurrency"])}}
