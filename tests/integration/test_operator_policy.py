"""The policy in docs/ of the person who operates a stack lets every command do its work, as moto evaluates IAM.

Beyond S3, moto asks for all resources, and has actions for batches of SQS, where AWS has none: so these statements are
widened here. What they name is held to the runbook by tests/infra.
"""

from __future__ import annotations

import json
import urllib.request
import uuid
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from local.sources import ROOT
from offpath.aws.s3 import Bucket, S3Claims
from offpath.contracts import spilled
from offpath.contracts.errors import Transient
from tests.infra.policies import listed
from tests.integration.test_dead_letter_commands import dead_letter
from tests.support.builders.trace_events import claimed, inline_message
from tests.support.servers.moto_pipeline import MotoPipeline
from tests.unit.cli.test_replay import numbered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_s3 import S3Client

ACCOUNT = "123456789012"


def policy() -> str:
    text = (ROOT / "docs" / "operator-policy.json").read_text().replace("REGION", "us-east-1")
    document: dict[str, Any] = json.loads(text.replace("ACCOUNT", ACCOUNT))
    for statement in document["Statement"]:
        actions = listed(statement["Action"])
        if not actions[0].startswith("s3:"):
            statement["Action"] = [*actions, *(f"{action}Batch" for action in actions)]
            statement["Resource"] = "*"
    return json.dumps(document)


@pytest.fixture
def pipeline(s3: S3Client, queue_url: str, mlflow_url: str, monkeypatch: pytest.MonkeyPatch) -> MotoPipeline:
    """A pipeline with a letter, a large one, an event in the archive, and a spilled one."""
    name = f"offpath-archivebucket-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=name)
    made = MotoPipeline(name, queue_url, mlflow_url, monkeypatch, stack=f"offpath-{uuid.uuid4().hex[:8]}")
    made.events.send([inline_message(numbered(1))])
    made.write()
    dead_letter(made, inline_message(numbered(2)), claimed(numbered(3), S3Claims(made.bucket)))
    message = inline_message(numbered(4))
    made.bucket.put(spilled.key(queue_url.rsplit("/", 1)[-1], message), spilled.dump(message))
    made.bucket.put("models/manifest.json", b'{"schema": "models/1", "models": {}}')
    return made


@pytest.fixture
def enforced(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """What makes everything from then on the operator's, who may do what the policy allows."""
    iam, name = boto3.client("iam", endpoint_url=moto_url), f"operator-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="operator", PolicyDocument=policy())
    key = iam.create_access_key(UserName=name)["AccessKey"]

    def enforce(after: str = "0") -> None:
        headers = {"Content-Type": "text/plain"}  # else it is taken for a form
        with urllib.request.urlopen(urllib.request.Request(f"{moto_url}/moto-api/reset-auth", after.encode(), headers)):
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])

    yield enforce
    enforce("inf")


def test_an_operator_may_call_every_command(pipeline: MotoPipeline, enforced: Callable[[], None]) -> None:
    bucket_name = pipeline.bucket.name
    enforced()
    for command in (
        "status",
        "dead-letters",
        "audit --verify 0 --grace 0m",
        "replay --from archive --to mlflow",
        "replay --from archive --to queue",
        "replay --from dead-letters --to mlflow",
        "replay --from spill --to queue",
    ):
        result = pipeline.run(*command.split())
        assert result.exit_code in (0, 1), result.output
        assert "Denied" not in result.output, result.output
    letters = pipeline.json("dead-letters")["letters"]
    assert [pipeline.run("dead-letters", "show", letter["name"]).exit_code for letter in letters] == [0, 0]
    first, second = (letter["name"] for letter in letters)
    assert len(pipeline.json("dead-letters", "redrive", first, "--yes")["redriven"]) == 1
    assert len(pipeline.json("dead-letters", "drop", second, "--yes")["dropped"]) == 1

    for denied in ("models/manifest.json", "archive/v1/new"):
        with pytest.raises(Transient, match="AccessDenied"):
            Bucket(boto3.Session().client("s3"), bucket_name).put(denied, b"{}")
