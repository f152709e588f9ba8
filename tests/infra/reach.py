"""Read from the security groups who may reach whom."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tests.infra.rendered import Stack

Direction = Literal["Ingress", "Egress"]
ANYWHERE = "0.0.0.0/0"
NOWHERE = "127.0.0.1/32"
PEERS = {
    "Ingress": ("CidrIp", "SourceSecurityGroupId"),
    "Egress": ("CidrIp", "DestinationSecurityGroupId"),
}


@dataclass(frozen=True)
class Rule:
    """One rule of a group. peer: another group, or a range of addresses; ports are TCP's."""

    group: str
    peer: str
    first_port: int
    last_port: int


def rules(stack: Stack, direction: Direction) -> set[Rule]:
    """The rules of all groups; those that lead nowhere are left out."""
    found = {_rule(group, one, direction) for group, one in _declared(stack, direction)}
    return {rule for rule in found if rule.peer != NOWHERE}


def connections(stack: Stack) -> set[tuple[str, str, int]]:
    """Return source, destination and port within the network, where the one lets it out and the other lets it in."""
    egress = rules(stack, "Egress")
    inward = [rule for rule in rules(stack, "Ingress") if rule.peer in stack.of_type("AWS::EC2::SecurityGroup")]
    return {
        (rule.peer, rule.group, rule.first_port)
        for rule in inward
        if any(_lets_out(out, rule) for out in egress if out.group == rule.peer)
    }


def from_outside(stack: Stack) -> set[tuple[str, str, int, int]]:
    """Ranges of addresses that are let in, to which group, and to which ports."""
    groups = stack.of_type("AWS::EC2::SecurityGroup")
    found = rules(stack, "Ingress")
    return {(rule.peer, rule.group, rule.first_port, rule.last_port) for rule in found if rule.peer not in groups}


def _lets_out(out: Rule, inward: Rule) -> bool:
    covers = out.first_port <= inward.first_port and inward.last_port <= out.last_port
    return out.peer in (inward.group, ANYWHERE) and covers


def _declared(stack: Stack, direction: Direction) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, group in stack.of_type("AWS::EC2::SecurityGroup").items():
        for one in group.get(f"SecurityGroup{direction}", []):
            yield name, one
    for one in stack.of_type(f"AWS::EC2::SecurityGroup{direction}").values():
        yield one["GroupId"], one


def _rule(group: str, one: Mapping[str, Any], direction: Direction) -> Rule:
    [peer] = [one[name] for name in PEERS[direction] if name in one]
    if peer == NOWHERE:
        return Rule(group, peer, 0, 0)
    assert one["IpProtocol"] == "tcp", one
    return Rule(group, peer, int(one["FromPort"]), int(one["ToPort"]))
