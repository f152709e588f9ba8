"""The policy in docs/ of the person who operates a stack allows what the runbook names, and no more."""

import json
import re
from typing import Any

from local.sources import ROOT
from tests.infra.policies import listed

STATEMENTS: list[dict[str, Any]] = json.loads((ROOT / "docs" / "operator-policy.json").read_text())["Statement"]
SECTION = (ROOT / "docs" / "runbook.md").read_text().partition("## What a person must be allowed")[2]
BUCKET = "arn:aws:s3:::offpath*-archivebucket-*"
ALLOWED = {
    (action, resource) for one in STATEMENTS for action in listed(one["Action"]) for resource in listed(one["Resource"])
}


def test_policy_allows_the_actions_that_the_runbook_names() -> None:
    named = set(re.findall(r"`((?:s3|sqs|cloudformation|cloudwatch):\w+)`", SECTION))
    assert named == {action for action, _ in ALLOWED}


def test_policy_allows_the_keys_that_the_runbook_names() -> None:
    keys = set(re.findall(r"`([\w-]+/[\w.*-]+)`", SECTION))
    allowed = {resource.removeprefix(f"{BUCKET}/") for _, resource in ALLOWED if resource.startswith(f"{BUCKET}/")}
    assert keys == allowed


def test_policy_names_what_belongs_to_the_stack_alone() -> None:
    others = {action for action, resource in ALLOWED if "offpath*" not in resource}
    assert others == {"cloudwatch:GetMetricStatistics"}  # it takes no resource
    assert not any("*" in action for action, _ in ALLOWED)


def test_policy_changes_nothing_that_is_kept_for_good() -> None:
    changed = {resource.removeprefix(f"{BUCKET}/") for action, resource in ALLOWED if action == "s3:PutObject"}
    assert changed == {"claims/*", "dead-letters/*", "receipts/*"}
    assert {resource for action, resource in ALLOWED if action == "s3:DeleteObject"} == {f"{BUCKET}/spill/*"}
