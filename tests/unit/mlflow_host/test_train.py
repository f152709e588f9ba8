"""Test the training worker's environment on MLflow's machine."""

from offpath_host.secrets import Login
from offpath_host.settings import HostSettings
from offpath_host.train import environment
from tests.support.machines.mlflow_host_settings import ENVIRON
from training.worker.settings import WorkerSettings

TRAINER = Login("trainer", "pass-1")


def test_the_worker_logs_in_at_this_machines_own_entrance() -> None:
    told = environment(HostSettings.load(ENVIRON), TRAINER)
    assert told["MLFLOW_TRACKING_URI"] == "http://localhost:5000"
    assert (told["MLFLOW_TRACKING_USERNAME"], told["MLFLOW_TRACKING_PASSWORD"]) == ("trainer", "pass-1")
    assert told["AWS_DEFAULT_REGION"] == "eu-central-1"


def test_results_link_to_where_people_open_mlflow() -> None:
    given = ENVIRON | {"OFFPATH_TRAINING_QUEUE_URL": "https://sqs/1/jobs"}
    at_the_domain = given | environment(HostSettings.load(given | {"OFFPATH_DOMAIN": "mlflow.example.com"}), TRAINER)
    by_a_tunnel = given | environment(HostSettings.load(given), TRAINER)
    assert WorkerSettings.load(at_the_domain).training_pages_url == "https://mlflow.example.com"
    assert WorkerSettings.load(by_a_tunnel).training_pages_url is None
