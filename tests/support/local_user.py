"""Somebody who starts the whole stack and calls it."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3

from local.settings import ACCESS_KEY, ARCHIVE, REGION, SECRET_KEY, LocalSettings
from local.stack.web import fetch
from offpath.contracts.errors import Transient
from tests.support.local_stack import Command, stack_environment

RECORD = {"inputs": [{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}]}
STARTED = r"Ctrl-C stops everything"


class User:
    """Somebody with one state folder, who starts and stops the stack and calls the API."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = stack_environment(folder / "home")
        self.settings = LocalSettings.load(self.environ)
        self.commands: list[Command] = []

    def run(self, *arguments: str) -> Command:
        """`python -m local …`, as a user runs it."""
        log = self.folder / f"{len(self.commands)}.log"
        self.commands.append(Command(log, self.environ, "local", *arguments))
        return self.commands[-1]

    def run_module(self, *arguments: str) -> Command:
        """`python -m …`, as make runs it."""
        log = self.folder / f"{len(self.commands)}.log"
        self.commands.append(Command(log, self.environ, *arguments))
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
        """The ids of every trace of that experiment in MLflow, newest first."""
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
        """Every event in the archive, as OTLP/JSON."""
        s3 = boto3.client(
            "s3",
            endpoint_url=self.settings.s3_url,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=ARCHIVE, Prefix="archive/")
        keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
        contents = [gzip.decompress(s3.get_object(Bucket=ARCHIVE, Key=key)["Body"].read()) for key in keys]
        return [json.loads(line) for content in contents for line in content.splitlines()]

    def pid_of(self, part: str) -> int:
        processes = json.loads((self.folder / "home" / "processes.json").read_text())
        return int(processes[part]["pid"])


def spans_of(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The spans of an OTLP/JSON event."""
    return (span for group in event["resourceSpans"] for scope in group["scopeSpans"] for span in scope["spans"])
