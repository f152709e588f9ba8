"""A job's document, its id and its message."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from offpath.aws.job_store import JobStore
from offpath.contracts.errors import MalformedJob, OffpathError, UnknownSchema
from offpath.contracts.names import job_key
from offpath.contracts.training_job import Job, Progress, PublicJob, id_in, is_id, message_of, new_id
from offpath.testing import InMemoryBucket
from tests.support.builders.jobs import JOB_ID, RESULT, new_job


def test_a_document_is_read_as_it_was_written() -> None:
    job = new_job(result=RESULT, state="succeeded", parameters={"c": 0.5, "max_iter": 7})
    assert Job.parse(job.to_json()) == job
    assert b'"schema": "job/1"' in job.to_json()


def test_a_field_of_a_later_version_is_passed_over() -> None:
    assert Job.parse(new_job().to_json().replace(b'"id":', b'"color": "red", "id":')).id == JOB_ID


def test_fields_of_a_later_version_are_kept_through_every_change() -> None:
    later = Job.parse(new_job().to_json().replace(b'"id":', b'"color": "red", "id":'))
    for changed in (later.started("c", 2), later.progressed(Progress()), later.failed("no"), later.handed_back(0)):
        assert json.loads(changed.to_json())["color"] == "red"


@pytest.mark.parametrize(("old", "new"), [(b"job/1", b"job/2"), (b'"queued"', b'"paused"')])
def test_unknown_schema_or_state_is_left_for_a_newer_reader(old: bytes, new: bytes) -> None:
    with pytest.raises(UnknownSchema, match=new.decode().strip('"')):
        Job.parse(new_job().to_json().replace(old, new))


def test_changes_of_state_are_valid_documents() -> None:
    started = new_job().started("claim", 2)
    assert (started.state, started.attempts, started.claim) == ("running", 1, "claim")
    assert started.started_at is not None
    assert started.started("other", 2).started("third", 2).attempts == 2
    done = started.succeeded(RESULT)
    assert (done.state, done.result, done.progress.fraction, done.ended) == ("succeeded", RESULT, 1.0, True)
    failed = started.failed("out of memory")
    assert (failed.state, failed.error, failed.ended) == ("failed", "out of memory", True)
    back = started.handed_back(0)
    assert (back.state, back.attempts, back.claim, back.ended) == ("queued", 0, "", False)
    assert [Job.parse(job.to_json()) for job in (started, done, failed, back)] == [started, done, failed, back]


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"schema": "job/1", "state": "queued"}'])
def test_what_is_no_job_says_where(content: bytes) -> None:
    with pytest.raises(MalformedJob, match="not a job of the schema job/1: "):
        Job.parse(content)


def test_callers_do_not_see_the_claim_of_a_job() -> None:
    later = Job.parse(new_job(claim="secret").to_json().replace(b'"id":', b'"color": "red", "id":'))
    shown = TypeAdapter(PublicJob).dump_python(later, mode="json")
    assert shown.keys() == PublicJob.model_fields.keys()


@given(st.lists(st.datetimes(datetime(2000, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)), min_size=2))
def test_ids_sort_by_their_second(times: list[datetime]) -> None:
    ids = [new_id(at) for at in sorted(times)]
    assert all(map(is_id, ids))
    assert [one.split("-")[0] for one in sorted(ids)] == [one.split("-")[0] for one in ids]
    assert len(set(ids)) == len(ids)


def test_a_message_names_its_job() -> None:
    assert id_in(message_of(JOB_ID).body) == JOB_ID


@given(st.text() | st.from_regex(r'\{"schema": "job/\d", "id": "[a-z]*"\}'))
def test_any_other_message_is_refused_as_one(body: str) -> None:
    with pytest.raises(OffpathError):
        id_in(body)


def test_the_jobs_of_a_bucket_are_listed_oldest_first() -> None:
    store = JobStore(InMemoryBucket())
    later, earlier = new_job("20270101t000000-" + "0" * 24), new_job("20260101t000000-" + "f" * 24)
    for job in (later, earlier):
        store.create(job)
    assert store.ids() == [earlier.id, later.id]
    assert job_key(later.id) == f"jobs/{later.id}.json"


def test_a_job_whose_creation_was_not_confirmed_is_there_once() -> None:
    store = JobStore(InMemoryBucket())
    stored = store.create(new_job())
    assert store.create(stored.job) == stored
