"""Training jobs for MLflow's machine, ordered as the API orders them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from offpath.aws.job_store import JobStore
from offpath.aws.s3 import Bucket
from offpath.aws.sqs import SqsQueue
from offpath.contracts.names import RECIPES_KEY
from offpath.contracts.training_job import Job
from prediction_api.jobs.recipe_book import RecipeBook
from prediction_api.jobs.training import Training
from tests.support.mlflow_machine import ARCHIVE, Account, MlflowMachine
from tests.support.waiting import wait_for


class MachineJobs:
    """Somebody who orders trainings from a machine, and looks how far they are."""

    def __init__(self, account: Account, machine: MlflowMachine) -> None:
        bucket = Bucket(account.s3, ARCHIVE)
        queue = SqsQueue(account.sqs, account.jobs_url)
        self._machine = machine
        self._training = Training(RecipeBook(bucket), JobStore(bucket), queue, bucket)
        wait_for(lambda: bucket.exists(RECIPES_KEY), self._log)

    def order(self, model: str, **body: Any) -> str:
        """The id of a new job."""
        return self._training.submit(model, json.dumps(body).encode()).id

    @contextmanager
    def begun(self) -> Iterator[str]:
        """The id of a new job that is being trained: it cannot end, as MLflow is stopped as long as the block lasts."""
        self._machine.run("systemctl stop offpath-mlflow")
        try:
            job_id = self.order("abalone")
            self.wait(job_id, lambda job: job.progress.fraction > 0)
            yield job_id
        finally:
            self._machine.run("systemctl start offpath-mlflow")

    def wait(self, job_id: str, until: Callable[[Job], bool]) -> Job:
        """The job, once it is so far."""
        return wait_for(lambda: self._job_if(job_id, until), lambda: f"{self._training.find(job_id)}\n{self._log()}")

    def _job_if(self, job_id: str, until: Callable[[Job], bool]) -> Job | None:
        job = self._training.find(job_id)
        return job if until(job) else None

    def run(self, model: str, **body: Any) -> Job:
        """A new job, once it has ended."""
        return self.wait(self.order(model, **body), lambda job: job.ended)

    def _log(self) -> str:
        return self._machine.run("journalctl --unit offpath-trainer --no-pager --lines 60").text
