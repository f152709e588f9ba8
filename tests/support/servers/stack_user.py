"""Start the whole stack as a user does, and call it."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3

from local.settings import ACCESS_KEY, ARCHIVE, REGION, SECRET_KEY, LocalSettings
from local.stack.web import fetch
from offpath.contracts.errors import Transient
from tests.support.servers.stack import Command, stack_environment, start_command

RECORD = {"inputs": [{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}]}
STARTED = r"Ctrl-C stops everything"


class User:
    """Act as a user with one state folder, who starts and stops the stack and calls the API."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = stack_environment(folder / "home")
        self.settings = LocalSettings.load(self.environ)
        self.commands: list[Command] = []

    def run(self, *arguments: str) -> Command:
        """Run `python -m local …`, as a user does."""
        log = self.folder / f"{len(self.commands)}.log"
        self.commands.append(start_command(log, self.environ, "local", *arguments))
        return self.commands[-1]

    def run_module(self, *arguments: str) -> Command:
        """Run `python -m …`, as make does."""
        log = self.folder / f"{len(self.commands)}.log"
        self.commands.append(start_command(log, self.environ, *arguments))
        return self.commands[-1]

    def up(self) -> Command:
        command = self.run("up")
        command.wait_for(STARTED)
        return command

    def predict(self) -> str:
        answer: dict[str, Any] = fetch(f"{self.settings.api_url}/models/iris/predict", RECORD)
        assert answer["predictions"][0]["label"] == "setosa"
        return str(answer["trace_id"])

    def has_trace(self, trace_id: str) -> bool:
        try:
            return bool(fetch(f"{self.settings.mlflow_url}/api/3.0/mlflow/traces/{trace_id}"))
        except Transient:
            return False

    def traces(self, experiment: str = "offpath/iris") -> list[str]:
        """Return the ids of every trace of that experiment in MLflow, newest first."""
        api = f"{self.settings.mlflow_url}/api"
        found = fetch(f"{api}/2.0/mlflow/experiments/get-by-name?experiment_name={experiment}")["experiment"]
        location = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": found["experiment_id"]}}
        query: dict[str, Any] = {"locations": [location], "max_results": 500}
        ids: list[str] = []
        while True:
            page = fetch(f"{api}/3.0/mlflow/traces/search", query)
            ids += [trace["trace_id"] for trace in page.get("traces", [])]
            if not page.get("next_page_token"):
                return ids
            query["page_token"] = page["next_page_token"]

    def archived(self) -> list[dict[str, Any]]:
        """Return every event in the archive, as OTLP/JSON."""
        s3 = self._s3()
        contents = [
            gzip.decompress(s3.get_object(Bucket=ARCHIVE, Key=key)["Body"].read()) for key in self._keys("archive/")
        ]
        return [json.loads(line) for content in contents for line in content.splitlines()]

    def spilled(self) -> list[str]:
        """Return the keys of what could not be queued, and is not written yet."""
        return [key for key in self._keys("spill/") if not key.endswith("/done")]

    def _keys(self, prefix: str) -> list[str]:
        pages = self._s3().get_paginator("list_objects_v2").paginate(Bucket=ARCHIVE, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def _s3(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.settings.s3_url,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )

    def pid_of(self, service: str) -> int:
        processes = json.loads((self.folder / "home" / "processes.json").read_text())
        return int(processes[service]["pid"])


def spans_of(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return the spans of an OTLP/JSON event."""
    return (span for group in event["resourceSpans"] for scope in group["scopeSpans"] for span in scope["spans"])
