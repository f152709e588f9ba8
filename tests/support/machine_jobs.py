"""Training jobs for MLflow's machine, ordered as the API orders them."""

import json
from collections.abc import Callable
from typing import Any

from offpath.aws.job_store import JobStore
from offpath.aws.s3 import Bucket
from offpath.aws.sqs import SqsQueue
from offpath.contracts.names import RECIPES_KEY
from offpath.contracts.training_job import Job
from prediction_api.jobs.recipe_book import RecipeBook
from prediction_api.jobs.training import Training
from tests.support.local_stack import wait_for
from tests.support.mlflow_machine import ARCHIVE, Account, MlflowMachine


class MachineJobs:
    """Somebody who orders trainings from a machine, and looks how far they are."""

    def __init__(self, account: Account, machine: MlflowMachine) -> None:
        bucket = Bucket(account.s3, ARCHIVE)
        queue = SqsQueue(account.sqs, account.jobs_url)
        self._machine = machine
        self._training = Training(RecipeBook(bucket), JobStore(bucket), queue, bucket)
        wait_for(lambda: bucket.exists(RECIPES_KEY), 60, self._log)

    def order(self, model: str, **body: Any) -> str:
        """The id of a new job."""
        return self._training.submit(model, json.dumps(body).encode()).id

    def begin_slow(self) -> str:
        """The id of a new job that is being trained, for some seconds."""
        job_id = self.order("abalone", parameters={"n_estimators": 1_000, "max_depth": 1})
        self.wait(job_id, lambda job: job.progress.fraction > 0)
        return job_id

    def wait(self, job_id: str, until: Callable[[Job], bool], seconds: float = 60) -> Job:
        """The job, once it is so far."""
        wait_for(
            lambda: until(self._training.find(job_id)), seconds, lambda: f"{self._training.find(job_id)}\n{self._log()}"
        )
        return self._training.find(job_id)

    def run(self, model: str, **body: Any) -> Job:
        """A new job, once it has ended."""
        return self.wait(self.order(model, **body), lambda job: job.ended)

    def _log(self) -> str:
        return self._machine.run("journalctl --unit offpath-trainer --no-pager --lines 60").text
