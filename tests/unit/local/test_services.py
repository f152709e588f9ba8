import json
import sys
from pathlib import Path

import pytest

from local.settings import LocalSettings
from local.stack import seaweedfs
from local.stack.first_prediction import FirstRequest
from local.stack.home import Home
from local.stack.services import Services


@pytest.fixture
def services(tmp_path: Path) -> Services:
    home = Home(tmp_path)
    home.prepare()
    return Services(LocalSettings(writer_timeout_seconds=3, drain_seconds=2), home, {})


def test_every_server_is_bound_to_loopback_only(services: Services) -> None:
    for service in (services.s3(), services.sqs(), services.mlflow(), services.api()):
        line = " ".join(service.command)
        assert "127.0.0.1" in line
        assert "0.0.0.0" not in line


def test_each_port_of_s3_has_a_value(services: Services) -> None:
    options = dict(option.lstrip("-").split("=") for option in services.s3().command if "=" in option)
    ports = {name: int(value) for name, value in options.items() if "port" in name.lower()}
    assert sorted(value for value in ports.values() if value) == list(range(5577, 5585))
    assert {name for name, value in ports.items() if not value} == {"s3.port.iceberg", "s3.port.lance", "metricsPort"}
    assert options["master.telemetry"] == "false"


def test_s3_knows_one_identity_that_only_its_user_can_read(tmp_path: Path) -> None:
    path = tmp_path / "s3.json"
    path.touch(mode=0o644)
    seaweedfs.write_identities(path)
    (identity,) = json.loads(path.read_text())["identities"]
    assert identity["credentials"] == [{"accessKey": "offpath", "secretKey": "offpath-local"}]
    assert path.stat().st_mode & 0o077 == 0


def test_describing_the_services_writes_nothing(services: Services, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    for describe in (services.s3, services.sqs, services.mlflow, services.api, services.writer, services.sync):
        describe()
    assert sorted(tmp_path.rglob("*")) == before


def test_mlflow_has_one_worker_and_its_state_in_the_folder(services: Services, tmp_path: Path) -> None:
    service = services.mlflow()
    assert f"sqlite:///{tmp_path}/mlflow/mlflow.db" in service.command
    assert service.command[service.command.index("--workers") + 1] == "1"
    assert service.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    assert service.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_the_writers_grace_covers_an_invocation_and_the_drain(services: Services) -> None:
    assert services.writer().grace_seconds > 3 + 2


def test_training_is_a_task_that_waits_for_mlflow(services: Services) -> None:
    service = services.train()
    assert service.is_task
    assert service.command == (sys.executable, "-m", "training", "iris", "--wait", "180")
    assert service.environ["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:5000"


def test_the_training_worker_knows_queue_bucket_and_mlflow_and_restarts(services: Services) -> None:
    service = services.worker()
    assert service.command == (sys.executable, "-m", "training.worker")
    assert service.environ["OFFPATH_TRAINING_QUEUE_URL"] == "http://127.0.0.1:5566/123456789012/offpath-training"
    assert service.environ["OFFPATH_BUCKET"] == "offpath-archive"
    assert service.environ["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:5000"
    assert service.restarts
    assert services.api().environ["OFFPATH_TRAINING_QUEUE_URL"] == service.environ["OFFPATH_TRAINING_QUEUE_URL"]


def test_the_curl_line_quotes_whatever_the_record_holds() -> None:
    line = FirstRequest("sentiment", {"text": "it's fine"}).curl(LocalSettings())
    assert line == (
        "curl http://127.0.0.1:8000/models/sentiment/predict \\\n"
        "  -H 'content-type: application/json' \\\n"
        """  -d '{"inputs": [{"text": "it'"'"'s fine"}]}'"""
    )
