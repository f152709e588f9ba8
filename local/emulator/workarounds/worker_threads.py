"""MiniStack provisions on its event loop, but a machine that is set up calls the emulator, which could not answer then.

It moves types whose provisioning blocks to worker threads; these are such types, too.
"""

from ministack.services.cloudformation import stacks

SLOW = frozenset({"AWS::EC2::Instance", "AWS::RDS::DBInstance", "AWS::SSM::Association"})
_former = stacks._runs_on_worker_thread


def is_needed() -> bool:
    """Return whether one of the types is provisioned on the event loop."""
    return not all(map(stacks._runs_on_worker_thread, SLOW))


def install() -> None:
    """Provision them on worker threads."""
    stacks._runs_on_worker_thread = _blocks


def _blocks(resource_type: str) -> bool:
    return resource_type in SLOW or bool(_former(resource_type))
