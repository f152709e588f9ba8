"""Real servers that fork or are told to end: every request's trace is sent, once."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local.ports import free_port, is_listening
from local.sources import ROOT
from tests.support.otlp_json import attributes_of, spans_of
from tests.support.servers.held_sqs import held_sqs
from tests.support.waiting import DEADLINE_SECONDS, wait_for

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

INSTALL = """
import asyncio, os, pathlib
import offpath
tracing = offpath.install(os.environ, service_name="served")
tracer = tracing.tracer("served")
"""
WSGI = """
def app(environ, start_response):
    with tracer.start_as_current_span("request"):
        start_response("200 OK", [("content-type", "text/plain")])
        return [str(os.getpid()).encode()]
tracer.start_span("before the fork").end()
"""
ASGI = """
async def pages(scope, receive, send):
    assert scope["type"] == "http"
    pathlib.Path("begun").touch()
    while not pathlib.Path("go-on").exists():
        await asyncio.sleep(0.01)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"answered"})
app = tracing.asgi(pages)
"""
UVICORN = ("-m", "uvicorn", "app:app", "--port")
GUNICORN = ("-m", "gunicorn", "--preload", "--workers", "2", "app:app", "--bind")

Serve = Callable[..., Any]


@pytest.fixture
def serve(aws_endpoint: str, queue_url: str, bucket_name: str, tmp_path: Path) -> Serve:
    """Run a server of such code until the block ends, and yield its process and its port."""
    slow = {"OFFPATH_PUBLISH_BUDGET_SECONDS": "60"}  # moto on a busy machine is not an SQS that is away
    own = {"OFFPATH_QUEUE_URL": queue_url, "OFFPATH_BUCKET": bucket_name}
    path = os.pathsep.join([str(ROOT / "layers" / "shared"), str(tmp_path)])

    @contextmanager
    def serving(
        code: str, command: Sequence[str], **more: str
    ) -> Iterator[tuple[subprocess.Popen[bytes], http.client.HTTPConnection]]:
        (tmp_path / "app.py").write_text(INSTALL + code)
        port = free_port()
        where = f"127.0.0.1:{port}" if command is GUNICORN else str(port)
        environ = {**os.environ, **slow, **own, "PYTHONPATH": path, **more}
        log = tmp_path / "server.log"
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [sys.executable, *command, where], env=environ, cwd=tmp_path, stdout=sink, stderr=sink
            )
            try:
                wait_for(lambda: is_listening(port), log.read_text)
                yield process, http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_SECONDS)
            finally:
                process.kill()
                process.wait(DEADLINE_SECONDS)

    return serving


def queued(sqs: SQSClient, url: str) -> list[dict[str, dict[str, Any]]]:
    """Return each message's spans, by name."""
    found = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [spans_of(message["Body"]) for message in messages]
    return found


def get(connection: http.client.HTTPConnection) -> tuple[int, bytes]:
    connection.request("GET", "/", headers={"connection": "close"})
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


@contextmanager
def asking(connection: http.client.HTTPConnection, answers: list[tuple[int, bytes]]) -> Iterator[None]:
    """Ask within the block, in a thread of its own."""

    def ask() -> None:
        with suppress(http.client.RemoteDisconnected):
            answers.append(get(connection))

    asker = threading.Thread(target=ask)
    asker.start()
    yield
    asker.join(DEADLINE_SECONDS)


def test_workers_of_a_preloaded_application_send_their_traces(serve: Serve, sqs: SQSClient, queue_url: str) -> None:
    with serve(WSGI, GUNICORN) as (process, connection):
        answers = [get(connection) for _ in range(20)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_SECONDS) == 0
    assert {status for status, _ in answers} == {200}
    names = sorted(name for spans in queued(sqs, queue_url) for name in spans)
    assert names == ["before the fork", *["request"] * 20]


@pytest.mark.parametrize("delivery", ["after_response", "before_response"])
def test_a_request_under_way_at_sigterm_is_sent(
    serve: Serve, sqs: SQSClient, queue_url: str, tmp_path: Path, delivery: str
) -> None:
    answers: list[tuple[int, bytes]] = []
    with serve(ASGI, UVICORN, OFFPATH_DELIVERY=delivery) as (process, connection), asking(connection, answers):
        wait_for((tmp_path / "begun").exists, lambda: "no request came")
        process.send_signal(signal.SIGTERM)
        (tmp_path / "go-on").touch()
        process.wait(DEADLINE_SECONDS)
    assert answers == [(200, b"answered")]
    assert [list(spans) for spans in queued(sqs, queue_url)] == [["GET /"]]


def test_a_server_ends_once_sqs_has_what_it_traced(
    serve: Serve, sqs: SQSClient, queue_url: str, tmp_path: Path, moto_url: str
) -> None:
    (tmp_path / "go-on").touch()
    with held_sqs(moto_url) as held, serve(ASGI, UVICORN, **held.environ) as (process, connection):
        assert get(connection) == (200, b"answered")
        assert held.arrived.wait(DEADLINE_SECONDS)
        process.send_signal(signal.SIGTERM)
        wait_for(lambda: "Waiting for application shutdown" in (tmp_path / "server.log").read_text(), lambda: "no end")
        held.release()
        process.wait(DEADLINE_SECONDS)
    assert [list(spans) for spans in queued(sqs, queue_url)] == [["GET /"]]


def test_an_answer_that_waits_for_sqs_at_sigterm_is_given(
    serve: Serve, sqs: SQSClient, queue_url: str, tmp_path: Path, moto_url: str
) -> None:
    answers: list[tuple[int, bytes]] = []
    (tmp_path / "go-on").touch()
    with (
        held_sqs(moto_url) as held,
        serve(ASGI, UVICORN, OFFPATH_DELIVERY="before_response", **held.environ) as (process, connection),
        asking(connection, answers),
    ):
        assert held.arrived.wait(DEADLINE_SECONDS)
        process.send_signal(signal.SIGTERM)
        assert answers == []
        held.release()
        process.wait(DEADLINE_SECONDS)
    assert answers == [(200, b"answered")]
    assert [list(spans) for spans in queued(sqs, queue_url)] == [["GET /"]]


def test_a_request_that_a_server_gives_up_has_failed(
    serve: Serve, sqs: SQSClient, queue_url: str, tmp_path: Path
) -> None:
    impatient = (*UVICORN[:-1], "--timeout-graceful-shutdown", "1", UVICORN[-1])
    answers: list[tuple[int, bytes]] = []
    with serve(ASGI, impatient) as (process, connection), asking(connection, answers):
        wait_for((tmp_path / "begun").exists, lambda: "no request came")
        process.send_signal(signal.SIGTERM)
        process.wait(DEADLINE_SECONDS)
    [spans] = queued(sqs, queue_url)
    root = spans["GET /"]
    assert root["status"]["message"] == "CancelledError before the answer was complete"
    assert attributes_of(root)["mlflow.traceTag.outcome"] == {"stringValue": "failed"}
    assert answers in ([], [(500, b"Internal Server Error")])
