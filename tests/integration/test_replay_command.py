"""`offpath replay` over a real archive, a real MLflow, a real queue and an OTLP endpoint."""

from __future__ import annotations

import gzip
import os
import re
import signal
import subprocess
import sys
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from offpath.contracts import spilled
from tests.integration.test_dead_letter_commands import dead_letter
from tests.support.builders.trace_events import inline_message
from tests.support.servers.http_server import Exchange, serving
from tests.support.servers.mlflow_rest import Mlflow
from tests.support.servers.moto_pipeline import MotoPipeline
from tests.support.waiting import wait_for
from tests.unit.cli.test_replay import numbered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from offpath.contracts.trace_event import TraceEvent


# Whatever runs the tests may have all its children pass over Ctrl-C.
INTERRUPTIBLE = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from offpath_cli.app import app
app()
"""


@pytest.fixture
def model() -> str:
    return uuid.uuid4().hex


@pytest.fixture
def pipeline(bucket_name: str, queue_url: str, mlflow_url: str, monkeypatch: pytest.MonkeyPatch) -> MotoPipeline:
    return MotoPipeline(bucket_name, queue_url, mlflow_url, monkeypatch)


@pytest.fixture
def written(pipeline: MotoPipeline, model: str) -> list[TraceEvent]:
    """Events that the writer archived and delivered; the last one failed."""
    instance = uuid.uuid4().hex
    events = [numbered(number, model, "failed" if number == 12 else "", instance) for number in range(1, 13)]
    for start in (0, 5, 10):
        assert pipeline.events.send([inline_message(event) for event in events[start : start + 5]]) == []
        pipeline.write()
    return events


def ids(events: list[TraceEvent]) -> set[str]:
    return {event.trace_id for event in events}


def delete(mlflow: Mlflow, experiment: str, trace_ids: set[str]) -> None:
    """Delete traces for good, as a person or a restored snapshot does."""
    experiment_id = mlflow.experiment(experiment)["experiment_id"]
    wanted = [f"tr-{trace_id}" for trace_id in trace_ids]
    mlflow.call("/api/2.0/mlflow/traces/delete-traces", {"experiment_id": experiment_id, "request_ids": wanted})


def everything(mlflow: Mlflow, events: list[TraceEvent]) -> list[Any]:
    """Return all that MLflow says of these traces."""
    return [(mlflow.trace(event.trace_id), mlflow.spans(event.trace_id)) for event in events]


def test_what_mlflow_lost_is_back_and_stays_as_is(
    pipeline: MotoPipeline, model: str, written: list[TraceEvent]
) -> None:
    mlflow, experiment = Mlflow(pipeline.mlflow_url), f"offpath/{model}"
    before = everything(mlflow, written)
    delete(mlflow, experiment, ids(written[:7]))
    assert mlflow.trace_ids(experiment) == ids(written[7:])
    dry = pipeline.json("replay", "--from", "archive", "--to", "mlflow", "--dry-run")
    assert (dry["chosen"], dry["delivered"]) == (12, 0)
    assert mlflow.trace_ids(experiment) == ids(written[7:])

    for _ in range(2):
        done = pipeline.run("replay", "--from", "archive", "--to", "mlflow")
        assert done.exit_code == 0, done.output
        assert "12 event(s) delivered to mlflow; 12 read, 0 left" in done.stdout
        assert mlflow.trace_ids(experiment) == ids(written)
        assert everything(mlflow, written) == before


def test_a_trace_that_audit_misses_is_back_by_replay(
    pipeline: MotoPipeline, model: str, written: list[TraceEvent]
) -> None:
    mlflow, gone = Mlflow(pipeline.mlflow_url), written[4]
    delete(mlflow, f"offpath/{model}", {gone.trace_id})
    audit = ["audit", "--grace", "0m", "--verify", "all"]
    missing = pipeline.run(*audit)
    assert (missing.exit_code, gone.trace_id in missing.output) == (1, True), missing.output

    again = pipeline.json("replay", "--from", "archive", "--to", "mlflow", "--trace-id", f"tr-{gone.trace_id}")
    assert again["delivered"] == 1
    well = pipeline.run(*audit)
    assert well.exit_code == 0, well.output
    assert mlflow.trace_ids(f"offpath/{model}") == ids(written)


def test_a_deleted_experiment_is_back_with_its_traces(
    pipeline: MotoPipeline, model: str, written: list[TraceEvent]
) -> None:
    mlflow, experiment = Mlflow(pipeline.mlflow_url), f"offpath/{model}"
    delete(mlflow, experiment, ids(written))
    mlflow.delete_experiment(experiment)
    assert pipeline.json("replay", "--from", "archive", "--to", "mlflow", "--since", "1h")["delivered"] == 12
    assert mlflow.experiment(experiment)["lifecycle_stage"] == "active"
    assert mlflow.trace_ids(experiment) == ids(written)


def test_a_slice_is_replayed_by_trace_and_outcome(
    pipeline: MotoPipeline, model: str, written: list[TraceEvent]
) -> None:
    mlflow, experiment = Mlflow(pipeline.mlflow_url), f"offpath/{model}"
    delete(mlflow, experiment, ids(written))
    arguments = ["replay", "--from", "archive", "--to", "mlflow", "--model", model]
    assert pipeline.json(*arguments, "--outcome", "failed")["delivered"] == 1
    assert mlflow.trace_ids(experiment) == ids(written[11:])
    one, two = (f"tr-{event.trace_id}" for event in written[:2])
    assert pipeline.json(*arguments, "--trace-id", one, "--trace-id", two)["delivered"] == 2
    assert mlflow.trace_ids(experiment) == ids([*written[:2], *written[11:]])
    assert pipeline.json(*arguments, "--until", "2h", "--since", "5h")["read"] == 0


def test_by_the_queue_nothing_is_archived_twice(pipeline: MotoPipeline, model: str, written: list[TraceEvent]) -> None:
    mlflow, experiment = Mlflow(pipeline.mlflow_url), f"offpath/{model}"
    archived = list(pipeline.bucket.keys("archive/"))
    delete(mlflow, experiment, ids(written))
    assert pipeline.json("replay", "--from", "archive", "--to", "queue", "--rate", "50")["delivered"] == 12
    assert pipeline.waiting() == 12
    pipeline.write()
    assert mlflow.trace_ids(experiment) == ids(written)
    assert list(pipeline.bucket.keys("archive/")) == archived


def test_a_replay_without_mlflow_says_where_to_go_on(
    pipeline: MotoPipeline, written: list[TraceEvent], nowhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", nowhere)
    result = pipeline.run("replay", "--from", "archive", "--to", "mlflow", "--patience", "0")
    assert result.exit_code == 3
    assert "go on with: --since 20" in result.stderr
    assert "0 event(s) delivered" in result.stdout


@dataclass
class Collector:
    """An OTLP endpoint. statuses: of the next answers. refused: trace ids that it takes in no request."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    taken: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[ExportTraceServiceRequest] = field(default_factory=list)

    def respond(self, exchange: Exchange) -> None:
        request = ExportTraceServiceRequest.FromString(gzip.decompress(exchange.body()))
        self.headers = {name.lower(): value for name, value in exchange.headers.items()}
        spans = [span for one in request.resource_spans for scope in one.scope_spans for span in scope.spans]
        trace_ids = {span.trace_id.hex() for span in spans}
        status = self.statuses.pop(0) if self.statuses else 400 if trace_ids & self.refused else 200
        if exchange.path != "/v1/traces":
            status = 404
        if status == 200:
            self.taken += trace_ids
            self.requests.append(request)
        exchange.answer(status, b"", {"Content-Type": "application/x-protobuf", "Retry-After": "0"})


