"""Tell what runs on a state folder, and where it answers."""

from collections.abc import Iterator
from dataclasses import dataclass

from local.settings import LocalSettings
from local.stack import lock
from local.stack.home import Home
from local.stack.process_file import ProcessFile
from local.stack.web import answers


@dataclass(frozen=True, slots=True)
class RunningService:
    """Name a service's process. address: empty if it has none. answers: None then."""

    name: str
    process_id: int
    address: str
    answers: bool | None


def supervisor_of(settings: LocalSettings) -> int | None:
    """Return the id of the process that runs the stack, or None if none runs."""
    return lock.holder(Home(settings.home.absolute()).lock)


def running_services(settings: LocalSettings) -> Iterator[RunningService]:
    """Yield the services that run."""
    addresses = {
        "api": f"{settings.api_url}/health",
        "mlflow": settings.mlflow_url,
        "sqs": settings.sqs_url,
        "s3": settings.s3_url,
    }
    for name, process_id in ProcessFile(Home(settings.home.absolute()).processes).alive().items():
        address = addresses.get(name, "")
        yield RunningService(name, process_id, address, answers(address) if address else None)
