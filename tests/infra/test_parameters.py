"""Parameters, what they may hold together, and outputs."""

import pytest

from tests.infra.rendered import DIGEST, LEAST, WITH_DOMAIN, WITH_JWT, Stack
from tests.infra.template import TEMPLATE

PARAMETERS = TEMPLATE["Parameters"]
STACK = Stack(LEAST)


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_is_described_and_grouped(name: str) -> None:
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert PARAMETERS[name]["Description"].endswith(".")
    assert [name in group["Parameters"] for group in groups].count(True) == 1


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_has_a_default_and_says_what_it_takes(name: str) -> None:
    parameter = PARAMETERS[name]
    assert "Default" in parameter
    assert ("AllowedPattern" in parameter) == ("ConstraintDescription" in parameter)
    free = {"AlarmEmail", "CorsOrigins", "Zones"}
    assert name in free or {"AllowedPattern", "AllowedValues", "MinValue"} & set(parameter)


@pytest.mark.parametrize(
    "given",
    [
        LEAST,
        WITH_JWT,
        WITH_DOMAIN,
        {**WITH_JWT, "JwtAudience": "a,b"},
        {"ApiKeyDigests": f"{DIGEST},{DIGEST.upper()}"},
        {**WITH_DOMAIN, "MlflowHostedZoneId": "Z0123456789ABC", "MlflowAcmeEmail": "ops@example.com"},
        {**LEAST, "DatabaseEngine": "mysql", "Architecture": "arm64", "VpcCidr": "172.16.0.0/16"},
    ],
)
def test_a_deployment_that_is_allowed(given: dict[str, str]) -> None:
    assert Stack(given).refusals() == []


def test_predictions_are_never_open_to_everybody() -> None:
    [refusal] = Stack({}).refusals()
    assert "make api-key" in refusal


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({**LEAST, **WITH_JWT}, "leave one of the two empty"),
        ({"JwtIssuer": "https://login.example.com"}, "give JwtAudience, too"),
        ({**LEAST, "JwtAudience": "offpath"}, "give both or neither"),
        ({**LEAST, "MlflowDomain": "mlflow.example.com"}, "MlflowAllowedCidr from which addresses"),
        ({**LEAST, "MlflowAllowedCidr": "203.0.113.0/24"}, "opens nothing without MlflowDomain"),
        ({**LEAST, "MlflowHostedZoneId": "Z0123456789"}, "give both or neither"),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(given: dict[str, str], said: str) -> None:
    [refusal] = Stack(given).refusals()
    assert said in refusal


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ApiKeyDigests", "my-key"),
        ("ApiKeyDigests", f"{DIGEST},"),
        ("JwtIssuer", "http://login.example.com"),
        ("JwtIssuer", "https://user:password@login.example.com"),
        ("JwtAudience", "a, b"),
        ("MlflowDomain", "https://mlflow.example.com"),
        ("MlflowDomain", "localhost"),
        ("MlflowDomain", "a.b;reboot"),
        ("MlflowAcmeEmail", "a@b c"),
        ("MlflowAcmeEmail", "a@example.com\nOFFPATH_X=1"),
        ("MlflowAllowedCidr", "0.0.0.0/0"),
        ("MlflowAllowedCidr", "0.0.0.0/1"),
        ("MlflowAllowedCidr", "203.0.113.0"),
        ("MlflowAllowedCidr", "300.0.113.0/24"),
        ("MlflowHostedZoneId", "/hostedzone/Z0123"),
        ("MlflowImage", "debian-12"),
        ("MlflowMachineSize", "micro"),
        ("VpcCidr", "8.8.0.0/16"),
        ("VpcCidr", "10.0.0.0/24"),
        ("DatabaseEngine", "sqlite"),
        ("DatabaseInstanceClass", "t4g.micro"),
        ("DatabaseMaxStorage", "20"),
        ("DatabaseBackupDays", "0"),
        ("WriterConcurrency", "1"),
        ("TrainingJobs", "yes"),
        ("TrainingSeconds", "0"),
        ("TrainingSeconds", "43200"),
        ("ThrottleRate", "0"),
        ("LogRetentionDays", "2"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(name: str, value: str) -> None:
    assert f"{name}={value!r}" in Stack({**LEAST, name: value}).refusals()


def test_outputs_say_where_things_are_and_what_to_do() -> None:
    outputs = STACK.outputs
    assert outputs["MlflowForward"] == (
        "aws ssm start-session --region us-east-1 --target MlflowInstance "
        "--document-name AWS-StartPortForwardingSession --parameters portNumber=5000,localPortNumber=5000"
    )
    assert outputs["MlflowShell"] == "aws ssm start-session --region us-east-1 --target MlflowInstance"
    again = "aws ssm start-associations-once --region us-east-1 --association-ids MlflowSetup"
    assert outputs["MlflowSetupAgain"] == again
    assert outputs["DatabaseBackup"].startswith("aws rds create-db-snapshot --region us-east-1 ")
    assert "--secret-id MlflowAdminSecret" in outputs["MlflowAdminPassword"]
    assert outputs["MlflowAddress"] == "MlflowAddress"
    places = {"ApiUrl", "ArchiveBucket", "ArtifactBucket", "DeadLetterQueueUrl", "AlarmTopic", "DashboardUrl"}
    assert places <= set(outputs)


def test_mlflow_is_where_the_output_says() -> None:
    assert "localhost:5000" in STACK.outputs["MlflowUrl"]
    assert Stack(WITH_DOMAIN).outputs["MlflowUrl"] == "https://mlflow.example.com"


@pytest.mark.parametrize("name", TEMPLATE["Outputs"])
def test_an_output_is_described(name: str) -> None:
    assert len(TEMPLATE["Outputs"][name]["Description"]) > 15
