"""The stack as moto's CloudFormation makes it, so far as moto knows its types."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3

from tests.infra.intrinsics import Values
from tests.infra.rendered import Stack
from tests.infra.template import translated

REGION = "us-east-1"
_VARIABLE = re.compile(r"\$\{([^!}]+)\}")
# What moto's CloudFormation does not make. These are left out, and references to them are replaced by their names.
UNSUPPORTED = frozenset(
    {
        "AWS::ApiGatewayV2::Api",
        "AWS::ApiGatewayV2::Authorizer",
        "AWS::ApiGatewayV2::Integration",
        "AWS::ApiGatewayV2::Route",
        "AWS::ApiGatewayV2::Stage",
        "AWS::CloudWatch::Alarm",
        "AWS::EC2::EIPAssociation",
        "AWS::EC2::Instance",  # not from a launch template
        "AWS::EC2::SecurityGroupEgress",
        "AWS::Logs::MetricFilter",
        "AWS::Logs::SubscriptionFilter",
        "AWS::RDS::DBParameterGroup",  # it is not handed on to the instance by its name
        "AWS::S3::BucketPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::SSM::Association",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Scheduler::Schedule",
        "AWS::SecretsManager::Secret",
    }
)


@dataclass(frozen=True)
class Created:
    """A stack in moto: the physical ids of its resources, by their names in the template."""

    ids: Mapping[str, str]

    def client(self, service: str) -> Any:
        """boto3's client of a service."""
        return boto3.client(service, region_name=REGION)  # type: ignore[call-overload]

    def id_of(self, prefix: str) -> str:
        """The id of the one resource whose name begins so: SAM adds digits to layers' names."""
        [found] = [physical for name, physical in self.ids.items() if name.startswith(prefix)]
        return found


def create(parameters: Mapping[str, str]) -> Created:
    """Make the stack. Wants moto's mocks to be on."""
    _upload_packages()
    _make_parameter_group(Stack(parameters)["DatabaseParameters"])
    client = boto3.client("cloudformation", region_name=REGION)
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    client.create_stack(StackName="offpath", TemplateBody=json.dumps(for_moto(translated())), Parameters=given)
    resources = client.describe_stack_resources(StackName="offpath")["StackResources"]
    # moto lists those, too, whose condition does not hold, without their names.
    made = [one for one in resources if "LogicalResourceId" in one]
    return Created({one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in made})


def for_moto(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template without the types that moto does not make, and without Fn::Cidr, which it does not know."""
    resources = template["Resources"].items()
    reduction = _Reduction({name for name, one in resources if one["Type"] in UNSUPPORTED}, template["Parameters"])
    kept = {name: reduction.of(one) for name, one in resources if one["Type"] not in UNSUPPORTED}
    for one in kept.values():
        one.pop("DependsOn", None)
    sections = ("AWSTemplateFormatVersion", "Parameters", "Mappings", "Conditions")
    return {**{section: template[section] for section in sections}, "Resources": kept}


class _Reduction:
    """Puts names in the place of references to what is missing, and what it comes to in that of Fn::Cidr."""

    def __init__(self, missing: set[str], parameters: Mapping[str, Any]) -> None:
        self._missing = missing
        self._values = Values({}, {name: one.get("Default", "") for name, one in parameters.items()})
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": lambda name: name if name in missing else {"Ref": name},
            "Fn::GetAtt": lambda path: ".".join(path) if path[0] in missing else {"Fn::GetAtt": path},
            "Fn::Cidr": lambda given: self._values.of({"Fn::Cidr": given}),
            "Fn::Sub": lambda given: {"Fn::Sub": self._sub(given)},
        }

    def of(self, value: Any) -> Any:
        """The value as moto can compute it."""
        if isinstance(value, list):
            return [self.of(part) for part in value]
        if not isinstance(value, dict):
            return value
        name = next(iter(value), "")
        if len(value) == 1 and name in self._functions:
            return self._functions[name](value[name])
        return {key: self.of(part) for key, part in value.items()}

    def _sub(self, given: Any) -> Any:
        if isinstance(given, list):
            return [self._sub(given[0]), self.of(given[1])]
        return _VARIABLE.sub(lambda found: found[1] if found[1].partition(".")[0] in self._missing else found[0], given)


def _make_parameter_group(properties: Mapping[str, Any]) -> None:
    boto3.client("rds", region_name=REGION).create_db_parameter_group(
        DBParameterGroupName="DatabaseParameters",
        DBParameterGroupFamily=properties["Family"],
        Description=properties["Description"],
    )


def _upload_packages() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        package.writestr("handler.py", "")
    s3 = boto3.client("s3", region_name=REGION)
    s3.create_bucket(Bucket="packages")
    for name in (
        "ApiFunction",
        "TraceWriterFunction",
        "SpillSweepFunction",
        "ModelSyncFunction",
        "SharedLayer",
        "SdkLayer",
        "MlflowHostLayer",
    ):
        s3.put_object(Bucket="packages", Key=name, Body=content.getvalue())
