"""`offpath dead-letters` over real queues, a bucket and the trace writer: from the alarm to all well."""

from __future__ import annotations

import json
import uuid

import pytest

from offpath.aws.clients import sqs_client
from offpath.aws.s3 import S3Claims
from offpath.aws.sqs import SqsQueue
from offpath.contracts.message import Message
from tests.support.builders.trace_events import claimed, inline_message, prediction_event
from tests.support.servers.mlflow_rest import Mlflow
from tests.support.servers.mlflow_stub import Reply, Request, error, stub_mlflow
from tests.support.servers.moto_pipeline import MotoPipeline


@pytest.fixture
def experiment() -> str:
    return f"offpath/{uuid.uuid4().hex}"


@pytest.fixture
def pipeline(bucket_name: str, queue_url: str, mlflow_url: str, monkeypatch: pytest.MonkeyPatch) -> MotoPipeline:
    return MotoPipeline(bucket_name, queue_url, mlflow_url, monkeypatch)


def dead_letter(pipeline: MotoPipeline, *messages: Message) -> None:
    """Let the writer dead-letter these, as an MLflow does that refuses them and takes others."""

    def refuse(request: Request) -> Reply | None:
        return error(400, "INVALID_PARAMETER_VALUE") if request.trace_ids & refused else None

    refused = {message.attributes["trace_id"] for message in messages if "trace_id" in message.attributes}
    with stub_mlflow() as stub:
        stub.answer = refuse
        assert pipeline.events.send(messages) == []
        pipeline.write(mlflow_url=stub.url)


def test_dead_letters_come_back_to_mlflow_by_one_command(pipeline: MotoPipeline, experiment: str) -> None:
    event, large = prediction_event(experiment), prediction_event(experiment)
    dead_letter(pipeline, inline_message(event), claimed(large, S3Claims(pipeline.bucket)))
    for key in list(pipeline.bucket.keys("claims/")):
        pipeline.bucket.delete(key)  # as its rule of expiry does
    assert (pipeline.dead.waiting(), pipeline.waiting()) == ((2, 0), 0)

    listed = pipeline.run("dead-letters")
    assert listed.exit_code == 1
    assert "2 open dead letter(s) in S3, 2 on the dead-letter queue" in listed.stdout
    assert "Rejected: POST" in listed.stdout
    redriven = pipeline.run("dead-letters", "redrive", "--all", answer="y\n")
    assert redriven.exit_code == 0, redriven.output
    assert "2 redriven; 2 left the dead-letter queue, 0 stay" in redriven.stdout
    pipeline.write()

    assert Mlflow(pipeline.mlflow_url).trace_ids(experiment) == {event.trace_id, large.trace_id}
    well = pipeline.run("dead-letters")
    assert (well.exit_code, pipeline.dead.waiting(), pipeline.waiting()) == (0, (0, 0), 0)
    assert pipeline.json("dead-letters") == {"letters": [], "on_queue": 0}
    nothing = pipeline.run("dead-letters", "redrive", "--all")
    assert (nothing.exit_code, pipeline.waiting()) == (0, 0)


def test_nothing_is_done_without_a_yes(pipeline: MotoPipeline) -> None:
    dead_letter(pipeline, Message("not json", inline_message(prediction_event()).attributes))
    no = pipeline.run("dead-letters", "redrive", "--all", answer="n\n")
    dry = pipeline.run("dead-letters", "drop", "--all", "--dry-run")
    unanswered = pipeline.run("dead-letters", "drop", "--all")
    assert [result.exit_code for result in (no, dry, unanswered)] == [1, 0, 1]
    assert "1 dead letter(s) will be given up" in dry.stderr
    assert "nothing was done" in no.stderr
    assert (pipeline.dead.waiting(), pipeline.waiting()) == ((1, 0), 0)
    assert [one["state"] for one in pipeline.json("dead-letters")["letters"]] == ["open"]


