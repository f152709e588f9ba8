"""Run services as real processes: they start, are watched and end."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from local.errors import Interrupted, ServiceFailed
from local.stack.last_resort import LastResort
from local.stack.process_file import ProcessFile
from local.stack.service import Service, start_service, start_time
from local.stack.signals import Interrupts
from local.stack.supervisor import Supervisor
from offpath.contracts import spilled
from offpath.contracts.message import Message
from tests.support.fakes.local import FakeScreen
from tests.support.servers.stack import await_end
from tests.support.waiting import wait_for

SLEEP = "import time; print('at work', flush=True); time.sleep(600)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP


class Bench:
    """Hold a supervisor and what it needs, in a folder."""

    def __init__(self, folder: Path, screen: FakeScreen | None = None) -> None:
        self.folder = folder
        self.screen = screen or FakeScreen()
        self.interrupts = Interrupts()
        self.process_file = ProcessFile(folder / "processes.json")
        self.supervisor = Supervisor(
            folder, self.process_file, self.screen, self.interrupts, LastResort(folder / "last-resort.jsonl")
        )

    def service(self, name: str, code: str, **options: Any) -> Service:
        return Service(name, (sys.executable, "-c", code), dict(os.environ), self.folder, **options)

    def start(self, name: str, code: str = SLEEP, **options: Any) -> int:
        """Start a service, wait until it is at work, and return its process id."""
        self.supervisor.start(self.service(name, code, ready_text="at work", **options))
        self.supervisor.wait_ready(name, seconds=30)
        return self.process_file.alive()[name]

    def watch_until(self, condition: Callable[[], bool]) -> None:
        """Watch as `up` does, until the condition is true."""

        def look() -> bool:  # at every tick, as the probe of a service that never gets ready
            self.interrupts.count = int(condition())
            return False

        self.supervisor.start(self.service("look", SLEEP, ready=look))
        with pytest.raises(Interrupted):
            self.supervisor.watch()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.supervisor.stop_all()


def test_a_service_is_ready_when_its_log_says_so(bench: Bench) -> None:
    bench.start("writer")
    assert "writer | at work" in bench.screen.shown
    assert "writer ready in" in bench.screen.text()
    assert bench.supervisor.runs("writer")
    assert (bench.folder / "writer.log").read_text() == "at work\n"


def test_a_service_is_ready_when_its_probe_says_so(bench: Bench) -> None:
    answers = iter([False, False, True])
    bench.supervisor.start(bench.service("s3", SLEEP, ready=lambda: next(answers), address="http://127.0.0.1:1"))
    bench.supervisor.wait_ready("s3", seconds=30)
    assert bench.screen.shown[-1].endswith("http://127.0.0.1:1")


def test_a_task_is_done_when_it_has_ended_well(bench: Bench) -> None:
    bench.supervisor.start(bench.service("train", "print('trained')"))
    bench.supervisor.wait_ready("train", seconds=30)
    assert "train done  in" in bench.screen.text()
    assert not bench.supervisor.runs("train")


def test_the_log_of_the_last_run_is_kept(tmp_path: Path) -> None:
    for text in ("first", "second"):
        bench = Bench(tmp_path)
        bench.supervisor.start(bench.service("train", f"print('{text}')"))
        bench.supervisor.wait_ready("train", seconds=30)
    assert (tmp_path / "train.previous.log").read_text() == "first\n"
    assert (tmp_path / "train.log").read_text() == "second\n"


def test_events_in_the_log_of_the_api_are_kept(bench: Bench) -> None:
    [line] = spilled.to_log(Message("body", {}))
    for name in ("api", "writer"):
        bench.start(name, f"print({line!r}, flush=True); {SLEEP}")
    assert (bench.folder / "last-resort.jsonl").read_text() == f"{line}\n"


def test_a_full_disk_costs_lines_of_the_log_alone(bench: Bench) -> None:
    service = bench.service("writer", f"print('first', flush=True); {SLEEP}", ready_text="at work")
    process = start_service(service, Path("/dev/full"), bench.screen.line)
    try:
        wait_for(process.is_ready, bench.screen.text)
        assert process.exit_code is None
    finally:
        process.kill()
    text = "ERROR: /dev/full lacks lines from here on: [Errno 28] No space left on device"
    assert bench.screen.shown == [f"writer | {text}", "writer | first", "writer | at work"]


def test_a_service_that_ends_early_shows_its_last_lines(bench: Bench) -> None:
    bench.supervisor.start(
        bench.service("mlflow", "import sys; print('no such table'); sys.exit(3)", ready_text="never")
    )
    with pytest.raises(ServiceFailed, match=r"mlflow ended with exit code 3(.|\n)*mlflow.log:\n  no such table"):
        bench.supervisor.wait_ready("mlflow", seconds=30)


def test_a_service_that_does_not_become_ready_is_named(bench: Bench) -> None:
    bench.supervisor.start(bench.service("mlflow", SLEEP, ready_text="never"))
    with pytest.raises(ServiceFailed, match="mlflow is not ready after 0 s"):
        bench.supervisor.wait_ready("mlflow", seconds=0.3)


def test_waiting_ends_with_the_condition_or_with_the_time(bench: Bench) -> None:
    assert bench.supervisor.wait_until(lambda: True, "nothing", 10)
    assert not bench.supervisor.wait_until(lambda: False, "something", 0.2)


def test_ctrl_c_ends_a_wait(bench: Bench) -> None:
    bench.supervisor.start(bench.service("mlflow", SLEEP, ready_text="never"))
    bench.interrupts.count = 1
    with pytest.raises(Interrupted):
        bench.supervisor.wait_ready("mlflow", seconds=30)


def test_a_service_that_ends_by_itself_is_started_again(bench: Bench) -> None:
    first = bench.start("api", restarts=True)
    os.kill(first, signal.SIGKILL)
    bench.watch_until(lambda: bench.process_file.alive().get("api", first) != first)
    assert "api ended by itself (exit code -9); it starts again in 1 s" in bench.screen.shown


def test_a_service_whose_state_would_be_lost_is_not_restarted(bench: Bench) -> None:
    os.kill(bench.start("sqs"), signal.SIGKILL)
    with pytest.raises(ServiceFailed, match="sqs ended with exit code -9"):
        bench.supervisor.watch()


def test_a_stop_leaves_not_even_grandchildren(bench: Bench) -> None:
    code = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {DEAF!r}]); time.sleep(600)"
    pid = bench.start("mlflow", code)
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    assert len(family) == 2
    bench.supervisor.stop("mlflow")
    await_end(family)
    assert bench.process_file.alive() == {}


def test_a_service_that_does_not_end_is_killed(bench: Bench) -> None:
    pid = bench.start("mlflow", DEAF, grace_seconds=0.3)
    bench.supervisor.stop("mlflow")
    assert start_time(pid) is None


def test_a_second_ctrl_c_hastens_the_stop(tmp_path: Path) -> None:
    code = (
        "import signal, sys, time\n"
        "asked = []\n"
        "def on_signal(*_):\n"
        "    print('asked', flush=True)\n"
        "    asked.append(1)\n"
        "signal.signal(signal.SIGTERM, on_signal)\n"
        "print('at work', flush=True)\n"
        "while len(asked) < 2: time.sleep(0.1)\n"
    )

    class Impatient(FakeScreen):
        def line(self, name: str, text: str) -> None:
            hurried.interrupts.count += text == "asked"

    hurried = Bench(tmp_path, Impatient())
    hurried.start("writer", code, grace_seconds=600)
    hurried.supervisor.stop("writer")
    assert hurried.process_file.alive() == {}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_services_end_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, sys, time, pathlib\n"
        "from tests.integration.test_local_supervisor import Bench\n"
        f"print(Bench(pathlib.Path({str(tmp_path)!r})).start('api'), flush=True)\n"
        "time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout is not None
        pid = int(supervisor.stdout.readline())
        assert start_time(pid) is not None
        supervisor.kill()
    wait_for(lambda: start_time(pid) is None, lambda: f"process {pid} lives on")


def test_the_next_start_ends_what_a_killed_supervisor_left(bench: Bench) -> None:
    gentle, deaf = bench.start("api"), bench.start("mlflow", DEAF)
    assert ProcessFile(bench.folder / "processes.json").end_leftovers() == {"api": gentle, "mlflow": deaf}
    assert start_time(gentle) is None
    assert start_time(deaf) is None


def test_a_process_with_a_reused_id_is_left_alone(bench: Bench) -> None:
    bench.process_file.write({"api": os.getpid()})
    path = bench.folder / "processes.json"
    path.write_text(path.read_text().replace('"started": ', '"started": 1'))
    assert bench.process_file.end_leftovers() == {}


@pytest.mark.parametrize("content", ["", "[]", '{"api": 1}', '{"api": {"pid": 1}}'])
def test_a_damaged_list_of_processes_names_none(bench: Bench, content: str) -> None:
    (bench.folder / "processes.json").write_text(content)
    assert bench.process_file.end_leftovers() == {}
