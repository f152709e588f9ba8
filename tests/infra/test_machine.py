"""MLflow's machine starts from an image that can be pinned, and nobody has a key to it."""

import base64
import json
from typing import Any

import pytest

from tests.infra.rendered import LEAST, WITH_DOMAIN, Stack

STACK = Stack(LEAST)
ARCHITECTURES = {name: Stack({**LEAST, "Architecture": name}) for name in ("x86_64", "arm64")}


def data(stack: Stack = STACK) -> dict[str, Any]:
    found: dict[str, Any] = stack["MlflowLaunchTemplate"]["LaunchTemplateData"]
    return found


def user_data(stack: Stack = STACK) -> str:
    return base64.b64decode(data(stack)["UserData"]).decode()


def test_instance_metadata_needs_a_token_and_stays_one_hop() -> None:
    assert data()["MetadataOptions"] == {
        "HttpEndpoint": "enabled",
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": 1,
    }


def test_the_machines_disk_is_encrypted() -> None:
    [disk] = data()["BlockDeviceMappings"]
    assert disk["DeviceName"] == "/dev/xvda"
    assert disk["Ebs"] == {"VolumeType": "gp3", "VolumeSize": 30, "Encrypted": True, "DeleteOnTermination": True}


def test_nobody_has_a_key_to_the_machine() -> None:
    assert "KeyName" not in {**data(), **STACK["MlflowInstance"]}


def test_systems_manager_takes_the_place_of_ssh() -> None:
    assert STACK["MlflowRole"]["ManagedPolicyArns"] == ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]
    assert data()["IamInstanceProfile"] == {"Arn": "MlflowInstanceProfile.Arn"}
    assert STACK["MlflowInstanceProfile"]["Roles"] == ["MlflowRole"]


def test_a_machine_whose_hardware_fails_is_recovered() -> None:
    assert data()["MaintenanceOptions"] == {"AutoRecovery": "default"}


@pytest.mark.parametrize(
    ("architecture", "kind", "debian"), [("x86_64", "t3.medium", "amd64"), ("arm64", "t4g.medium", "arm64")]
)
def test_machine_image_and_agent_are_of_one_architecture(architecture: str, kind: str, debian: str) -> None:
    stack = ARCHITECTURES[architecture]
    assert stack["MlflowInstance"]["InstanceType"] == kind
    assert data(stack)["ImageId"] == f"resolve:ssm:/aws/service/debian/release/12/latest/{debian}"
    agent = "https://s3.us-east-1.amazonaws.com/amazon-ssm-us-east-1/latest/debian_{}/amazon-ssm-agent.deb"
    assert agent.format(debian) in user_data(stack)


def test_an_image_can_be_pinned() -> None:
    assert data(Stack({**LEAST, "MlflowImage": "ami-0123456789abcdef0"}))["ImageId"] == "ami-0123456789abcdef0"


def test_another_size_is_a_restart_and_not_another_machine() -> None:
    larger = Stack({**LEAST, "MlflowMachineSize": "large"})
    assert larger["MlflowInstance"]["InstanceType"] == "t3.large"
    assert data(larger) == data()


@pytest.mark.parametrize(
    "given",
    [
        {"DatabaseEngine": "mysql"},
        {"DatabaseInstanceClass": "db.m7g.large"},
        {
            "MlflowDomain": "other.example.com",
            "MlflowAllowedCidr": "198.51.100.0/24",
            "MlflowAcmeEmail": "a@example.com",
        },
        {"AlarmEmail": "a@example.com", "LogRetentionDays": "7", "WriterConcurrency": "9"},
        {"TrainingJobs": "true", "TrainingSeconds": "60"},
    ],
    ids=lambda given: next(iter(given)),
)
def test_nothing_but_image_and_architecture_replaces_the_machine(given: dict[str, str]) -> None:
    assert data(Stack({**LEAST, **given})) == data()


def test_user_data_holds_no_secret_and_names_none() -> None:
    text = user_data(Stack(WITH_DOMAIN))
    assert "Secret" not in text
    assert "password" not in text.lower()
    # All that is put into it is the region, and what belongs to it.
    assert text == user_data(Stack(LEAST))
    assert "Mlflow" not in json.dumps(text)


def test_the_machine_has_an_address_that_stays() -> None:
    assert STACK["MlflowAddressAssociation"] == {
        "AllocationId": "MlflowAddress.AllocationId",
        "InstanceId": "MlflowInstance",
    }


def test_a_domain_is_put_into_its_zone() -> None:
    stack = Stack({**WITH_DOMAIN, "MlflowHostedZoneId": "Z0123456789"})
    record = stack["MlflowRecord"]
    assert (record["Name"], record["Type"], record["ResourceRecords"]) == ("mlflow.example.com", "A", ["MlflowAddress"])
    assert "MlflowRecord" not in Stack(WITH_DOMAIN).resources
