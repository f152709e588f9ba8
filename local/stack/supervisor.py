"""Start services, wait until they are ready, keep them running, and stop them."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from local.errors import ServiceFailed
from local.stack.last_resort import LastResort
from local.stack.process_file import ProcessFile
from local.stack.screen import Screen
from local.stack.service import Service, ServiceProcess, start_service
from local.stack.signals import Interrupts
from offpath.retry import Backoff

TICK_SECONDS = 0.1
# The service whose log holds what neither queue nor S3 took.
LAST_RESORT = "api"
HASTE_SECONDS = 3.0
# Of a service that ends by itself again and again.
RESTARTS = Backoff(first_seconds=1.0, longest_seconds=30.0)
STEADY_SECONDS = 60.0


class Supervisor:
    """Keep the running services of one stack."""

    def __init__(
        self, logs: Path, process_file: ProcessFile, screen: Screen, interrupts: Interrupts, last_resort: LastResort
    ) -> None:
        self._logs = logs
        self._process_file = process_file
        self._screen = screen
        self._interrupts = interrupts
        self._last_resort = last_resort
        self._processes: dict[str, ServiceProcess] = {}
        self._ready: set[str] = set()
        self._pauses: dict[str, Iterator[float]] = {}
        self._restart_at: dict[str, float] = {}

    def start(self, *services: Service) -> None:
        """Start these; each gets a new log, and the last run's is kept beside it."""
        for service in services:
            log = self._log_of(service)
            if log.exists():
                log.replace(self._logs / f"{service.name}.previous.log")
            self._spawn(service)

    def wait_ready(self, *names: str, seconds: float) -> None:
        """Return once these are ready. Raises ServiceFailed when one ends or takes longer, Interrupted on Ctrl-C."""
        deadline = time.monotonic() + seconds
        while pending := [name for name in names if name not in self._ready]:
            self._tick()
            if time.monotonic() > deadline:
                raise ServiceFailed(pending[0], f"{pending[0]} is not ready after {seconds:.0f} s")
        self._screen.waiting([])

    def wait_until(self, condition: Callable[[], bool], subject: str, seconds: float) -> bool:
        """Return whether the condition came true in time; every service is watched meanwhile.

        subject: the name of what is awaited, for the screen.
        """
        began = time.monotonic()
        while not (is_true := condition()) and time.monotonic() - began < seconds:
            self._screen.waiting([f"{subject} {time.monotonic() - began:.0f} s"])
            self._tick()
        self._screen.waiting([])
        return is_true

    def watch(self) -> None:
        """Start again what ends by itself. Raises Interrupted on Ctrl-C, ServiceFailed for what cannot be restarted."""
        while True:
            self._tick(restart=True)

    def runs(self, name: str) -> bool:
        """Return whether that service was ready, and is alive."""
        return name in self._ready and name in self._processes and self._processes[name].exit_code is None

    def stop(self, *names: str) -> None:
        """Stop these together; a Ctrl-C meanwhile gives them only seconds more."""
        processes = [self._processes.pop(name) for name in names if name in self._processes]
        asked = self._interrupts.count
        for process in processes:
            process.terminate()
        deadlines = {process.pid: time.monotonic() + process.service.grace_seconds for process in processes}
        while running := [process for process in processes if process.exit_code is None]:
            self._screen.waiting([f"stopping {process.service.name}" for process in running])
            if self._interrupts.count > asked:
                asked = self._interrupts.count
                self._hasten(running, deadlines)
            self._kill(process for process in running if time.monotonic() > deadlines[process.pid])
            time.sleep(TICK_SECONDS)
        self._kill(processes)  # and what they left in their process groups
        self._screen.waiting([])
        self._list_processes()

    def stop_all(self) -> None:
        """Stop whatever is still there."""
        self.stop(*list(self._processes))
        if left := self._last_resort.retry():
            self._screen.problem(f"{left} line(s) of the API's log hold events, and could not be kept")

    def _spawn(self, service: Service) -> None:
        self._processes[service.name] = start_service(service, self._log_of(service), self._line)
        self._list_processes()

    def _line(self, name: str, line: str) -> None:
        self._screen.line(name, line)
        if name == LAST_RESORT:
            self._last_resort.take(line)

    def _log_of(self, service: Service) -> Path:
        return self._logs / f"{service.name}.log"

    def _list_processes(self) -> None:
        self._process_file.write({name: process.pid for name, process in self._processes.items()})

    def _tick(self, restart: bool = False) -> None:
        self._interrupts.check()
        for process in list(self._processes.values()):
            self._look_at(process, restart)
        time.sleep(TICK_SECONDS)

    def _look_at(self, process: ServiceProcess, restart: bool) -> None:
        name = process.service.name
        if process.exit_code is not None:
            self._ended(process, restart)
        elif name not in self._ready and process.is_ready():
            self._is_ready(process)
        pending = [other for other in self._processes.values() if other.service.name not in self._ready]
        if pending:
            self._screen.waiting([f"{other.service.name} {other.seconds:.0f} s" for other in pending])

    def _ended(self, process: ServiceProcess, restart: bool) -> None:
        service, code = process.service, process.exit_code
        if service.is_task and code == 0:
            process.kill()  # and what it left; its log is whole then
            self._is_ready(process)
            del self._processes[service.name]
        elif restart and service.restarts:
            self._start_again(process)
        else:
            process.kill()
            raise ServiceFailed(service.name, describe_exit(process, self._log_of(service)))

    def _is_ready(self, process: ServiceProcess) -> None:
        service = process.service
        self._ready.add(service.name)
        state = "done" if service.is_task else "ready"
        self._screen.ready(service.name, f"{state:5} in {process.seconds:4.1f} s  {service.address}".rstrip())

    def _start_again(self, process: ServiceProcess) -> None:
        name = process.service.name
        if name not in self._restart_at:
            pause = next(self._restart_pauses(process))
            self._restart_at[name] = time.monotonic() + pause
            self._screen.problem(
                f"{name} ended by itself (exit code {process.exit_code}); it starts again in {pause:.0f} s"
            )
        elif time.monotonic() >= self._restart_at[name]:
            process.kill()
            del self._restart_at[name]
            self._ready.discard(name)
            self._spawn(process.service)

    def _restart_pauses(self, process: ServiceProcess) -> Iterator[float]:
        """Return the pauses of the service, from the first one on if it ran for long."""
        name = process.service.name
        if name not in self._pauses or process.seconds > STEADY_SECONDS:
            self._pauses[name] = RESTARTS.pauses()
        return self._pauses[name]

    def _hasten(self, running: Sequence[ServiceProcess], deadlines: dict[int, float]) -> None:
        for process in running:
            process.terminate()
            deadlines[process.pid] = min(deadlines[process.pid], time.monotonic() + HASTE_SECONDS)

    def _kill(self, processes: Iterable[ServiceProcess]) -> None:
        for process in processes:
            process.kill()


def describe_exit(process: ServiceProcess, log: Path) -> str:
    """Return a message with the exit code of a process that has ended, and the last lines that it wrote."""
    lines = "\n".join(f"  {line}" for line in process.tail()) or "  (it wrote nothing)"
    return f"{process.service.name} ended with exit code {process.exit_code}. Its last lines, of {log}:\n{lines}"
