"""Starts parts, waits until they are ready, keeps them running, and stops them."""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from local.errors import PartFailed
from local.stack.process import Child, Part
from local.stack.process_file import ProcessFile
from local.stack.screen import Screen
from local.stack.signals import Interrupts

TICK_SECONDS = 0.1
HASTE_SECONDS = 3.0
RESTART_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
STEADY_SECONDS = 60.0


class Supervisor:
    """The running parts of one stack."""

    def __init__(self, logs: Path, on_file: ProcessFile, screen: Screen, interrupts: Interrupts) -> None:
        self._logs = logs
        self._on_file = on_file
        self._screen = screen
        self._interrupts = interrupts
        self._children: dict[str, Child] = {}
        self._ready: set[str] = set()
        self._restarts: dict[str, tuple[int, float]] = {}

    def start(self, *parts: Part) -> None:
        """Start these; each gets a new log, and the last run's is kept beside it."""
        for part in parts:
            log = self._logs / f"{part.name}.log"
            if log.exists():
                log.replace(self._logs / f"{part.name}.previous.log")
            self._spawn(part)

    def wait_ready(self, *names: str, seconds: float) -> None:
        """Return once these are ready. Raises PartFailed when one ends or takes longer, Interrupted on Ctrl-C."""
        deadline = time.monotonic() + seconds
        while pending := [name for name in names if name not in self._ready]:
            self._tick()
            if time.monotonic() > deadline:
                raise PartFailed(pending[0], f"{pending[0]} is not ready after {seconds:.0f} s")
        self._screen.waiting([])

    def wait_until(self, condition: Callable[[], bool], what: str, seconds: float) -> bool:
        """Whether the condition came true in time; every part is watched meanwhile."""
        began = time.monotonic()
        while not (true := condition()) and time.monotonic() - began < seconds:
            self._screen.waiting([f"{what} {time.monotonic() - began:.0f} s"])
            self._tick()
        self._screen.waiting([])
        return true

    def watch(self) -> None:
        """Start again what ends by itself. Raises Interrupted on Ctrl-C, PartFailed for what cannot be restarted."""
        while True:
            self._tick(restart=True)

    def runs(self, name: str) -> bool:
        """Whether that part was ready, and is alive."""
        return name in self._ready and name in self._children and self._children[name].exit_code is None

    def stop(self, *names: str) -> None:
        """Stop these together; a Ctrl-C meanwhile gives them only seconds more."""
        children = [self._children.pop(name) for name in names if name in self._children]
        asked = self._interrupts.count
        for child in children:
            child.terminate()
        deadlines = {child.pid: time.monotonic() + child.part.grace_seconds for child in children}
        while running := [child for child in children if child.exit_code is None]:
            self._screen.waiting([f"stopping {child.part.name}" for child in running])
            if self._interrupts.count > asked:
                asked = self._interrupts.count
                self._hasten(running, deadlines)
            self._kill(child for child in running if time.monotonic() > deadlines[child.pid])
            time.sleep(TICK_SECONDS)
        self._kill(children)  # and what they left in their process groups
        self._screen.waiting([])
        self._note()

    def stop_all(self) -> None:
        """Stop whatever is still there."""
        self.stop(*list(self._children))

    def _spawn(self, part: Part) -> None:
        self._children[part.name] = Child(part, self._logs / f"{part.name}.log", self._screen.line)
        self._note()

    def _note(self) -> None:
        self._on_file.write({name: child.pid for name, child in self._children.items()})

    def _tick(self, restart: bool = False) -> None:
        self._interrupts.check()
        for child in list(self._children.values()):
            self._look_at(child, restart)
        time.sleep(TICK_SECONDS)

    def _look_at(self, child: Child, restart: bool) -> None:
        name = child.part.name
        if child.exit_code is not None:
            self._ended(child, restart)
        elif name not in self._ready and child.is_ready():
            self._is_ready(child)
        pending = [other for other in self._children.values() if other.part.name not in self._ready]
        if pending:
            self._screen.waiting([f"{other.part.name} {other.seconds:.0f} s" for other in pending])

    def _ended(self, child: Child, restart: bool) -> None:
        name, code = child.part.name, child.exit_code
        if child.part.is_task and code == 0:
            child.kill()  # what it left; its log is whole then
            self._is_ready(child)
            del self._children[name]
        elif restart and child.part.restarts:
            self._start_again(child)
        else:
            child.kill()
            raise PartFailed(name, _obituary(name, code, child.tail(), self._logs))

    def _is_ready(self, child: Child) -> None:
        self._ready.add(child.part.name)
        word = "done" if child.part.is_task else "ready"
        self._screen.ready(child.part.name, f"{word:5} in {child.seconds:4.1f} s  {child.part.address}".rstrip())

    def _start_again(self, child: Child) -> None:
        name = child.part.name
        tried, due = self._restarts.get(name, (0, 0.0))
        if not due:
            tried = 0 if child.seconds > STEADY_SECONDS else tried
            pause = RESTART_SECONDS[min(tried, len(RESTART_SECONDS) - 1)]
            self._restarts[name] = (tried + 1, time.monotonic() + pause)
            self._screen.trouble(
                f"{name} ended by itself (exit code {child.exit_code}); it starts again in {pause:.0f} s"
            )
        elif time.monotonic() >= due:
            child.kill()
            self._restarts[name] = (tried, 0.0)
            self._ready.discard(name)
            self._spawn(child.part)

    def _hasten(self, running: Sequence[Child], deadlines: dict[int, float]) -> None:
        for child in running:
            child.terminate()
            deadlines[child.pid] = min(deadlines[child.pid], time.monotonic() + HASTE_SECONDS)

    def _kill(self, children: Iterable[Child]) -> None:
        for child in children:
            child.kill()


def _obituary(name: str, code: int | None, tail: Sequence[str], logs: Path) -> str:
    lines = "\n".join(f"  {line}" for line in tail) or "  (it wrote nothing)"
    return f"{name} ended with exit code {code}. Its last lines, of {logs / name}.log:\n{lines}"
