"""Look at the processes of the local stack."""

from collections.abc import Iterator

from local.settings import LocalSettings
from local.stack.running import RunningService, running_services, supervisor_of
from offpath_cli.status.finding import Finding, State


def local_services(settings: LocalSettings) -> Iterator[Finding]:
    """Yield what is found of the stack, and of each of its services."""
    process_id, home = supervisor_of(settings), settings.home.absolute()
    if process_id is None:
        yield Finding("stack", State.attention, f"no stack is running on {home}: make up", {"process": None})
        return
    yield Finding("stack", State.well, f"running on {home} (process {process_id})", {"process": process_id})
    for service in running_services(settings):
        yield _finding(service)


def _finding(service: RunningService) -> Finding:
    said = {None: "runs", True: "answers", False: "no answer"}[service.answers]
    state = State.attention if service.answers is False else State.well
    text = f"{service.process_id} {said} {service.address}".rstrip()
    return Finding(f"{service.name} process", state, text, {"process": service.process_id, "answers": service.answers})
