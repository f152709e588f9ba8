"""The emulator is reached over plain HTTP, which policies that ask for TLS refuse: requests count as if they had it.

In AWS all requests of the project come over TLS, as the SDKs make them.
"""

from ministack import app
from ministack.core import iam_evaluator

from local.emulator.replace import replace_everywhere

_former = iam_evaluator.pin_request_origin


def is_needed() -> bool:
    """Return whether a request over plain HTTP counts as one without TLS."""
    app.pin_request_origin("127.0.0.1", False)
    return not iam_evaluator._request_origin.get()[1]


def install() -> None:
    """Note TLS for every request."""
    replace_everywhere("pin_request_origin", _former, _pin)


def _pin(source_ip: str, secure_transport: bool) -> None:  # noqa: ARG001
    _former(source_ip, True)
