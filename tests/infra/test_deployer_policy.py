"""The policy in docs/ of the person who deploys."""

import json
from typing import Any

from cfnlint.decode.cfn_yaml import load

from local.sources import ROOT

POLICY: dict[str, Any] = json.loads((ROOT / "docs" / "deployer-policy.json").read_text(encoding="utf-8"))
STATEMENTS: list[dict[str, Any]] = POLICY["Statement"]
TEMPLATE: dict[str, Any] = load(str(ROOT / "template.yaml"))
VIA_CLOUDFORMATION = {"ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}}
# The prefixes of IAM's actions, by the names that CloudFormation has for services.
PREFIXES = {"ApiGatewayV2": "apigateway", "Serverless": "lambda"}


def actions(statement: dict[str, Any]) -> list[str]:
    found = statement["Action"]
    return [found] if isinstance(found, str) else found


def test_it_covers_every_service_of_the_template() -> None:
    allowed = {
        action.split(":")[0]
        for statement in STATEMENTS
        for action in actions(statement)
        if statement.get("Condition") == VIA_CLOUDFORMATION
    }
    services = {resource["Type"].split("::")[1] for resource in TEMPLATE["Resources"].values()}
    assert {PREFIXES.get(service, service.lower()) for service in services} <= allowed
    assert "scheduler" in allowed  # the model sync's schedule, which SAM makes


def test_whole_services_are_only_cloudformations_to_use() -> None:
    broad = [statement for statement in STATEMENTS if any(action.endswith(":*") for action in actions(statement))]
    assert [statement["Condition"] for statement in broad] == [VIA_CLOUDFORMATION]


def test_deployer_may_make_and_pass_only_this_stacks_roles() -> None:
    for statement in STATEMENTS:
        if statement["Sid"] != "LetServicesMakeTheirOwnRolesOnce" and "iam:" in "".join(actions(statement)):
            resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
            assert all(resource.endswith("/offpath*") for resource in resources)


def test_deployer_may_make_and_change_the_policy_of_producers() -> None:
    [statement] = [one for one in STATEMENTS if "arn:aws:iam::ACCOUNT:policy/offpath*" in one["Resource"]]
    assert statement["Condition"] == VIA_CLOUDFORMATION
    assert {"iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicy"} <= set(actions(statement))
