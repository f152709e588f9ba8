"""Moto's CloudFormation makes the stack, and its services describe it as intended."""

import ast
import json
from collections.abc import Iterator

import pytest
from moto import mock_aws
from moto.cloudformation.parsing import get_model_map

from tests.infra.created import UNSUPPORTED, Created, create
from tests.infra.policies import listed
from tests.infra.rendered import LEAST
from tests.infra.template import translated

# Types that moto's CloudFormation makes, but not as this template has them.
MADE_OTHERWISE = {"AWS::EC2::Instance", "AWS::RDS::DBParameterGroup"}


@pytest.fixture(scope="module")
def made() -> Iterator[Created]:
    with mock_aws():
        yield create(LEAST)


def test_what_is_left_out_is_what_moto_does_not_make() -> None:
    types = {resource["Type"] for resource in translated()["Resources"].values()}
    assert types - set(get_model_map()) | MADE_OTHERWISE == UNSUPPORTED


def test_everything_else_is_made(made: Created) -> None:
    resources = translated()["Resources"].items()
    wanted = {name for name, one in resources if one["Type"] not in UNSUPPORTED and "Condition" not in one}
    assert set(made.ids) == wanted


@pytest.mark.parametrize(
    ("routes", "leads_to"), [("PublicRoutes", {"igw"}), ("FunctionRoutes", {"vpce"}), ("DatabaseRoutes", set())]
)
def test_where_routes_lead(made: Created, routes: str, leads_to: set[str]) -> None:
    [table] = made.client("ec2").describe_route_tables(RouteTableIds=[made.ids[routes]])["RouteTables"]
    gateways = {route["GatewayId"].partition("-")[0] for route in table["Routes"] if "GatewayId" in route}
    assert gateways - {"local"} == leads_to


@pytest.mark.parametrize(
    ("group", "sources"),
    [
        ("FunctionsSecurityGroup", {}),
        ("MlflowSecurityGroup", {443: ["FunctionsSecurityGroup"]}),
        ("DatabaseSecurityGroup", {5432: ["MlflowSecurityGroup"]}),
        ("EndpointsSecurityGroup", {443: ["FunctionsSecurityGroup", "MlflowSecurityGroup"]}),
    ],
)
def test_who_is_let_in(made: Created, group: str, sources: dict[int, list[str]]) -> None:
    [found] = made.client("ec2").describe_security_groups(GroupIds=[made.ids[group]])["SecurityGroups"]
    names = {physical: name for name, physical in made.ids.items()}
    let_in: dict[int, list[str]] = {}
    for rule in found["IpPermissions"]:
        assert rule["IpRanges"] == []
        let_in.setdefault(rule["ToPort"], []).extend(names[pair["GroupId"]] for pair in rule["UserIdGroupPairs"])
    assert {port: sorted(peers) for port, peers in let_in.items()} == sources


def test_the_database_is_private_and_encrypted(made: Created) -> None:
    found = made.client("rds").describe_db_instances(DBInstanceIdentifier=made.ids["Database"])
    [database] = found["DBInstances"]
    assert database["PubliclyAccessible"] is False
    assert database["StorageEncrypted"] is True
    assert database["CopyTagsToSnapshot"] is True
    assert database["BackupRetentionPeriod"] == 7
    subnets = {subnet["SubnetIdentifier"] for subnet in database["DBSubnetGroup"]["Subnets"]}
    assert subnets == {made.ids["DatabaseSubnetA"], made.ids["DatabaseSubnetB"]}


def test_a_machine_starts_from_the_launch_template(made: Created) -> None:
    ec2 = made.client("ec2")
    template = {"LaunchTemplateId": made.ids["MlflowLaunchTemplate"]}
    [version] = ec2.describe_launch_template_versions(**template)["LaunchTemplateVersions"]
    data = version["LaunchTemplateData"]
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True
    assert data["SecurityGroupIds"] == [made.ids["MlflowSecurityGroup"]]
    assert "KeyName" not in data


@pytest.mark.parametrize("function", ["TraceWriterFunction", "SpillSweepFunction", "ModelSyncFunction"])
def test_functions_run_within_the_network(made: Created, function: str) -> None:
    configuration = made.client("lambda").get_function_configuration(FunctionName=made.ids[function])
    assert configuration["Runtime"] == "python3.13"
    assert configuration["VpcConfig"]["SubnetIds"] == [made.ids["FunctionSubnetA"], made.ids["FunctionSubnetB"]]
    assert configuration["VpcConfig"]["SecurityGroupIds"] == [made.ids["FunctionsSecurityGroup"]]
    assert configuration["Environment"]["Variables"]["OFFPATH_BUCKET"] == made.ids["ArchiveBucket"]


def test_the_writer_reads_the_queue(made: Created) -> None:
    [source] = made.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    attributes = made.client("sqs").get_queue_attributes(QueueUrl=made.ids["TraceQueue"], AttributeNames=["All"])
    assert source["EventSourceArn"] == attributes["Attributes"]["QueueArn"]
    assert source["FunctionArn"].endswith(made.ids["TraceWriterFunction"])
    assert json.loads(attributes["Attributes"]["RedrivePolicy"])["maxReceiveCount"] == 1000


def test_a_role_may_touch_what_was_made_and_nothing_else(made: Created) -> None:
    iam = made.client("iam")
    [name] = iam.list_role_policies(RoleName=made.ids["TraceWriterFunctionRole"])["PolicyNames"]
    policy = iam.get_role_policy(RoleName=made.ids["TraceWriterFunctionRole"], PolicyName=name)
    # moto gives a policy back as Python would print it.
    statements = ast.literal_eval(policy["PolicyDocument"])["Statement"]
    resources = {resource for one in statements for resource in listed(one["Resource"])}
    bucket = f"arn:aws:s3:::{made.ids['ArchiveBucket']}"
    names = [made.ids[queue].rpartition("/")[2] for queue in ("DeadLetterQueue", "TraceQueue")]
    queues = {f"arn:aws:sqs:us-east-1:123456789012:{name}" for name in names}
    folders = ("archive", "claims", "dead-letters", "receipts", "verdicts", "waiting")
    keys = {f"{bucket}/mlflow/ca.pem", *(f"{bucket}/{folder}/*" for folder in folders)}
    assert resources == keys | queues | {bucket, "MlflowWriterSecret"}


@pytest.mark.parametrize("bucket", ["ArchiveBucket", "ArtifactBucket"])
def test_buckets_are_encrypted(made: Created, bucket: str) -> None:
    found = made.client("s3").get_bucket_encryption(Bucket=made.ids[bucket])["ServerSideEncryptionConfiguration"]
    assert found["Rules"][0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_no_log_is_kept_for_ever(made: Created) -> None:
    groups = made.client("logs").describe_log_groups()["logGroups"]
    assert len(groups) == 8
    assert {group.get("retentionInDays") for group in groups} == {30}


def test_the_dashboard_names_what_was_made(made: Created) -> None:
    body = made.client("cloudwatch").get_dashboard(DashboardName="offpath")["DashboardBody"]
    metrics = [metric for widget in json.loads(body)["widgets"] for metric in widget["properties"]["metrics"]]
    shown = {metric[3] for metric in metrics if metric[0].startswith("AWS/")}
    assert {made.ids["ApiFunction"], made.ids["Database"], made.ids["TraceQueue"].rpartition("/")[2]} <= shown
