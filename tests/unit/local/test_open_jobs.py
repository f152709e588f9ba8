from local.stack.open_jobs import resume
from offpath.aws.job_store import JobStore
from offpath.contracts.names import job_key
from offpath.contracts.training_job import id_in
from offpath.testing import InMemoryBucket, InMemoryQueue
from tests.support.builders.jobs import new_job


def test_open_jobs_are_queued_again_in_order() -> None:
    bucket, queue = InMemoryBucket(), InMemoryQueue()
    store = JobStore(bucket)
    states = ["queued", "running", "succeeded", "failed", "queued"]
    jobs = [new_job(f"2026010{day}t000000-{'0' * 24}", state=state) for day, state in enumerate(states, start=1)]
    for job in jobs:
        store.create(job)
    bucket.put("jobs/notes.txt", b"")
    bucket.put("jobs/broken.json", b"{")

    assert resume(store, queue) == 3
    assert [id_in(message.body) for message in queue.messages] == [jobs[0].id, jobs[1].id, jobs[4].id]


def test_job_of_a_newer_version_is_queued_for_its_worker() -> None:
    bucket, queue = InMemoryBucket(), InMemoryQueue()
    paused = new_job()
    bucket.put(job_key(paused.id), paused.to_json().replace(b'"queued"', b'"paused"'))
    assert resume(JobStore(bucket), queue) == 1
    assert [id_in(message.body) for message in queue.messages] == [paused.id]
