"""Today's readers find in each published schema all that it holds."""

import gzip
import json
from datetime import UTC, datetime

import pytest

from offpath.aws.s3 import S3Claims
from offpath.contracts import names, receipt, spilled
from offpath.contracts.model_manifest import Manifest, ModelVersion
from offpath.contracts.recipes import Recipes
from offpath.contracts.trace_event import TraceEvent, decode_message
from offpath.contracts.training_job import Job, id_in
from offpath.testing import InMemoryBucket
from offpath_cli.compare.archive import ArchivedTraces
from tests.support.golden import golden, golden_files, golden_message
from trace_writer.decode import Received, decode

PREDICTED, REFUSED = "530419e28b71ed55877312de63cfa8d1", "703ff6d6043f728c61d6b230c2b8bdc6"
CONTINUED = "4bf92f3577b34da6a3ce929d0e0e4736"  # the trace of the request's traceparent
SPILLED, LOGGED = (
    "576c42f31509c3da708f5b27355c72dd",
    ("662a74d7e3199e40c864eab848715457", "4fa15fc7f5d68c94a77017d17a0d984a"),
)
JOB_ID = "20261125t041414-0f359a5b9a7511596d8c372e"
CLAIM_KEY = f"claims/{CONTINUED}/5a18ceedfa44fa0449031a7421c4a3d1c7447eedb5d93e608509640d9134e7f0.json"
REQUEST = "POST /models/{name}/predict"
HOUR = datetime(2026, 11, 25, 4, tzinfo=UTC)


def claims() -> S3Claims:
    bucket = InMemoryBucket("offpath-archive")
    bucket.put(CLAIM_KEY, golden("otlp-json/1/claim.json"))
    return S3Claims(bucket)


@pytest.mark.parametrize(("name", "trace_id"), [("predicted", PREDICTED), ("shadow", PREDICTED), ("refused", REFUSED)])
def test_an_inline_trace_event_is_what_its_message_holds(name: str, trace_id: str) -> None:
    message = golden_message(f"otlp-json/1/{name}.json")
    assert decode_message(message, claims()) == TraceEvent(trace_id, "offpath/iris", message.body)


def test_a_claimed_trace_event_is_what_lies_in_s3() -> None:
    body = golden("otlp-json/1/claim.json").decode()
    event = decode_message(golden_message("otlp-json/1/claimed.json"), claims())
    assert event == TraceEvent(CONTINUED, "offpath/iris", body)


@pytest.mark.parametrize("name", ["predicted", "shadow", "refused", "claimed"])
def test_writer_turns_each_trace_event_into_spans(name: str) -> None:
    decoded = decode(Received("1", golden_message(f"otlp-json/1/{name}.json")), claims())
    assert decoded.experiment == "offpath/iris"
    assert decoded.line in golden_archive_lines()
    assert len(decoded.payload) > 500


def golden_archive() -> bytes:
    [name] = [str(path) for path in golden_files() if path.parts[0] == "archive"]
    return golden(name)


def golden_archive_lines() -> list[bytes]:
    return gzip.decompress(golden_archive()).splitlines()


def test_the_archive_is_read_back_with_every_number() -> None:
    bucket = InMemoryBucket()
    bucket.put("archive/v1/date=2026-11-25/hour=04/a.jsonl.gz", golden_archive())
    events = list(ArchivedTraces(bucket, HOUR, HOUR).spans("iris"))
    assert [[span.name for span in event] for event in events] == [
        ["validate", "iris", REQUEST],
        ["iris shadow"],
        ["validate", REQUEST],
        ["validate", "iris", REQUEST],
        ["iris shadow"],
    ]
    roots = [event[-1] for event in events]
    assert [root.trace_id for root in roots] == [PREDICTED, PREDICTED, REFUSED, CONTINUED, CONTINUED]
    assert [root.failed for root in roots] == [False, False, True, False, False]
    assert [root.attributes["offpath.sequence"] for root in roots] == [1, 2, 3, 4, 5]
    assert {root.attributes["offpath.instance"] for root in roots} == {"338d2b3ce1b64062b37cbdb415d88ff5"}


@pytest.mark.parametrize("name", ["with_schema", "without_schema"])
def test_a_spilled_message_is_the_one_that_was_not_sent(name: str) -> None:
    message = spilled.load(golden(f"spill/1/{name}.json"))
    assert dict(message.attributes) == {
        "kind": "inline",
        "schema": "otlp-json/1",
        "experiment": "offpath/iris",
        "trace_id": SPILLED,
    }
    assert decode_message(message, claims()).trace_id == SPILLED


@pytest.mark.parametrize("name", ["with_schema", "without_schema"])
def test_spilled_message_keeps_its_key_of_0_1_0(name: str) -> None:
    message = spilled.load(golden(f"spill/1/{name}.json"))
    assert spilled.key("offpath-traces", message) == f"spill/offpath-traces/{SPILLED}-0e43104548fff770.json"


def test_the_log_gives_back_each_message_whole() -> None:
    lines = golden("offpath_spill/lines.jsonl").decode().splitlines()
    messages = list(spilled.from_log(["START RequestId: 1", *reversed(lines)]))
    assert len(lines) == 4
    assert {message.attributes["trace_id"] for message in messages} == set(LOGGED)
    for message in messages:
        [spans] = [scope["spans"] for scope in json.loads(message.body)["resourceSpans"][0]["scopeSpans"]]
        assert spans[-1]["name"] == REQUEST


def published(name: str) -> dict[str, dict[str, ModelVersion]]:
    """Return the versions that a manifest serves: model → alias → version."""
    manifest = Manifest.parse(golden(f"models/1/{name}.json"))
    assert not manifest.unreadable
    assert not any(model.unreadable for model in manifest.models.values())
    return {name: model.aliases for name, model in manifest.models.items()}


