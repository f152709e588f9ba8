"""Deploy the stack to the emulator as a user does, and use it."""

import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from local.deployed import sam
from local.deployed.api import Api
from local.deployed.environment import client_environment
from local.deployed.first_prediction import BODY, PREDICT
from local.deployed.home import DeployedHome
from local.deployed.machines.tunnel import tunnel
from local.deployed.mlflow import Mlflow
from local.deployed.stack import DeployedStack
from local.sources import ROOT
from prediction_api.api_keys import digest_of
from tests.support.servers.stack import Command, start_command
from tests.support.waiting import wait_for

TEMPLATE = ROOT / ".aws-sam" / "build" / "template.yaml"


class DeployedUser:
    """Somebody with one folder for a local deployment."""

    def __init__(self, folder: Path, **settings: str) -> None:
        """settings: variables of the command, such as OFFPATH_DEPLOYED_TEMPLATE."""
        self._folder = folder
        self.home = DeployedHome(folder / "home")
        self._environ = {**os.environ, **settings, "OFFPATH_DEPLOYED_HOME": str(self.home.path)}

    def run(self, verb: str) -> Command:
        """Run `python -m local.deployed …` to its end, as make does."""
        command = start_command(self._folder / f"{verb}.log", self._environ, "local.deployed", verb)
        command.exit_code()
        return command

    @cached_property
    def stack(self) -> DeployedStack:
        """The stack, seen by whoever deployed it."""
        deployment = self.home.deployment()
        assert deployment, "nothing is deployed"
        return DeployedStack(deployment)

    @cached_property
    def api(self) -> Api:
        """The API, for whoever has the key."""
        return Api(self.stack.api_url, self.stack.deployment.api_key)

    @cached_property
    def mlflow(self) -> Mlflow:
        """MLflow, for its administrator."""
        return Mlflow(tunnel(self.stack.deployment.network), *self.stack.login("MlflowAdminSecret"))

    def deploy(self, template: Path, **parameters: str) -> None:
        """Deploy a template again, with other parameters beside the key. Raises ServiceFailed."""
        given = {"ApiKeyDigests": digest_of(self.stack.deployment.api_key), "TrainingJobs": "true"}
        sam.deploy(self.home, self.stack.deployment, template, given | parameters)

    def predict(self) -> str:
        """Return the trace id of a prediction, which is right."""
        answer = self.api.call("POST", PREDICT, BODY)
        assert answer.status == 200, answer.data
        assert answer.json()["predictions"][0]["label"] == "setosa"
        return str(answer.json()["trace_id"])

    def await_trace(self, trace_id: str) -> Mapping[str, Any]:
        """Return what MLflow says of the trace, once it has it."""
        return wait_for(lambda: self.mlflow.trace(trace_id), lambda: f"{trace_id}\n{self.log_of('TraceWriterLogs')}")

    def archived(self) -> set[str]:
        """Return the ids of all traces in the archive, as MLflow spells them."""
        spans = (span for line in self._archive_lines() for span in _spans(json.loads(line)))
        return {f"tr-{span['traceId']}" for span in spans}

    def keys(self, prefix: str) -> list[str]:
        """Return the keys in the archive's bucket that begin so."""
        pages = self.stack.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def has_spilled(self, trace_id: str) -> bool:
        """Return whether that trace was kept in the bucket, as the queue did not take it."""
        return any(trace_id.removeprefix("tr-") in key for key in self.keys("spill/"))

    def waits_in_spill(self) -> list[str]:
        """Return the keys of what was kept in the bucket, and is not written yet."""
        return [key for key in self.keys("spill/") if not key.endswith("/done")]

    def audit(self) -> dict[str, Any]:
        """Return what the daily audit says that runs tomorrow, and so is of today."""
        tomorrow = json.dumps({"time": (datetime.now(UTC) + timedelta(days=1)).isoformat()})
        function = self.stack.physical_id("AuditFunction")
        answer = self.stack.client("lambda").invoke(FunctionName=function, Payload=tomorrow.encode())
        found: dict[str, Any] = json.loads(answer["Payload"].read())
        return found

    def offpath(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command `offpath` as whoever deployed the stack."""
        environ = client_environment(os.environ, self.stack.deployment)
        command = [sys.executable, "-m", "offpath_cli", *arguments]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)

    @contextmanager
    def denied(self, function: str, action: str) -> Iterator[None]:
        """Deny a function of the stack one action, whatever its role allows, as long as the block lasts."""
        iam, name = self.stack.client("iam"), self.stack.physical_id(function)
        role = self.stack.client("lambda").get_function_configuration(FunctionName=name)["Role"].rpartition("/")[2]
        policy, statement = action.replace(":", "-"), {"Effect": "Deny", "Action": action, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document)
        try:
            yield
        finally:
            iam.delete_role_policy(RoleName=role, PolicyName=policy)

    @cached_property
    def bucket(self) -> str:
        """The archive's bucket."""
        return self.stack.outputs()["ArchiveBucket"]

    def log_of(self, logical_id: str) -> str:
        """Return all that is in that log group."""
        pages = self.stack.client("logs").get_paginator("filter_log_events")
        group = self.stack.physical_id(logical_id)
        return "\n".join(event["message"] for page in pages.paginate(logGroupName=group) for event in page["events"])

    def denials(self) -> list[str]:
        """Return each line of any log, the emulator's and the machine's too, that says what somebody may not do."""
        logs = [self.log_of(name) for name in ("ApiLogs", "TraceWriterLogs", "ModelSyncLogs", "SpillSweepLogs")]
        logs += [path.read_text(errors="replace") for path in self.home.logs.glob("*.log")]
        return [line for log in logs for line in log.splitlines() if re.search("AccessDenied|not authorized to", line)]

    def _archive_lines(self) -> list[str]:
        objects = (self.stack.s3.get_object(Bucket=self.bucket, Key=key) for key in self.keys("archive/v1/"))
        return [line for found in objects for line in gzip.decompress(found["Body"].read()).decode().splitlines()]


def _spans(request: dict[str, Any]) -> list[dict[str, Any]]:
    scopes = [scope for resource in request["resourceSpans"] for scope in resource["scopeSpans"]]
    return [span for scope in scopes for span in scope["spans"]]
