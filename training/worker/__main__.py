"""`python -m training.worker` runs the training worker. It imports nothing slow: trainings are other processes."""

import logging
import os
import sys
import threading
from collections.abc import Mapping

from offpath.aws.clients import s3_client, sqs_client
from offpath.aws.job_store import JobStore
from offpath.aws.s3 import Bucket
from offpath.aws.sqs import SQS_MAX_WAIT_SECONDS, SqsReceiver
from offpath.contracts.errors import SettingsError
from training.worker.attempt import Limits, Supervision
from training.worker.job_lease import JobLease
from training.worker.settings import WorkerSettings, configure_logging
from training.worker.stop_signal import StopSignal
from training.worker.task_protocol import Assignment
from training.worker.training_process import TrainingProcess, end_process, start_process
from training.worker.worker import StartTraining, TrainingWorker

ANNOUNCE = (sys.executable, "-m", "training.worker.announce")
# Heartbeats in a visibility timeout: so many may be missed before other workers see a job's message.
HEARTBEATS = 3

log = logging.getLogger("worker")


def main() -> None:
    """Train jobs until SIGTERM or SIGINT."""
    configure_logging()
    settings = _settings(os.environ)
    stop_signal = StopSignal()
    stop_signal.install()
    queue = SqsReceiver(
        sqs_client(timeout_seconds=SQS_MAX_WAIT_SECONDS + 10),
        settings.training_queue_url,
        settings.training_visibility_seconds,
    )
    store = JobStore(Bucket(s3_client(), settings.bucket))
    limits = Limits(
        settings.training_seconds, settings.training_memory_mb, settings.training_visibility_seconds / HEARTBEATS
    )
    announcing = start_process(ANNOUNCE)
    threading.Thread(target=announcing.wait, name="announcement", daemon=True).start()  # it leaves no zombie
    log.info("waiting for jobs on %s", settings.training_queue_url)
    try:
        TrainingWorker(queue, store, _start_by(settings), Supervision(limits, stop_signal)).run()
    finally:
        end_process(announcing)


def _start_by(settings: WorkerSettings) -> StartTraining:
    def start(lease: JobLease, folder: str) -> TrainingProcess:
        return TrainingProcess.start(
            Assignment(
                job=lease.job,
                is_retry=lease.is_retry,
                train=not lease.is_exhausted,
                folder=folder,
                bucket=settings.bucket,
                mlflow_wait_seconds=settings.training_mlflow_wait_seconds,
                pages_url=settings.training_pages_url,
            )
        )

    return start


def _settings(environ: Mapping[str, str]) -> WorkerSettings:
    """Read the settings. Raises SystemExit that says what is wrong."""
    try:
        settings = WorkerSettings.load(environ)
        if not environ.get("MLFLOW_TRACKING_URI"):
            raise SettingsError("MLFLOW_TRACKING_URI is not set; it holds the address of the MLflow server")
    except SettingsError as error:
        raise SystemExit(str(error)) from error
    return settings


if __name__ == "__main__":
    main()
