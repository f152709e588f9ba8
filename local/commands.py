"""What `up`, `down` and `status` do."""

import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress

from rich.console import Console
from rich.markup import escape

from local.errors import Interrupted, PartFailed, Refused
from local.settings import LocalSettings
from local.stack import lock
from local.stack.environment import part_environment
from local.stack.first_trace import Sample
from local.stack.home import Home
from local.stack.lifecycle import Stack
from local.stack.parts import Parts
from local.stack.preflight import check_ports
from local.stack.process_file import ProcessFile
from local.stack.screen import Terminal
from local.stack.signals import Interrupts
from local.stack.storage import Storage
from local.stack.supervisor import Supervisor
from local.stack.web import answers
from offpath.aws.clients import s3_client, sqs_client
from offpath.contracts.errors import Transient

DOWN_SECONDS = 120.0


def up(settings: LocalSettings, environ: Mapping[str, str], console: Console) -> int:
    """Run the stack until Ctrl-C; the exit code. Raises Refused before anything starts."""
    home = Home(settings.home.absolute())
    home.prepare()
    with lock.held(home.lock):
        screen, interrupts, processes = Terminal(console), Interrupts(), ProcessFile(home.processes)
        interrupts.install()
        for name, pid in processes.end_leftovers().items():
            screen.step(f"ended {name} (process {pid}), left over from a run that was killed")
        check_ports(settings)
        os.environ.clear()  # this process sees what the parts see: the clients below read it
        os.environ.update(part_environment(environ, settings))
        supervisor = Supervisor(home.logs, processes, screen, interrupts)
        parts = Parts(settings, home, environ)
        storage = Storage(s3_client(), sqs_client(), settings, screen)
        stack = Stack(parts, supervisor, storage, screen)
        return _run(stack, screen, interrupts, settings)


def down(settings: LocalSettings, console: Console) -> int:
    """Stop the stack of that state folder, as Ctrl-C does."""
    home = Home(settings.home.absolute())
    pid = lock.holder(home.lock)
    if pid is None:
        console.print(f"no stack is running on {home.path}", highlight=False)
        return 0
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_SECONDS
    while lock.holder(home.lock) is not None:
        if time.monotonic() > deadline:
            raise Refused(f"process {pid} is still stopping after {DOWN_SECONDS:.0f} s; its terminal says what it does")
        time.sleep(0.1)
    console.print(f"stopped the stack on {home.path} (process {pid})", highlight=False)
    return 0


def status(settings: LocalSettings, console: Console) -> int:
    """Show what runs; 0 if the stack does, else 1."""
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
    for name, part in ProcessFile(home.processes).alive().items():
        address = addresses.get(name, "")
        word = "answers" if address and answers(address) else "no answer" if address else "runs"
        console.print(f"  {name:6}  process {part:<7}  {word:9}  {address}", highlight=False)
    return 0


def _run(stack: Stack, screen: Terminal, interrupts: Interrupts, settings: LocalSettings) -> int:
    code = 0
    try:
        stack.start()
        _closing_word(stack.try_out(), screen, settings)
        stack.run()
    except Interrupted:
        screen.step("stopping: what is on its way is delivered first (Ctrl-C again hastens it)")
    except (PartFailed, Transient) as error:
        screen.trouble(str(error))
        code = 1
    finally:
        stack.stop(interrupts)
        screen.step("everything is stopped")
    return code


def _closing_word(tried: tuple[Sample, str | None] | None, screen: Terminal, settings: LocalSettings) -> None:
    links = [("API", f"{settings.api_url}/docs"), ("MLflow", settings.mlflow_url)]
    if tried and tried[1]:
        links.append(("A trace", tried[1]))
    lines = [f"[bold]{name:8}[/bold] {escape(link)}" for name, link in links]
    if tried:
        lines += ["", "[bold]Try it[/bold]", escape(tried[0].curl(settings))]
    screen.closing("offpath is running", "\n".join([*lines, "", "Ctrl-C stops everything."]))