def test_a_manifest_is_read_and_would_be_written_alike() -> None:
    models = published("manifest")
    champion, challenger = models["iris"]["champion"], models["iris"]["challenger"]
    assert (champion.number, champion.weight, champion.shadow, champion.source) == ("1", 75, False, "models:/m-iris-1")
    assert (challenger.number, challenger.weight, challenger.shadow) == ("2", 25, True)
    assert champion.labels == ("setosa", "versicolor", "virginica")
    types = ["double", "float", "long", "integer", "boolean", "string"]
    parcels, reviews = models["parcels"]["champion"], models["reviews"]["champion"]
    assert [(column.type, column.required) for column in parcels.signature.columns] == [
        (kind, kind != "string") for kind in types
    ]
    assert reviews.tokenizer is not None
    assert reviews.tokenizer.bytes == 321
    assert Manifest.parse(golden("models/1/manifest.json")).to_json() == golden("models/1/manifest.json")


def test_tensors_that_stood_apart_are_among_the_aliases() -> None:
    models = published("manifest_with_tensors")
    assert {name: [*aliases] for name, aliases in models.items()} == {
        "digits": ["champion"],
        "iris": ["challenger", "champion", "next"],
        "parcels": ["champion"],
        "reviews": ["champion"],
    }
    pixels, title = models["digits"]["champion"].signature.tensors
    assert (pixels.key, pixels.dtype, pixels.shape) == ("pixels", "uint8", (-1, 2, 2))
    assert (title.key, title.dtype, title.shape) == ("title", "str", (-1,))
    [features] = models["iris"]["next"].signature.tensors
    assert (features.name, features.dtype, features.shape) == (None, "float32", (-1, 4))


@pytest.mark.parametrize(
    ("name", "state", "attempts", "ended"),
    [
        ("queued", "queued", 0, False),
        ("running", "running", 1, False),
        ("handed_back", "queued", 0, False),
        ("succeeded", "succeeded", 1, True),
        ("failed", "failed", 1, True),
    ],
)
def test_job_is_read_in_each_state_and_written_alike(name: str, state: str, attempts: int, ended: bool) -> None:
    content = golden(f"job/1/{name}.json")
    job = Job.parse(content)
    assert (job.state, job.attempts, job.ended) == (state, attempts, ended)
    assert job.to_json() == content


def test_a_job_that_succeeded_has_its_result() -> None:
    job = Job.parse(golden("job/1/succeeded.json"))
    assert (job.id, job.model, job.seed, job.parameters) == (JOB_ID, "iris", 7, {"c": 0.5, "max_iter": 200})
    assert job.promote is not None
    assert (job.promote.metric, job.promote.margin) == ("validation_f1", 0.05)
    assert job.result is not None
    assert (job.result.version, job.result.alias, job.result.metrics["validation_f1"]) == ("1", "challenger", 1.0)
    assert job.result.promotion is not None
    assert job.result.promotion.promoted


def test_a_job_that_failed_says_why() -> None:
    job = Job.parse(golden("job/1/failed.json"))
    assert job.data == ("datasets/abalone.data",)
    assert "the first row has 2 columns" in str(job.error)


def test_a_jobs_message_names_it() -> None:
    assert id_in(golden("job/1/message.json").decode()) == JOB_ID


def test_the_announced_recipes_are_read() -> None:
    read = Recipes.parse(golden("recipes/1/recipes.json"))
    assert read.made_from == "eafbdde63b41e1383634bfeabe0b2c350df5d85c6adb9fb924040080a1a83b22"
    assert {name: recipe.takes_data for name, recipe in read.recipes.items()} == {"iris": False, "abalone": True}
    assert read.recipes["iris"].parameters["properties"]["max_iter"]["default"] == 200
    assert read.recipes["abalone"].metrics["validation_rmse"] == "lower"


def test_receipts_say_how_each_event_ended() -> None:
    read = [receipt.load(line) for line in golden("receipt/1/receipts.jsonl").splitlines()]
    assert [(one.end, one.event.sequence, one.event.trace_id) for one in read] == [
        ("in_mlflow", 1, PREDICTED),
        ("in_mlflow", 2, PREDICTED),
        ("dead_lettered", 3, REFUSED),
        ("dead_lettered", 0, CONTINUED),
    ]
    assert {one.event.instance for one in read} == {"338d2b3ce1b64062b37cbdb415d88ff5", ""}
    assert [one.event.model for one in read] == ["iris", "iris", "iris", ""]
    assert read[0].event.ended_at == datetime(2026, 11, 25, 4, 13, 41, 980_000, UTC)


def test_keys_stay_where_each_release_looks_for_them() -> None:
    day = datetime(2026, 11, 5, 4, tzinfo=UTC)
    assert (names.MANIFEST_KEY, names.RECIPES_KEY) == ("models/manifest.json", "training/recipes.json")
    assert names.archive_hour_prefix(day) == "archive/v1/date=2026-11-05/hour=04/"
    assert names.receipts_hour_prefix(day) == "receipts/v1/date=2026-11-05/hour=04/"
    assert names.claim_key("t", "d") == "claims/t/d.json"
    assert names.spill_prefix("offpath-traces") == "spill/offpath-traces/"
    assert names.job_key(JOB_ID) == f"jobs/{JOB_ID}.json"
    assert (names.model_file_key("d"), names.tokenizer_file_key("d")) == (
        "models/sha256/d.onnx",
        "models/sha256/d.json",
    )
    assert (names.CHAMPION, names.JOB_TAG, names.DATASETS_PREFIX) == ("champion", "offpath.job", "datasets/")
