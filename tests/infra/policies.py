"""Read the stack's policies: one line for each action that they allow on each resource."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.infra.rendered import Stack


def listed(value: Any) -> list[Any]:
    """A policy has a list of one thing, or that thing."""
    return value if isinstance(value, list) else [value]


def granted(document: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Actions and resources that a document allows."""
    return {
        (action, resource)
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


def roles(stack: Stack) -> dict[str, set[tuple[str, str]]]:
    """Return the rights of each role by its own policies, without those of AWS that are attached to it."""
    found = stack.of_type("AWS::IAM::Role").items()
    return {
        name: {line for policy in role.get("Policies", []) for line in granted(policy["PolicyDocument"])}
        for name, role in found
    }


def documents(stack: Stack) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every policy document of the stack with its resource's name: of roles, endpoints, queues and buckets."""
    for name, resource in stack.resources.items():
        properties = resource.get("Properties", {})
        for policy in properties.get("Policies", []):
            yield name, policy["PolicyDocument"]
        for key in ("PolicyDocument", "AssumeRolePolicyDocument"):
            if key in properties:
                yield name, properties[key]
