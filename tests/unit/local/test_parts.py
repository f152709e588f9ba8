import json
import sys
from pathlib import Path

import pytest

from local.settings import LocalSettings
from local.stack.first_trace import Sample
from local.stack.home import Home
from local.stack.parts import Parts


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    home = Home(tmp_path)
    home.prepare()
    return Parts(LocalSettings(writer_timeout_seconds=3, drain_seconds=2), home, {})


def test_every_server_is_bound_to_loopback_only(parts: Parts) -> None:
    for part in (parts.s3(), parts.sqs(), parts.mlflow(), parts.api()):
        line = " ".join(part.command)
        assert "127.0.0.1" in line
        assert "0.0.0.0" not in line


def test_each_port_of_s3_has_a_value(parts: Parts) -> None:
    options = dict(option.lstrip("-").split("=") for option in parts.s3().command if "=" in option)
    ports = {name: int(value) for name, value in options.items() if "port" in name.lower()}
    assert sorted(value for value in ports.values() if value) == list(range(5577, 5585))
    assert {name for name, value in ports.items() if not value} == {"s3.port.iceberg", "s3.port.lance", "metricsPort"}
    assert options["master.telemetry"] == "false"


def test_s3_knows_one_identity_that_others_on_the_machine_cannot_read(parts: Parts, tmp_path: Path) -> None:
    parts.s3()
    (identity,) = json.loads((tmp_path / "s3.json").read_text())["identities"]
    assert identity["credentials"] == [{"accessKey": "offpath", "secretKey": "offpath-local"}]
    assert (tmp_path / "s3.json").stat().st_mode & 0o077 == 0


def test_mlflow_has_one_worker_no_jobs_and_its_state_in_the_folder(parts: Parts, tmp_path: Path) -> None:
    part = parts.mlflow()
    assert f"sqlite:///{tmp_path}/mlflow/mlflow.db" in part.command
    assert part.command[part.command.index("--workers") + 1] == "1"
    assert part.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    assert part.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_the_writer_may_take_an_invocation_and_the_drain_to_end(parts: Parts) -> None:
    assert parts.writer().grace_seconds > 3 + 2


def test_training_is_a_task_that_waits_for_mlflow(parts: Parts) -> None:
    part = parts.train()
    assert part.is_task
    assert part.command == (sys.executable, "-m", "training", "iris", "--wait", "180")
    assert part.environ["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:5000"


def test_the_training_worker_is_told_its_queue_its_bucket_and_mlflow_and_is_kept_running(parts: Parts) -> None:
    part = parts.worker()
    assert part.command == (sys.executable, "-m", "training.worker")
    assert part.environ["OFFPATH_TRAINING_QUEUE_URL"] == "http://127.0.0.1:5566/123456789012/offpath-training"
    assert part.environ["OFFPATH_BUCKET"] == "offpath-archive"
    assert part.environ["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:5000"
    assert part.restarts
    assert parts.api().environ["OFFPATH_TRAINING_QUEUE_URL"] == part.environ["OFFPATH_TRAINING_QUEUE_URL"]


def test_the_curl_line_can_be_pasted_whatever_the_record_holds() -> None:
    line = Sample("sentiment", {"text": "it's fine"}).curl(LocalSettings())
    assert line == (
        "curl http://127.0.0.1:8000/models/sentiment/predict \\\n"
        "  -H 'content-type: application/json' \\\n"
        """  -d '{"inputs": [{"text": "it'"'"'s fine"}]}'"""
    )
