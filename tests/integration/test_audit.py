"""`offpath audit` on a stack of real processes: all is well, or exactly what is missing is named."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from local.settings import ARCHIVE
from local.stack.web import fetch
from offpath.aws.s3 import Bucket
from offpath_cli.where import find_pipeline
from tests.support.waiting import DEADLINE_SECONDS, wait_for

if TYPE_CHECKING:
    from tests.support.servers.stack_user import User

COUNT = 20


class Auditor:
    """Somebody who predicts on a stack, and then audits those predictions."""

    def __init__(self, stack: User) -> None:
        self.stack = stack
        self.bucket: Bucket = find_pipeline("", stack.environ).bucket()
        self.since = datetime.now(UTC)
        before = set(self.bucket.keys("archive/"))
        self.trace_ids = [stack.predict() for _ in range(COUNT)]
        wait_for(lambda: set(self.trace_ids) <= set(stack.traces()), lambda: stack.commands[0].text[-3000:])
        wait_for(lambda: self.ask()[0] == 0, lambda: json.dumps(self.ask()[1], indent=2))  # the receipts follow
        self.objects = [key for key in self.bucket.keys("archive/") if key not in before]

    def ask(self, *arguments: str) -> tuple[int, Any]:
        """Run the command, and return its exit code and its JSON."""
        command = [sys.executable, "-m", "offpath_cli", "audit", "--json", "--grace", "0m"]
        command += ["--since", self.since.isoformat(), *arguments]
        done = subprocess.run(command, env=self.stack.environ, capture_output=True, text=True, check=False)
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="module")
def auditor(stack: User) -> Auditor:
    return Auditor(stack)


def test_a_stack_where_all_is_well_is_told_so(auditor: Auditor) -> None:
    code, found = auditor.ask("--verify", "all")
    assert (code, found["missing"], found["unreadable"]) == (0, [], [])
    assert found["models"]["iris"]["archived"] >= COUNT
    assert found["models"]["iris"]["ends"]["in_mlflow"] == found["models"]["iris"]["emitted"]
    assert found["verified"]["asked"] >= COUNT
    assert found["verified"]["absent"] == []


def test_events_of_a_deleted_archive_object_are_named(auditor: Auditor) -> None:
    contents = {key: auditor.bucket.get(key) for key in auditor.objects}
    archived = {one["traceId"] for event in auditor.stack.archived() for one in _spans(event)}
    key = max(contents, key=lambda key: len(contents[key]))
    auditor.bucket.delete(key)
    try:
        gone = archived - {one["traceId"] for event in auditor.stack.archived() for one in _spans(event)}
        code, found = auditor.ask("--verify", "0")
    finally:
        auditor.bucket.put(key, contents[key], "application/gzip")

    assert gone
    named = {trace_id for missing in found["missing"] for trace_id in missing["trace_ids"]}
    assert (code, named) == (1, gone)
    assert {missing["kind"] for missing in found["missing"]} == {"not_archived"}
    assert sum(missing["count"] for missing in found["missing"]) == found["total"]["missing"] == len(gone)
    assert auditor.ask("--verify", "0")[0] == 0


def test_a_trace_deleted_in_mlflow_is_named(auditor: Auditor) -> None:
    api, trace_id = f"{auditor.stack.settings.mlflow_url}/api", auditor.trace_ids[COUNT // 2]
    experiment = fetch(f"{api}/3.0/mlflow/traces/{trace_id}")["trace"]["trace_info"]["trace_location"]
    fields = {"experiment_id": experiment["mlflow_experiment"]["experiment_id"], "request_ids": [trace_id]}
    assert fetch(f"{api}/2.0/mlflow/traces/delete-traces", fields)["traces_deleted"] == 1

    for verify in ("all", "1000"):
        code, found = auditor.ask("--verify", verify)
        assert (code, found["missing"]) == (1, [])
        [absent] = found["verified"]["absent"]
        assert (f"tr-{absent['trace_id']}", absent["model"], absent["found"]) == (trace_id, "iris", 0)
    assert auditor.ask("--verify", "0")[0] == 0


def _spans(event: dict[str, Any]) -> list[dict[str, Any]]:
    return [span for group in event["resourceSpans"] for scope in group["scopeSpans"] for span in scope["spans"]]


def test_what_is_not_there_could_not_be_told(auditor: Auditor, nowhere: str) -> None:
    port = nowhere.rpartition(":")[2]
    elsewhere = {**auditor.stack.environ, "OFFPATH_S3_PORT": port, "OFFPATH_SQS_PORT": port}
    for environ, said in ((elsewhere, ARCHIVE), ({**elsewhere, "OFFPATH_STACK": "x"}, "the stack 'x'")):
        command = [sys.executable, "-m", "offpath_cli", "audit"]
        done = subprocess.run(
            command, env={**environ, "AWS_ENDPOINT_URL": nowhere}, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (3, "")
        assert said in done.stderr


# SIGINT as a terminal's process takes it: what is started in the background of a shell may ignore it.
_WITH_CTRL_C = (
    "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    " runpy.run_module('offpath_cli', run_name='__main__', alter_sys=True)"
)


def test_ctrl_c_ends_an_audit_that_waits_for_an_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = str(silent.getsockname()[1])
        environ = {**os.environ, "OFFPATH_S3_PORT": port, "OFFPATH_SQS_PORT": port}
        command = [sys.executable, "-c", _WITH_CTRL_C, "audit", "--json"]
        pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, env=environ, **pipes) as audit:
            silent.settimeout(DEADLINE_SECONDS)
            connection, _ = silent.accept()
            with connection:
                connection.recv(1)  # it has asked
                audit.send_signal(signal.SIGINT)
                output, said = audit.communicate(timeout=DEADLINE_SECONDS)
    assert (audit.returncode, output, said) == (130, "", "stopped: nothing was found out\n")