@contextmanager
def collector() -> Iterator[Collector]:
    made = Collector()
    with serving(made.respond) as port:
        made.url = f"http://127.0.0.1:{port}"
        yield made


def test_another_backend_gets_each_event_as_it_came(pipeline: MotoPipeline, written: list[TraceEvent]) -> None:
    with collector() as backend:
        backend.statuses, backend.refused = [503, 429], {written[3].trace_id}
        arguments = ["replay", "--from", "archive", "--to", "otlp", backend.url, "--header", "authorization=Bearer x"]
        done = pipeline.run(*arguments)
    assert done.exit_code == 1, done.output
    assert f"{written[3].trace_id}: {backend.url}/v1/traces answers HTTP 400" in done.stdout
    assert sorted(backend.taken) == sorted(ids(written) - {written[3].trace_id})
    assert backend.headers["authorization"] == "Bearer x"
    resource = backend.requests[0].resource_spans[0].resource
    assert [item.value.string_value for item in resource.attributes if item.key == "service.name"] == ["prediction-api"]


def test_an_interrupted_replay_says_where_to_go_on(pipeline: MotoPipeline, written: list[TraceEvent]) -> None:
    with collector() as backend:
        command = [sys.executable, "-c", INTERRUPTIBLE, "replay", "--from", "archive", "--to", "otlp", backend.url]
        environ = {**os.environ, "OFFPATH_STACK": pipeline.stack}
        with subprocess.Popen(
            [*command, "--rate", "1"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            wait_for(lambda: bool(backend.taken), lambda: f"the replay has ended: {process.poll()}")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate()
    assert process.returncode == 130, err
    assert "event(s) delivered to otlp" in out
    assert re.search(r"interrupted; go on with: --since 20\d\d-\d\d-\d\dT\d\d:00", err)


def test_an_address_of_something_else_ends_the_replay(pipeline: MotoPipeline, written: list[TraceEvent]) -> None:
    with collector() as backend:
        result = pipeline.run("replay", "--from", "archive", "--to", "otlp", f"{backend.url}/other")
        assert result.exit_code == 1
        assert "is this the URL of an OTLP endpoint" in result.stderr
    gone = pipeline.run("replay", "--from", "archive", "--to", "otlp", backend.url, "--patience", "0")
    assert gone.exit_code == 3


def test_a_log_and_the_spill_come_to_the_queue(pipeline: MotoPipeline, model: str, tmp_path: Path) -> None:
    first, second = numbered(1, model), numbered(2, model)
    log = tmp_path / "api.log"
    log.write_text("\n".join(["START RequestId", *spilled.to_log(inline_message(first))]))
    assert pipeline.json("replay", "--from", "log", str(log), "--to", "queue")["delivered"] == 1
    message = inline_message(second)
    pipeline.bucket.put(spilled.key(pipeline.queue_url.rsplit("/", 1)[-1], message), spilled.dump(message))
    assert pipeline.json("replay", "--from", "spill", "--to", "queue")["delivered"] == 1
    assert pipeline.json("replay", "--from", "spill", "--to", "queue")["read"] == 0
    pipeline.write()
    assert Mlflow(pipeline.mlflow_url).trace_ids(f"offpath/{model}") == ids([first, second])
    assert len(list(pipeline.bucket.keys("archive/"))) == 1


def test_dead_letters_are_redriven_as_by_their_own_command(pipeline: MotoPipeline, model: str) -> None:
    mine, other = numbered(1, model), numbered(2, "other")
    dead_letter(pipeline, inline_message(mine), inline_message(other))
    assert pipeline.json("replay", "--from", "dead-letters", "--to", "queue", "--model", model)["delivered"] == 1
    assert pipeline.dead.waiting() == (1, 0)
    assert [one["model"] for one in pipeline.json("dead-letters")["letters"]] == ["other"]
    pipeline.write()
    assert Mlflow(pipeline.mlflow_url).trace_ids(f"offpath/{model}") == {mine.trace_id}


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        ("--from archive --to mlflow file", 2, "takes neither FILE nor URL"),
        ("--from log --to otlp only-one", 2, "takes FILE and URL"),
        ("--from archive --to otlp ftp://x", 1, "expected http(s)://"),
        ("--from log no-such.log --to queue", 1, "no-such.log: No such file"),
        ("--from archive --to mlflow --since 1h --until 2h", 2, "is not after --since"),
        ("--from archive --to mlflow --since x", 2, "expected an age"),
        ("--from archive --to otlp http://127.0.0.1:1 --header x", 2, "expected NAME=VALUE"),
    ],
)
def test_what_cannot_be_replayed_is_said(pipeline: MotoPipeline, arguments: str, code: int, complaint: str) -> None:
    result = pipeline.run("replay", *arguments.split())
    assert (result.exit_code, complaint in " ".join(result.stderr.split())) == (code, True), result.output
