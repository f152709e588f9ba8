"""Run the commands `up`, `down` and `status` of the local stack."""

import os
import signal
from collections.abc import Mapping
from contextlib import suppress

from rich.console import Console
from rich.markup import escape

from local.errors import CommandRefused, Interrupted, ServiceFailed
from local.settings import LocalSettings
from local.stack import lock
from local.stack.environment import service_environment
from local.stack.first_prediction import FirstRequest
from local.stack.home import Home
from local.stack.last_resort import LastResort
from local.stack.lifecycle import Stack
from local.stack.preflight import check_ports
from local.stack.process_file import ProcessFile
from local.stack.screen import Terminal
from local.stack.services import Services
from local.stack.signals import Interrupts
from local.stack.storage import Storage
from local.stack.supervisor import Supervisor
from local.stack.web import answers
from offpath.aws.clients import s3_client, sqs_client
from offpath.contracts.errors import Transient
from offpath.retry import attempts, every

DOWN_SECONDS = 120.0
PAUSE_SECONDS = 0.1


def up(settings: LocalSettings, environ: Mapping[str, str], console: Console) -> int:
    """Run the stack until Ctrl-C, and return the exit code. Raises CommandRefused before anything starts."""
    home = Home(settings.home.absolute())
    home.prepare()
    with lock.held(home.lock):
        screen, interrupts, process_file = Terminal(console), Interrupts(), ProcessFile(home.processes)
        interrupts.install()
        for name, pid in process_file.end_leftovers().items():
            screen.step(f"ended {name} (process {pid}), left over from a run that was killed")
        check_ports(settings)
        os.environ.clear()  # this process sees what the services see: the clients below read it
        os.environ.update(service_environment(environ, settings))
        supervisor = Supervisor(home.logs, process_file, screen, interrupts, LastResort(home.last_resort))
        storage = Storage(s3_client(), sqs_client(), settings, screen)
        stack = Stack(Services(settings, home, environ), supervisor, storage, screen)
        return _run(stack, screen, settings)


def down(settings: LocalSettings, console: Console) -> int:
    """Stop the stack of that state folder, as Ctrl-C does, and return the exit code."""
    home = Home(settings.home.absolute())
    pid = lock.holder(home.lock)
    if pid is None:
        console.print(f"no stack is running on {home.path}", highlight=False)
        return 0
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    for _ in attempts(every(PAUSE_SECONDS, budget_seconds=DOWN_SECONDS)):
        if lock.holder(home.lock) is None:
            console.print(f"stopped the stack on {home.path} (process {pid})", highlight=False)
            return 0
    raise CommandRefused(f"process {pid} is still stopping after {DOWN_SECONDS:.0f} s; its terminal says what it does")


def status(settings: LocalSettings, console: Console) -> int:
    """Show what runs, and return the exit code: 0 if the stack runs, else 1."""
    home = Home(settings.home.absolute())
    pid = lock.holder(home.lock)
    if pid is None:
        console.print(f"no stack is running on {home.path}", highlight=False)
        return 1
    console.print(f"running on {home.path} (process {pid})", highlight=False)
    addresses = {
        "api": f"{settings.api_url}/health",
        "mlflow": settings.mlflow_url,
        "sqs": settings.sqs_url,
        "s3": settings.s3_url,
    }
    for name, process_id in ProcessFile(home.processes).alive().items():
        address = addresses.get(name, "")
        state = _state_of(address)
        console.print(f"  {name:6}  process {process_id:<7}  {state:9}  {address}", highlight=False)
    return 0


def _state_of(address: str) -> str:
    if not address:
        return "runs"
    return "answers" if answers(address) else "no answer"


def _run(stack: Stack, screen: Terminal, settings: LocalSettings) -> int:
    code = 0
    try:
        stack.start()
        _show_addresses(stack.send_first_prediction(), screen, settings)
        stack.run()
    except Interrupted:
        screen.step("stopping: what is on its way is delivered first (Ctrl-C again hastens it)")
    except (ServiceFailed, Transient) as error:
        screen.problem(str(error))
        code = 1
    finally:
        stack.stop()
        screen.step("everything is stopped")
    return code


def _show_addresses(
    predicted: tuple[FirstRequest, str | None] | None, screen: Terminal, settings: LocalSettings
) -> None:
    links = [("API", f"{settings.api_url}/docs"), ("MLflow", settings.mlflow_url)]
    if predicted and predicted[1]:
        links.append(("A trace", predicted[1]))
    lines = [f"[bold]{name:8}[/bold] {escape(link)}" for name, link in links]
    if predicted:
        lines += ["", "[bold]Try it[/bold]", escape(predicted[0].curl(settings))]
    screen.summary("offpath is running", "\n".join([*lines, "", "Ctrl-C stops everything."]))
