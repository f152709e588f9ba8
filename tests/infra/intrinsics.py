"""CloudFormation's functions: what a template's values come to. Rules' functions are among them.

A reference to a resource comes to the resource's name, that to an attribute of it to `name.attribute`.
"""

import base64
import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

REMOVED = object()
PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::NoValue": REMOVED,
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/offpath/1a2b3c4d-0000-4000-8000-000000000000",
    "AWS::StackName": "offpath",
    "AWS::URLSuffix": "amazonaws.com",
}
_VARIABLE = re.compile(r"\$\{(!?)([^}]+)\}")


class Values:
    """Computes a template's values for these parameters, each as the type that its declaration says."""

    def __init__(self, template: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
        self._template = template
        self._names = {**PSEUDO, **parameters}
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Condition": self.condition,
            "Fn::And": lambda given: all(map(self.of, given)),
            "Fn::Base64": lambda given: base64.b64encode(self.of(given).encode()).decode(),
            "Fn::Cidr": self._cidr,
            "Fn::Equals": lambda given: self.of(given[0]) == self.of(given[1]),
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAtt": lambda given: given if isinstance(given, str) else ".".join(given),
            "Fn::GetAZs": lambda _: ["us-east-1a", "us-east-1b", "us-east-1c"],
            "Fn::If": lambda given: self.of(given[1] if self.condition(given[0]) else given[2]),
            "Fn::Join": lambda given: given[0].join(self.of(given[1])),
            "Fn::Not": lambda given: not self.of(given[0]),
            "Fn::Or": lambda given: any(map(self.of, given)),
            "Fn::Select": lambda given: self.of(given[1])[int(given[0])],
            "Fn::Split": lambda given: self.of(given[1]).split(given[0]),
            "Fn::Sub": self._sub,
            "Ref": lambda name: self._names.get(name, name),
        }

    def of(self, value: Any) -> Any:
        """The value, with all functions in it applied. Raises KeyError for a function that is not known here."""
        if isinstance(value, Mapping):
            if len(value) == 1 and (name := next(iter(value))) in self._functions:
                return self._functions[name](value[name])
            pairs = {self._known(key): self.of(part) for key, part in value.items()}
            return {key: part for key, part in pairs.items() if part is not REMOVED}
        if isinstance(value, list):
            return [part for part in map(self.of, value) if part is not REMOVED]
        return value

    def condition(self, name: str) -> bool:
        """Return whether one of the template's conditions holds."""
        return bool(self.of(self._template["Conditions"][name]))

    @staticmethod
    def _known(key: str) -> str:
        if key.startswith("Fn::"):
            raise KeyError(key)
        return key

    def _find_in_map(self, given: list[Any]) -> Any:
        name, first, second = map(self.of, given)
        return self._template["Mappings"][name][first][second]

    def _cidr(self, given: list[Any]) -> list[str]:
        block, count, bits = map(self.of, given)
        subnets = ipaddress.ip_network(block).subnets(new_prefix=32 - int(bits))
        return [str(next(subnets)) for _ in range(int(count))]

    def _sub(self, given: Any) -> str:
        text, more = (given, {}) if isinstance(given, str) else (given[0], self.of(given[1]))

        def put(match: re.Match[str]) -> str:
            literal, name = match.groups()
            return "${" + name + "}" if literal else str(more.get(name, self._names.get(name, name)))

        return _VARIABLE.sub(put, text)
