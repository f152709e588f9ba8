"""`python -m training.worker`: the training worker. It imports nothing slow; trainings are processes of their own."""

import logging
import os
import sys
import threading
from collections.abc import Mapping

from offpath.aws.clients import s3_client, sqs_client
from offpath.aws.job_store import JobStore
from offpath.aws.s3 import Bucket
from offpath.contracts.errors import SettingsError
from training.worker.attempt import Limits
from training.worker.job_lease import JobLease
from training.worker.log_setup import configure
from training.worker.settings import WorkerSettings
from training.worker.sqs_jobs import WAIT_SECONDS, SqsJobs
from training.worker.stop_signal import Stop
from training.worker.task_protocol import Assignment
from training.worker.training_process import TrainingProcess, end_process, start_process
from training.worker.worker import Start, Worker

ANNOUNCE = (sys.executable, "-m", "training.worker.announce")
# How many of its beats may fail before others see a job's message.
BEATS = 3

log = logging.getLogger("worker")


def main() -> None:
    """Work until SIGTERM or SIGINT."""
    configure()
    settings = _settings(os.environ)
    stop = Stop()
    stop.install()
    queue = SqsJobs(
        sqs_client(timeout_seconds=WAIT_SECONDS + 10),
        settings.training_queue_url,
        settings.training_visibility_seconds,
    )
    store = JobStore(Bucket(s3_client(), settings.bucket))
    limits = Limits(
        settings.training_seconds, settings.training_memory_mb, settings.training_visibility_seconds / BEATS
    )
    announcing = start_process(ANNOUNCE)
    threading.Thread(target=announcing.wait, name="announcement", daemon=True).start()  # it leaves no zombie
    log.info("waiting for jobs on %s", settings.training_queue_url)
    try:
        Worker(queue, store, _starter(settings), limits, stop).run()
    finally:
        end_process(announcing)


def _starter(settings: WorkerSettings) -> Start:
    def start(lease: JobLease, folder: str) -> TrainingProcess:
        return TrainingProcess(
            Assignment(
                job=lease.job,
                again=lease.again,
                train=not lease.exhausted,
                folder=folder,
                bucket=settings.bucket,
                mlflow_wait_seconds=settings.training_mlflow_wait_seconds,
                pages_url=settings.training_pages_url,
            )
        )

    return start


def _settings(environ: Mapping[str, str]) -> WorkerSettings:
    """Raises SystemExit that says what is wrong."""
    try:
        settings = WorkerSettings.load(environ)
        if not environ.get("MLFLOW_TRACKING_URI"):
            raise SettingsError("MLFLOW_TRACKING_URI is not set; it holds the address of the MLflow server")
    except SettingsError as error:
        raise SystemExit(str(error)) from error
    return settings


if __name__ == "__main__":
    main()
