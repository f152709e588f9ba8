"""An update ends a function's containers at once, in mid-invocation, too. AWS lets these answer first."""

import time
from typing import Any

from ministack.services import lambda_svc

_ACCOUNT, _FUNCTION = "0", "of no account"
_former_kill = lambda_svc._pool_kill_function


class _Container:
    """A container that notes whether it was stopped."""

    stopped = False

    def stop(self, timeout: int) -> None:  # noqa: ARG002
        self.stopped = True

    def remove(self, force: bool, v: bool) -> None:  # noqa: ARG002
        self.stopped = True


def is_needed() -> bool:
    """Return whether an update stops a container that answers an invocation, or leaves it for good afterwards."""
    container = _Container()
    entry = lambda_svc._pool_register(f"{_ACCOUNT}:region:{_FUNCTION}:zip:x", container, None)
    lambda_svc._pool_kill_function(_ACCOUNT, _FUNCTION)
    if container.stopped:
        return True
    lambda_svc._pool_release(entry)
    return not container.stopped


def install() -> None:
    """End a container that is in use once it has answered."""
    lambda_svc._pool_kill_function = _kill
    lambda_svc._pool_release = _release


def _kill(account: str, function: str) -> None:
    with lambda_svc._warm_pool_lock:
        for key, entries in lambda_svc._warm_pool.items():
            if key.split(":")[0:3:2] == [account, function]:
                for entry in entries:
                    entry["is_former"] = entry["in_use"]
                entries[:] = [entry for entry in entries if not entry["in_use"]]
    _former_kill(account, function)


def _release(entry: dict[str, Any]) -> None:
    with lambda_svc._warm_pool_lock:
        is_former = entry.get("is_former", False)
        entry |= {"in_use": is_former, "last_used": time.time()}
    if is_former:
        lambda_svc._kill_pool_entry(entry)
