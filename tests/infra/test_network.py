"""The network has its parts in their subnets, its ways out, and lets only some reach others."""

from ipaddress import IPv4Network
from typing import Any

import pytest

from tests.infra.reach import ANYWHERE, connections, from_outside, rules
from tests.infra.rendered import LEAST, WITH_DOMAIN, Stack

STACK = Stack(LEAST)
SUBNETS = STACK.of_type("AWS::EC2::Subnet")
GROUPS = STACK.of_type("AWS::EC2::SecurityGroup")


def routes_of(subnet: str) -> list[tuple[str, str]]:
    """Return where a subnet's route table leads, beside its own network: destination and gateway."""
    [table] = [
        one["RouteTableId"]
        for one in STACK.of_type("AWS::EC2::SubnetRouteTableAssociation").values()
        if one["SubnetId"] == subnet
    ]
    routes = [one for one in STACK.of_type("AWS::EC2::Route").values() if one["RouteTableId"] == table]
    endpoints = [name for name, one in endpoints_of("Gateway").items() if table in one["RouteTableIds"]]
    return [(one["DestinationCidrBlock"], one["GatewayId"]) for one in routes] + [("S3", name) for name in endpoints]


def endpoints_of(kind: str, stack: Stack = STACK) -> dict[str, Any]:
    found = stack.of_type("AWS::EC2::VPCEndpoint").items()
    return {name: one for name, one in found if one["VpcEndpointType"] == kind}


@pytest.mark.parametrize("kind", ["Public", "Function", "Database"])
def test_each_kind_of_subnet_is_in_two_zones(kind: str) -> None:
    zones = [SUBNETS[f"{kind}Subnet{letter}"]["AvailabilityZone"] for letter in "AB"]
    assert zones == ["us-east-1a", "us-east-1b"]
    chosen = Stack({**LEAST, "Zones": "us-east-1c,us-east-1f"})
    assert [chosen[f"{kind}Subnet{letter}"]["AvailabilityZone"] for letter in "AB"] == ["us-east-1c", "us-east-1f"]


@pytest.mark.parametrize("network", ["10.80.0.0/16", "192.168.4.0/22", "172.31.254.0/23"])
def test_subnets_lie_in_the_network_side_by_side(network: str) -> None:
    stack = Stack({**LEAST, "VpcCidr": network})
    assert stack.refusals() == []
    blocks = [IPv4Network(one["CidrBlock"]) for one in stack.of_type("AWS::EC2::Subnet").values()]
    assert all(block.subnet_of(IPv4Network(network)) for block in blocks)
    assert not any(one.overlaps(other) for one in blocks for other in blocks if one is not other)


@pytest.mark.parametrize("letter", "AB")
def test_only_the_machines_subnets_have_a_way_to_the_internet(letter: str) -> None:
    assert routes_of(f"PublicSubnet{letter}") == [(ANYWHERE, "InternetGateway")]
    assert routes_of(f"FunctionSubnet{letter}") == [("S3", "S3Endpoint")]
    assert routes_of(f"DatabaseSubnet{letter}") == []


def test_there_is_no_nat_gateway() -> None:
    assert STACK.of_type("AWS::EC2::NatGateway") == {}


def test_no_subnet_gives_out_public_addresses() -> None:
    assert not any("MapPublicIpOnLaunch" in subnet for subnet in SUBNETS.values())


@pytest.mark.parametrize(("zone", "letter"), [("first", "A"), ("second", "B")])
def test_the_machine_and_the_interface_endpoints_are_in_one_zone(zone: str, letter: str) -> None:
    stack = Stack({**LEAST, "MlflowZone": zone})
    assert stack["MlflowInstance"]["SubnetId"] == f"PublicSubnet{letter}"
    assert [one["SubnetIds"] for one in endpoints_of("Interface", stack).values()] == [[f"FunctionSubnet{letter}"]] * 2