def test_letters_are_chosen_by_id_model_and_reason(pipeline: MotoPipeline) -> None:
    iris, abalone = prediction_event("offpath/iris"), prediction_event("offpath/abalone")
    not_json = Message("not json", inline_message(abalone).attributes)
    dead_letter(pipeline, inline_message(iris), not_json)
    found = {one["model"]: one["name"] for one in pipeline.json("dead-letters")["letters"]}
    assert found.keys() == {"iris", "abalone"}
    assert [one["name"] for one in pipeline.json("dead-letters", "--model", "iris")["letters"]] == [found["iris"]]
    for arguments, name in [
        ([found["iris"]], "iris"),
        ([found["iris"][:30]], "iris"),
        ([f"tr-{iris.trace_id}"], "iris"),
        (["--model", "abalone"], "abalone"),
        (["--reason", "not JSON"], "abalone"),
        (["--reason", "rejected"], "iris"),
    ]:
        chosen = pipeline.json("dead-letters", "redrive", *arguments, "--dry-run")["chosen"]
        assert [one["name"] for one in chosen] == [found[name]], arguments
    assert pipeline.run("dead-letters", "redrive").exit_code == 2
    assert pipeline.run("dead-letters", "show", "gone").exit_code == 1


def test_a_letter_is_shown_with_its_spans_and_without_escapes(pipeline: MotoPipeline) -> None:
    large = prediction_event("offpath/iris", {"session.id": "s-1"})
    odd = Message("not json \x1b[31m", inline_message(prediction_event("offpath/odd")).attributes)
    dead_letter(pipeline, claimed(large, S3Claims(pipeline.bucket)), odd)
    shown = pipeline.run("dead-letters", "show", large.trace_id)
    assert shown.exit_code == 0
    for text in ("Rejected", "POST /predict", "session.id: s-1", "attribute kind", "claimed"):
        assert text in shown.stdout
    raw = pipeline.run("dead-letters", "show", odd.attributes["trace_id"])
    assert "the body cannot be read as spans" in raw.stdout
    assert "\x1b" not in raw.stdout
    assert pipeline.json("dead-letters", "show", odd.attributes["trace_id"])["body"] == odd.body


def test_dropped_letters_leave_the_queue_and_stay_in_s3(pipeline: MotoPipeline) -> None:
    dead_letter(pipeline, Message("not json", inline_message(prediction_event()).attributes))
    assert pipeline.json("dead-letters", "drop", "--all", "--yes")["off_queue"] == 1
    assert pipeline.dead.waiting() == (0, 0)
    assert pipeline.run("dead-letters").exit_code == 0
    [kept] = pipeline.json("dead-letters", "--settled")["letters"]
    assert kept["state"] == "dropped"
    assert pipeline.json("dead-letters", "redrive", kept["name"], "--yes")["redriven"] == []


def test_what_sqs_itself_dead_lettered_comes_back_with_all(pipeline: MotoPipeline, experiment: str) -> None:
    event = prediction_event(experiment)
    SqsQueue(sqs_client(), pipeline.dead_letter_url).send([inline_message(event)])
    assert pipeline.run("dead-letters").exit_code == 1
    redriven = pipeline.json("dead-letters", "redrive", "--all", "--yes")
    assert (len(redriven["redriven"]), redriven["off_queue"], redriven["left"]) == (1, 1, {})
    pipeline.write()
    assert Mlflow(pipeline.mlflow_url).trace_ids(experiment) == {event.trace_id}


def test_a_pipeline_that_does_not_answer_ends_otherwise(
    pipeline: MotoPipeline, nowhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", nowhere)
    for arguments in (["dead-letters"], ["dead-letters", "redrive", "--all", "--yes"]):
        result = pipeline.run(*arguments)
        assert result.exit_code == 3
        assert "does not answer" in result.stderr
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    assert json.loads(pipeline.run("dead-letters", "--json").stdout)["on_queue"] == 0
