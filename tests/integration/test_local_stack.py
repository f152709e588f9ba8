"""The whole stack, as `make up` starts it: a first start, a stop, a start after it."""

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest

from local.settings import ARCHIVE, LocalSettings
from local.sources import ROOT
from local.web import fetch
from offpath.errors import Transient
from tests.support.local_stack import Command, descendants, listening, stack_environment, wait_for

RECORD = {"inputs": [{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}]}
STARTED = r"Ctrl-C stops everything"
START_SECONDS = 180.0


class User:
    """Somebody with one state folder, who starts and stops the stack and calls the API."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = stack_environment(folder / "home")
        self.settings = LocalSettings.load(self.environ)
        self.commands: list[Command] = []

    def run(self, *arguments: str) -> Command:
        log = self.folder / f"{arguments[0]}{len(self.commands)}.log"
        self.commands.append(Command(log, self.environ, "local", *arguments))
        return self.commands[-1]

    def up(self) -> Command:
        command = self.run("up")
        command.wait_for(STARTED, START_SECONDS)
        return command

    def predict(self) -> str:
        answer: dict[str, Any] = fetch(f"{self.settings.api_url}/models/iris/predict", RECORD)
        assert answer["predictions"][0]["label"] == "setosa"
        return str(answer["trace_id"])

    def has_trace(self, trace_id: str) -> bool:
        try:
            return bool(fetch(f"{self.settings.mlflow_url}/api/3.0/mlflow/traces/{trace_id}"))
        except Transient:
            return False

    def archived(self) -> int:
        s3 = boto3.client("s3", endpoint_url=self.settings.s3_url)
        return s3.list_objects_v2(Bucket=ARCHIVE, Prefix="archive/")["KeyCount"]

    def pid_of(self, part: str) -> int:
        processes = json.loads((self.folder / "home" / "processes.json").read_text())
        return int(processes[part]["pid"])


@pytest.fixture
def user(tmp_path: Path) -> Iterator[User]:
    user = User(tmp_path)
    yield user
    for command in user.commands:
        command.clean_up()


def _readme_call(settings: LocalSettings) -> str:
    readme = (ROOT / "README.md").read_text()
    call = re.search(r"curl http://127\.0\.0\.1:8000/models/iris/predict.*?(?=\n```)", readme, re.DOTALL)
    assert call, "the README has no first call"
    return call.group().replace(":8000", f":{settings.api_port}")


def test_first_start_stop_and_a_start_after_it(user: User) -> None:
    first = user.up()
    family = descendants(first.process.pid)
    trace = first.wait_for(r"http://127\.0\.0\.1:\d+/#/experiments/\d+/traces/tr-[0-9a-f]{32}").rsplit("/", 1)[1]
    assert user.has_trace(trace)
    assert user.archived() == 1
    assert _readme_call(user.settings) in first.text
    assert {address for address, _ in listening(family)} == {"127.0.0.1"}
    assert {port for _, port in listening(family)} == {port for _, port, _ in user.settings.ports()}

    second = user.run("up")
    assert second.process.wait(timeout=60) == 1
    assert "a stack is running" in second.text
    status = user.run("status")
    assert status.process.wait(timeout=60) == 0
    assert "answers" in status.text

    os.killpg(user.pid_of("mlflow"), signal.SIGSTOP)  # it takes connections, and answers none
    waiting = [user.predict() for _ in range(3)]
    assert first.end(signal.SIGINT) == 0
    assert "3 message(s) of offpath-traces wait in s3://offpath-archive/spill/offpath-traces/" in first.text
    assert "Traceback" not in first.text
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in family)

    again = user.up()
    assert "3 message(s) of the last run are on offpath-traces again" in again.text
    assert "train" not in again.text
    assert user.has_trace(trace)
    wait_for(lambda: all(user.has_trace(trace_id) for trace_id in waiting), 60, lambda: again.text)
    down = user.run("down")
    assert down.process.wait(timeout=60) == 0
    assert "stopped the stack" in down.text
    assert again.process.wait(timeout=60) == 0


def test_a_part_that_cannot_start_is_named_and_everything_is_stopped(user: User) -> None:
    database = user.folder / "home" / "mlflow" / "mlflow.db"
    database.parent.mkdir(parents=True)
    (user.folder / "home" / "state.json").write_text('{"layout": 1}')
    database.write_text("this is no database, and SQLite says so")
    command = user.run("up")
    assert command.process.wait(timeout=START_SECONDS) == 1
    assert "mlflow ended with exit code" in command.text
    assert "file is not a database" in command.text
    assert "everything is stopped" in command.text
