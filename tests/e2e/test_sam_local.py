"""The functions as `make build` built them, in Docker, against the local stack: what `make invoke` does."""

import json
import shutil
import subprocess
from typing import Any

import pytest

import events
from local.built.invoke import BUILT
from tests.support.servers.stack_user import User
from tests.support.waiting import wait_for

IMAGE = "public.ecr.aws/lambda/python:3.13"


def _missing() -> str:
    """Return what is missing here and this test cannot do without; empty if nothing is."""
    if shutil.which("docker") is None:
        return "there is no Docker"
    if subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, check=False).returncode:
        return f"Docker has no image {IMAGE}: docker pull {IMAGE}"
    return "" if (BUILT / "template.yaml").exists() else "nothing is built: make build"


pytestmark = [pytest.mark.docker, pytest.mark.skipif(bool(_missing()), reason=_missing() or "it is all there")]


def answers(text: str) -> list[Any]:
    """The JSON documents between the lines that name the functions."""
    documents = text.split("· ")[1:]
    return [json.loads(document.partition("\n")[2]) for document in documents]


def test_the_three_functions_do_their_work_in_docker(stack: User) -> None:
    command = stack.run_module("local.built.invoke", "--skip-pull-image")
    assert command.exit_code() == 0, command.text
    shown = "\n".join(line for line in command.text.splitlines() if _is_answer(line))
    synced, predicted, written, called = answers(shown)

    assert "champion" in synced["models"]["iris"]
    assert written == {"batchItemFailures": []}
    trace_id = json.loads(predicted["body"])["trace_id"]
    assert predicted["headers"]["x-trace-id"] == trace_id
    sent = [record["messageAttributes"]["trace_id"]["stringValue"] for record in events.load("sqs_batch")["Records"]]
    for expected in [trace_id, called["trace_id"], *(f"tr-{trace}" for trace in sent)]:
        wait_for(lambda expected=expected: stack.has_trace(expected), lambda: command.text)  # type: ignore[misc]


def _is_answer(line: str) -> bool:
    """SAM CLI and the functions log between the answers, which are indented JSON."""
    return line.startswith(("· ", "{", "}", "  ")) and not line.startswith('{"')
