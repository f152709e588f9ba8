"""Training jobs: their queue, the worker on MLflow's machine, and how they are switched off."""

import configparser
import os
import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from offpath.aws.sqs import pause_seconds
from offpath_host.settings import HostSettings
from tests.infra.rendered import LEAST, Stack
from tests.infra.test_machine_setup import commands, host_env
from tests.support.machines.host_layer import SOURCE, pack
from training.worker.attempt import REGISTERING_SECONDS
from training.worker.settings import WorkerSettings

TRAINING = {**LEAST, "TrainingJobs": "true"}
ON, OFF = Stack(TRAINING), Stack(LEAST)
SWITCH = "OFFPATH_TRAINING_QUEUE_URL"


class Unit(configparser.RawConfigParser):
    """A unit of systemd's: names are not lowered; of what is there twice, the last counts."""

    def __init__(self, name: str) -> None:
        super().__init__(strict=False)
        self.read(SOURCE / "files/etc/systemd/system" / name)

    def optionxform(self, optionstr: str) -> str:
        return optionstr


TRAINER = Unit("offpath-trainer.service")["Service"]


def unit_environment() -> dict[str, str]:
    text = (SOURCE / "files/etc/systemd/system/offpath-trainer.service").read_text()
    lines = re.findall("^Environment=(.*)$", text, re.MULTILINE)
    return dict(word.split("=", 1) for line in lines for word in line.split())


def told(stack: Stack) -> tuple[str, str]:
    """Return the queue that the API is told of, and the machine's."""
    return stack["ApiFunction"]["Environment"]["Variables"][SWITCH], host_env(commands(stack))[SWITCH]


def test_the_api_sends_jobs_where_the_machine_takes_them() -> None:
    assert told(ON) == ("TrainingQueue", "TrainingQueue")


def test_switched_off_neither_knows_the_queue_whose_jobs_stay() -> None:
    assert told(OFF) == ("", "")
    assert "TrainingQueue" in OFF.resources


def test_queue_and_worker_have_the_same_visibility_timeout() -> None:
    visibility = WorkerSettings.model_fields["training_visibility_seconds"].default
    assert ON["TrainingQueue"]["VisibilityTimeout"] == visibility


def test_jobs_that_no_worker_ends_have_a_dead_letter_queue() -> None:
    redrive = ON["TrainingQueue"]["RedrivePolicy"]
    assert redrive == {"deadLetterTargetArn": "TrainingDeadLetterQueue.Arn", "maxReceiveCount": 1000}


def test_newer_workers_message_waits_for_sqss_retention() -> None:
    queue = ON["TrainingQueue"]
    receives = range(1, queue["RedrivePolicy"]["maxReceiveCount"] + 1)
    longest = sum(pause_seconds(queue["VisibilityTimeout"], count) for count in receives)
    assert longest > queue["MessageRetentionPeriod"]


def test_one_training_alone_is_not_alarming() -> None:
    longest = Stack({**TRAINING, "TrainingSeconds": "18000"})
    assert longest.refusals() == []
    assert longest["OldestTrainingJobAlarm"]["Threshold"] > 18_000 + REGISTERING_SECONDS


@pytest.mark.parametrize("seconds", ["60", "3600"])
def test_worker_and_machine_take_the_same_settings(seconds: str) -> None:
    environ = {**host_env(commands(Stack({**TRAINING, "TrainingSeconds": seconds}))), "OFFPATH_DATABASE_PORT": "5432"}
    worker, host = WorkerSettings.load(environ), HostSettings.load(environ)
    assert worker.training_seconds == host.training_seconds == float(seconds)
    assert worker.bucket == host.bucket == "ArchiveBucket"
    assert worker.training_queue_url == host.training_queue_url == "TrainingQueue"


def test_the_worker_trains_what_its_machine_can() -> None:
    environ = {**host_env(commands(ON)), "OFFPATH_TRAINING_RECIPES": unit_environment()["OFFPATH_TRAINING_RECIPES"]}
    assert WorkerSettings.load(environ).recipes == ["iris", "abalone", "sentiment-tfidf"]


def test_trainings_leave_processors_and_memory_to_mlflow() -> None:
    limits = ("CPUQuota", "CPUWeight", "IOWeight", "MemoryMax", "MemorySwapMax", "TasksMax")
    assert {name: TRAINER[name] for name in limits} == {
        "CPUQuota": "100%",
        "CPUWeight": "20",
        "IOWeight": "20",
        "MemoryMax": "40%",
        "MemorySwapMax": "0",
        "TasksMax": "256",
    }


def test_a_training_ends_without_the_worker_and_none_outlives_it() -> None:
    assert TRAINER["OOMPolicy"] == "continue"
    assert TRAINER["KillMode"] == "mixed"
    assert TRAINER["Restart"] == "always"


def test_the_worker_is_shut_in_as_mlflow_is() -> None:
    mlflow = Unit("offpath-mlflow.service")["Service"]
    walls = {name for name in mlflow if re.match("NoNew|Cap|Ambient|Protect|Private|Restrict|Lock|Remove|System", name)}
    assert len(walls) > 15
    assert {name: TRAINER[name] for name in walls} == {name: mlflow[name] for name in walls}
    assert TRAINER["User"] != mlflow["User"]


def test_the_layer_brings_the_worker_and_all_that_it_imports(tmp_path: Path) -> None:
    with ZipFile(pack(tmp_path / "layer.zip")) as layer:
        layer.extractall(tmp_path / "layer")
        size = sum(one.file_size for one in layer.infolist())
    assert size < 3_000_000  # no dependency is in it
    environ = {**os.environ, "PYTHONPATH": f"{tmp_path}/layer/linked"}
    modules = "training.worker.__main__, training.worker.task, training.registry.trained_model"
    look = f"import {modules}, offpath as it; print(it.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", look], cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"{tmp_path}/layer/linked/offpath/__init__.py"
