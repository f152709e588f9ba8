"""The scanner is told to pass over few things, each with its reason."""

from typing import Any

import yaml

from tests.infra.template import ROOT, TEMPLATE

CONFIGURATION = ROOT / ".checkov.yaml"


def skipped() -> dict[str, list[dict[str, Any]]]:
    """Return the checks that are skipped beside resources, by the resources' names."""
    resources = TEMPLATE["Resources"].items()
    found = {name: one.get("Metadata", {}).get("checkov", {}).get("skip", []) for name, one in resources}
    return {name: skips for name, skips in found.items() if skips}


def test_what_is_passed_over_everywhere_says_why() -> None:
    lines = [line for line in CONFIGURATION.read_text(encoding="utf-8").splitlines() if line.startswith("  - ")]
    everywhere = yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))["skip-check"]
    assert everywhere == [f"CKV_AWS_{number}" for number in (18, 115, 116, 149, 158, 173)]
    assert len(lines) == len(everywhere)
    assert all(len(line.partition(" # ")[2]) > 10 for line in lines)


def test_what_is_passed_over_at_one_resource_says_why() -> None:
    assert {name: {skip["id"] for skip in skips} for name, skips in skipped().items()} == {
        "ApiFunction": {"CKV_AWS_117"},
        "AuditFunction": {"CKV_AWS_117"},
        "TraceQueue": {"CKV_AWS_27"},
        "DeadLetterQueue": {"CKV_AWS_27"},
        "TrainingQueue": {"CKV_AWS_27"},
        "TrainingDeadLetterQueue": {"CKV_AWS_27"},
        "CertificateIssuersToMlflow": {"CKV_AWS_260"},
        "Database": {"CKV_AWS_157", "CKV_AWS_118", "CKV_AWS_161"},
        "Alarms": {"CKV_AWS_26"},
    }
    assert all(len(skip["comment"]) > 10 for skips in skipped().values() for skip in skips)


def test_the_linter_passes_over_one_thing() -> None:
    resources = TEMPLATE["Resources"].items()
    told = {name: one["Metadata"]["cfn-lint"] for name, one in resources if "cfn-lint" in one.get("Metadata", {})}
    assert told == {"PeopleToMlflow": {"config": {"ignore_checks": ["W1030"]}}}
