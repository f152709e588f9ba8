"""The whole stack, as `make up` starts it: a first start, a stop, a start after it."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.aws.log_subscription import LineFile
from local.settings import LocalSettings
from local.sources import ROOT
from local.stack.home import Home
from offpath.contracts import spilled
from tests.support.builders.trace_events import inline_message, prediction_event
from tests.support.servers.stack import await_end, descendants, listening
from tests.support.servers.stack_user import User
from tests.support.waiting import wait_for


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


def test_a_second_start_continues_where_the_first_stopped(user: User) -> None:
    first = user.up()
    family = descendants(first.process.pid)
    trace = first.wait_for(r"http://127\.0\.0\.1:\d+/#/experiments/\d+/traces/tr-[0-9a-f]{32}").rsplit("/", 1)[1]
    assert user.has_trace(trace)
    assert len(user.archived()) == 1
    assert _readme_call(user.settings) in first.text
    assert {address for address, _ in listening(family)} == {"127.0.0.1"}
    assert {port for _, port in listening(family)} == {port for _, port, _ in user.settings.ports()}

    second = user.run("up")
    assert second.exit_code() == 1
    assert "a stack is running" in second.text
    status = user.run("status")
    assert status.exit_code() == 0
    assert "answers" in status.text
    assert re.search(r"worker +process \d+ +runs", status.text)

    os.killpg(user.pid_of("mlflow"), signal.SIGSTOP)  # it takes connections, and answers none
    waiting = [user.predict() for _ in range(3)]
    assert first.end(signal.SIGINT) == 0
    assert "3 message(s) wait on offpath-traces for the next start" in first.text
    logged = prediction_event()  # as an API leaves it in its log whose queue and S3 have ended
    LineFile(Home(user.settings.home).last_resort).add(list(spilled.to_log(inline_message(logged))))
    assert "Traceback" not in first.text
    await_end(family)

    again = user.up()
    assert "train  |" not in again.text
    assert user.has_trace(trace)
    expected = [*waiting, f"tr-{logged.trace_id}"]
    wait_for(lambda: all(user.has_trace(trace_id) for trace_id in expected), lambda: again.text)
    wait_for(lambda: user.spilled() == [], lambda: again.text)
    down = user.run("down")
    assert down.exit_code() == 0
    assert "stopped the stack" in down.text
    assert again.exit_code() == 0


def test_a_service_that_cannot_start_stops_everything(user: User) -> None:
    database = user.folder / "home" / "mlflow" / "mlflow.db"
    database.parent.mkdir(parents=True)
    (user.folder / "home" / "state.json").write_text('{"layout": 1}')
    database.write_text("this is no database, and SQLite says so")
    command = user.run("up")
    assert command.exit_code() == 1
    assert "mlflow ended with exit code" in command.text
    assert "file is not a database" in command.text
    assert "everything is stopped" in command.text
