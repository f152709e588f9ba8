"""Each part of a pipeline is told: well, asking for attention, or not to be seen."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from local.settings import LocalSettings
from local.stack import lock
from local.stack.home import Home
from offpath.aws.s3 import Listed
from offpath.contracts import writer_status
from offpath.contracts.errors import Rejected, Transient
from offpath.contracts.message import Message
from offpath.contracts.model_manifest import Manifest, RegisteredModel
from offpath.contracts.writer_status import WriterStatus
from offpath.testing import InMemoryBucket, InMemoryQueue
from offpath_cli.status import parts
from offpath_cli.status.finding import Finding, State, exit_code, looked_at
from offpath_cli.status.local_services import local_services
from tests.support.fakes.trace_writer import NOON
from tests.unit.trace_writer.test_dead_letters import take

MINUTE = timedelta(minutes=1)
WAITING = {"visible": 1_234, "in_flight": 5, "delayed": 0}


def test_a_queue_is_late_when_its_oldest_event_is_old() -> None:
    assert parts.queue(WAITING, None).text == "1,234 waiting, 5 in flight"
    assert parts.queue(WAITING, 9 * MINUTE).state is State.well
    late = parts.queue(WAITING, 11 * MINUTE)
    assert (late.state, late.values["oldest_seconds"]) == (State.attention, 660)
    assert "the oldest came 11 min ago" in late.text


def test_dead_letters_ask_for_attention_until_they_are_settled() -> None:
    bucket = InMemoryBucket()
    assert parts.dead_letters(bucket).state is State.well
    assert take(Message("not json", {}), Rejected("HTTP 400"), InMemoryQueue(), bucket)
    assert (parts.dead_letters(bucket).state, parts.dead_letters(bucket).values) == (State.attention, {"open": 1})
    assert parts.dead_letter_queue(WAITING).state is State.attention
    assert parts.dead_letter_queue(dict.fromkeys(WAITING, 0)).state is State.well


@pytest.mark.parametrize(("minutes", "state"), [((), "well"), ((29, 3), "well"), ((3, 31), "attention")])
def test_a_spill_is_told_by_its_oldest(minutes: tuple[int, ...], state: str) -> None:
    found = parts.spill([Listed("spill/q/a", 1, NOON - each * MINUTE) for each in minutes], NOON)
    assert (found.state, found.values["waiting"]) == (state, len(minutes))


def test_the_archives_last_object_is_found_over_hours() -> None:
    def listed(prefix: str) -> Iterator[Listed]:
        if prefix == "archive/v1/date=2031-07-14/hour=09/":
            yield Listed("a", 1, NOON - 170 * MINUTE)
            yield Listed("b", 1, NOON - 160 * MINUTE)

    assert parts.archive(listed, NOON).text == "the last object was written 2 h ago"
    assert parts.archive(lambda prefix: [], NOON).text == "nothing was written for two days"


def test_the_writers_last_word_is_told() -> None:
    bucket = InMemoryBucket()
    assert parts.writer(bucket, NOON).state is State.well
    bucket.put("status/writer.json", writer_status.dump(WriterStatus(NOON - 3 * MINUTE, mlflow_stores=True)))
    assert parts.writer(bucket, NOON).text == "MLflow stored what it got 3 min ago"
    away = WriterStatus(NOON, mlflow_stores=False, reason="connection refused")
    bucket.put("status/writer.json", writer_status.dump(away))
    assert parts.writer(bucket, NOON).state is State.attention
    assert "connection refused" in parts.writer(bucket, NOON).text


@pytest.mark.parametrize(
    ("result", "days", "state", "text"),
    [
        ("well", 1, "well", "nothing was missing 24 h ago"),
        ("missing", 1, "attention", "7 event(s) were missing 24 h ago: offpath audit names them"),
        ("unknown", 1, "unknown", "it could not tell 24 h ago: S3"),
        ("of a newer version", 1, "unknown", "it could not tell 24 h ago: S3"),
        ("well", 3, "attention", "nothing was missing 3 d ago; none was made since"),
    ],
)
def test_the_last_daily_audit_is_told(result: str, days: int, state: str, text: str) -> None:
    bucket = InMemoryBucket()
    assert parts.audit(bucket, NOON).state is State.skipped
    made = (NOON - timedelta(days=days)).isoformat().replace("+00:00", "Z")
    said = {"schema": "audit/1", "made_at": made, "result": result, "missing": 7, "reason": "S3"}
    bucket.put("status/audit.json", json.dumps(said).encode())
    assert (parts.audit(bucket, NOON).state, parts.audit(bucket, NOON).text) == (state, text)
    bucket.put("status/audit.json", b"[]")
    assert looked_at("audit", lambda: parts.audit(bucket, NOON)).state is State.unknown


def test_models_are_named_once_there_is_a_manifest() -> None:
    bucket = InMemoryBucket()
    assert parts.manifest(bucket, NOON).state is State.attention
    bucket.put("models/manifest.json", Manifest(models={"iris": RegisteredModel(aliases={})}).to_json())
    assert parts.manifest(bucket, NOON).text.startswith("iris; the manifest changed")


def test_what_cannot_be_told_is_said_with_the_reason() -> None:
    def look() -> Finding:
        raise Transient("S3 does not answer\nat all")

    assert looked_at("spill", look) == Finding("spill", State.unknown, "S3 does not answer")


@pytest.mark.parametrize(
    ("states", "code"),
    [("well skipped", 0), ("well unknown", 3), ("unknown attention", 1), ("attention", 1), ("", 0)],
)
def test_the_exit_code_says_the_worst_that_is_known(states: str, code: int) -> None:
    assert exit_code([Finding("part", State(state), "") for state in states.split()]) == code


def test_a_local_stack_runs_or_does_not(tmp_path: Path) -> None:
    settings = LocalSettings(home=tmp_path / "home")
    [nothing] = local_services(settings)
    assert (nothing.state, "no stack is running" in nothing.text) == (State.attention, True)
    home = Home(settings.home)
    home.prepare()
    with lock.held(home.lock):
        assert [found.state for found in local_services(settings)] == [State.well]
