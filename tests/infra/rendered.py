"""The stack that CloudFormation would make for some parameters, or why it would make none."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from tests.infra.intrinsics import Values
from tests.infra.template import translated

DIGEST = "ab" * 32
# What a first deployment gives: all else has a default.
LEAST = {"ApiKeyDigests": DIGEST}
WITH_DOMAIN = {**LEAST, "MlflowDomain": "mlflow.example.com", "MlflowAllowedCidr": "203.0.113.0/24"}
WITH_JWT = {"JwtIssuer": "https://login.example.com/", "JwtAudience": "offpath"}


class Stack:
    """Resources and outputs with all values computed. given: parameters, as text; the others have their defaults."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given
        self._template = translated()
        self.parameters = {name: self._text(name) for name in self._template["Parameters"]}
        self._values = Values(self._template, {name: self._typed(name) for name in self.parameters})

    def refusals(self) -> list[str]:
        """Return why CloudFormation makes no such stack: parameters that it refuses, and rules that they break."""
        return [*filter(None, map(self._refused, self.parameters)), *self._broken_rules()]

    @cached_property
    def resources(self) -> dict[str, Any]:
        """Return the resources by name, without those whose condition does not hold."""
        found = self._template["Resources"].items()
        return {name: self._values.of(one) for name, one in found if self._holds(one.get("Condition"))}

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The outputs' values, by name."""
        return {name: self._values.of(one["Value"]) for name, one in self._template["Outputs"].items()}

    def of_type(self, kind: str) -> dict[str, Any]:
        """The properties of the resources of a type, by name."""
        resources = self.resources.items()
        return {name: one.get("Properties", {}) for name, one in resources if one["Type"] == kind}

    def __getitem__(self, name: str) -> Any:
        """The properties of a resource."""
        return self.resources[name]["Properties"]

    def _holds(self, condition: str | None) -> bool:
        return condition is None or self._values.condition(condition)

    def _text(self, name: str) -> str:
        declared = self._template["Parameters"][name]
        return str(self._given.get(name, declared.get("Default", "")))

    def _typed(self, name: str) -> Any:
        text, kind = self.parameters[name], self._template["Parameters"][name]["Type"]
        return text.split(",") if kind == "CommaDelimitedList" else text

    def _refused(self, name: str) -> str:
        text, declared = self.parameters[name], self._template["Parameters"][name]
        allowed = [str(value) for value in declared.get("AllowedValues", [text])]
        fits = re.fullmatch(declared.get("AllowedPattern", "(?s:.*)"), text) is not None and text in allowed
        if declared["Type"] == "Number":
            fits = fits and declared.get("MinValue", 0) <= float(text) <= declared.get("MaxValue", float("inf"))
        return "" if fits else f"{name}={text!r}"

    def _broken_rules(self) -> list[str]:
        concerned = [
            rule for rule in self._template["Rules"].values() if self._values.of(rule.get("RuleCondition", True))
        ]
        checks = [check for rule in concerned for check in rule["Assertions"]]
        return [check["AssertDescription"] for check in checks if not self._values.of(check["Assert"])]