def test_services_are_found_by_their_own_names() -> None:
    assert STACK["Vpc"]["EnableDnsSupport"] is True
    assert STACK["Vpc"]["EnableDnsHostnames"] is True
    assert all(one["PrivateDnsEnabled"] is True for one in endpoints_of("Interface").values())


def test_endpoints_serve_what_the_stack_needs_and_nothing_else() -> None:
    allowed = {
        one["ServiceName"].rpartition(".")[2]: {
            (action, str(statement["Resource"]))
            for statement in one["PolicyDocument"]["Statement"]
            for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        }
        for one in STACK.of_type("AWS::EC2::VPCEndpoint").values()
    }
    # The machine asks for secrets and jobs by the same endpoints: all of the network finds the services there.
    users = ("Database", "MlflowAdmin", "MlflowWriter", "MlflowModelSync", "MlflowTrainer")
    secrets = [f"{user}Secret" for user in users]
    assert allowed == {
        "s3": {
            ("s3:GetObject", "ArchiveBucket.Arn/*"),
            ("s3:PutObject", "ArchiveBucket.Arn/*"),
            ("s3:DeleteObject", "ArchiveBucket.Arn/spill/*"),
            ("s3:ListBucket", "ArchiveBucket.Arn"),
        },
        "secretsmanager": {("secretsmanager:GetSecretValue", str(secrets))},
        "sqs": {
            ("sqs:SendMessage", "DeadLetterQueue.Arn"),
            ("sqs:ChangeMessageVisibility", "TraceQueue.Arn"),
            ("sqs:ReceiveMessage", "TrainingQueue.Arn"),
            ("sqs:DeleteMessage", "TrainingQueue.Arn"),
            ("sqs:ChangeMessageVisibility", "TrainingQueue.Arn"),
        },
    }


@pytest.mark.parametrize(("engine", "port"), [("postgres", 5432), ("mysql", 3306)])
def test_who_may_reach_whom(engine: str, port: int) -> None:
    assert connections(Stack({**LEAST, "DatabaseEngine": engine})) == {
        ("FunctionsSecurityGroup", "MlflowSecurityGroup", 443),
        ("FunctionsSecurityGroup", "EndpointsSecurityGroup", 443),
        ("MlflowSecurityGroup", "EndpointsSecurityGroup", 443),
        ("MlflowSecurityGroup", "DatabaseSecurityGroup", port),
    }


def test_nobody_outside_reaches_anything_without_a_domain() -> None:
    assert from_outside(STACK) == set()


def test_domain_opens_mlflow_to_people_and_port_80_to_all() -> None:
    assert from_outside(Stack(WITH_DOMAIN)) == {
        ("203.0.113.0/24", "MlflowSecurityGroup", 443, 443),
        (ANYWHERE, "MlflowSecurityGroup", 80, 80),
    }


def test_what_leads_out_of_the_network() -> None:
    outward = {(rule.group, rule.first_port) for rule in rules(STACK, "Egress") if rule.peer == ANYWHERE}
    assert outward == {("FunctionsSecurityGroup", 443), ("MlflowSecurityGroup", 443), ("MlflowSecurityGroup", 80)}


@pytest.mark.parametrize("name", GROUPS)
def test_a_group_says_what_leaves_it(name: str) -> None:
    # Without a rule of its own EC2 would give it one that allows everything.
    assert GROUPS[name]["SecurityGroupEgress"]


def test_each_group_is_somebodys() -> None:
    used = [
        STACK["Database"]["VPCSecurityGroups"],
        STACK["MlflowLaunchTemplate"]["LaunchTemplateData"]["SecurityGroupIds"],
    ]
    used += [
        one["VpcConfig"]["SecurityGroupIds"]
        for one in STACK.of_type("AWS::Lambda::Function").values()
        if "VpcConfig" in one
    ]
    used += [one["SecurityGroupIds"] for one in endpoints_of("Interface").values()]
    assert {name for names in used for name in names} == set(GROUPS)
