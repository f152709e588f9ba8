"""`offpath status` of a pipeline at real queues, a real bucket and a real MLflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.test_dead_letter_commands import dead_letter
from tests.support.builders.trace_events import inline_message, prediction_event
from tests.support.servers.moto_pipeline import MotoPipeline

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.fixture
def pipeline(bucket_name: str, queue_url: str, mlflow_url: str, monkeypatch: pytest.MonkeyPatch) -> MotoPipeline:
    return MotoPipeline(bucket_name, queue_url, mlflow_url, monkeypatch)


def parts(pipeline: MotoPipeline) -> Mapping[str, Mapping[str, Any]]:
    return {part["part"]: part for part in pipeline.json("status")["parts"]}


def test_every_part_of_a_pipeline_is_told(pipeline: MotoPipeline) -> None:
    pipeline.events.send([inline_message(prediction_event("offpath/status"))])
    before = parts(pipeline)
    assert before["queue"]["values"]["visible"] == 1
    assert before["models"]["state"] == "attention"
    pipeline.write()
    pipeline.bucket.put("models/manifest.json", b'{"schema": "models/1", "models": {}}')

    told = parts(pipeline)
    well = {"queue", "dead-letter queue", "dead letters", "spill", "archive", "writer", "mlflow", "models"}
    assert {name for name, part in told.items() if part["state"] == "well"} == well
    assert told.keys() - well == {"audit"}
    assert told["queue"]["values"]["visible"] == 0
    assert told["writer"]["values"]["mlflow_stores"] is True
    assert told["archive"]["values"]["age_seconds"] < 3_600
    assert pipeline.run("status").exit_code == 0


def test_what_is_wrong_is_seen_at_a_glance(pipeline: MotoPipeline) -> None:
    dead_letter(pipeline, inline_message(prediction_event("offpath/status")))
    shown = pipeline.run("status")
    assert shown.exit_code == 1
    assert "1 open: offpath dead-letters lists them" in shown.stdout
    assert parts(pipeline)["dead-letter queue"]["values"]["visible"] == 1


def test_a_tunnel_that_is_not_open_is_no_trouble(
    pipeline: MotoPipeline, nowhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.bucket.put("models/manifest.json", b'{"schema": "models/1", "models": {}}')
    monkeypatch.setenv("MLFLOW_TRACKING_URI", nowhere)
    assert parts(pipeline)["mlflow"]["state"] == "skipped"
    assert pipeline.run("status").exit_code == 0


def test_services_that_do_not_answer_are_named(
    pipeline: MotoPipeline, nowhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", nowhere)
    result = pipeline.run("status")
    assert result.exit_code == 3
    told = parts(pipeline)
    assert {name for name, part in told.items() if part["state"] == "unknown"} == {
        "dead letters",
        "spill",
        "archive",
        "writer",
        "audit",
        "models",
    }
