"""Roles and policies allow what their functions need, and no more."""

import pytest

from tests.infra.policies import documents, granted, listed, roles
from tests.infra.rendered import LEAST, Stack

STACK = Stack(LEAST)
[HOST_LAYER] = [name for name in STACK.resources if name.startswith("MlflowHostLayer")]
LOGIN = "secretsmanager:GetSecretValue"
# Deny statements of these name every action and everybody: they refuse whatever comes without TLS.
OF_THE_LEDGER = ("archive", "receipts", "waiting", "spill", "claims", "dead-letters")
TLS_ONLY = {"QueuePolicy", "ArchiveBucketPolicy", "ArtifactBucketPolicy"}


def test_who_may_do_what() -> None:
    list_archive = ("s3:ListBucket", "ArchiveBucket.Arn")
    read_ca = ("s3:GetObject", "ArchiveBucket.Arn/mlflow/ca.pem")
    written = {
        ("s3:PutObject", "ArchiveBucket.Arn/archive/*"),
        ("s3:PutObject", "ArchiveBucket.Arn/receipts/*"),
        ("s3:GetObject", "ArchiveBucket.Arn/claims/*"),
        ("s3:GetObject", "ArchiveBucket.Arn/waiting/*"),
        ("s3:PutObject", "ArchiveBucket.Arn/waiting/*"),
        ("s3:GetObject", "ArchiveBucket.Arn/verdicts/*"),
        ("s3:PutObject", "ArchiveBucket.Arn/verdicts/*"),
        ("s3:PutObject", "ArchiveBucket.Arn/dead-letters/*"),
        ("sqs:SendMessage", "DeadLetterQueue.Arn"),
        (LOGIN, "MlflowWriterSecret"),
        read_ca,
        list_archive,
    }
    assert roles(STACK) == {
        "ApiFunctionRole": {
            ("sqs:SendMessage", "TraceQueue.Arn"),
            ("s3:GetObject", "ArchiveBucket.Arn/models/*"),
            ("s3:PutObject", "ArchiveBucket.Arn/claims/*"),
            ("s3:PutObject", "ArchiveBucket.Arn/spill/*"),
            ("sqs:SendMessage", "TrainingQueue.Arn"),
            ("s3:GetObject", "ArchiveBucket.Arn/jobs/*"),
            ("s3:PutObject", "ArchiveBucket.Arn/jobs/*"),
            ("s3:GetObject", "ArchiveBucket.Arn/training/recipes.json"),
            ("s3:GetObject", "ArchiveBucket.Arn/datasets/*"),
            list_archive,
        },
        "TraceWriterFunctionRole": written | {("sqs:ChangeMessageVisibility", "TraceQueue.Arn")},
        "SpillSweepFunctionRole": written
        | {
            ("s3:GetObject", "ArchiveBucket.Arn/spill/*"),
            ("s3:PutObject", "ArchiveBucket.Arn/spill/*"),
            ("s3:DeleteObject", "ArchiveBucket.Arn/spill/*"),
            ("s3:GetObject", "ArchiveBucket.Arn/status/sweep-lease.json"),
            ("s3:PutObject", "ArchiveBucket.Arn/status/sweep-lease.json"),
        },
        "SpillSweepFunctionEveryFiveMinutesRole": {("lambda:InvokeFunction", "SpillSweepFunction.Arn")},
        "AuditFunctionRole": {
            *(("s3:GetObject", f"ArchiveBucket.Arn/{prefix}/*") for prefix in OF_THE_LEDGER),
            ("s3:PutObject", "ArchiveBucket.Arn/status/audit.json"),
            ("sqs:GetQueueAttributes", "TraceQueue.Arn"),
            list_archive,
        },
        "AuditFunctionDailyRole": {("lambda:InvokeFunction", "AuditFunction.Arn")},
        "ModelSyncFunctionRole": {
            ("s3:GetObject", "ArchiveBucket.Arn/models/*"),
            ("s3:PutObject", "ArchiveBucket.Arn/models/*"),
            (LOGIN, "MlflowModelSyncSecret"),
            read_ca,
            list_archive,
        },
        "ModelSyncFunctionEveryMinuteRole": {("lambda:InvokeFunction", "ModelSyncFunction.Arn")},
        "MlflowRole": {
            (LOGIN, "DatabaseSecret"),
            (LOGIN, "MlflowAdminSecret"),
            (LOGIN, "MlflowWriterSecret"),
            (LOGIN, "MlflowModelSyncSecret"),
            (LOGIN, "MlflowTrainerSecret"),
            ("s3:GetObject", "ArtifactBucket.Arn/mlflow/*"),
            ("s3:PutObject", "ArtifactBucket.Arn/mlflow/*"),
            ("s3:DeleteObject", "ArtifactBucket.Arn/mlflow/*"),
            ("s3:AbortMultipartUpload", "ArtifactBucket.Arn/mlflow/*"),
            ("s3:ListBucket", "ArtifactBucket.Arn"),
            ("s3:PutObject", "ArchiveBucket.Arn/mlflow/ca.pem"),
            ("sqs:ReceiveMessage", "TrainingQueue.Arn"),
            ("sqs:DeleteMessage", "TrainingQueue.Arn"),
            ("sqs:ChangeMessageVisibility", "TrainingQueue.Arn"),
            ("s3:GetObject", "ArchiveBucket.Arn/jobs/*"),
            ("s3:PutObject", "ArchiveBucket.Arn/jobs/*"),
            ("s3:GetObject", "ArchiveBucket.Arn/datasets/*"),
            ("s3:GetObject", "ArchiveBucket.Arn/training/recipes.json"),
            ("s3:PutObject", "ArchiveBucket.Arn/training/recipes.json"),
            list_archive,
            ("lambda:GetLayerVersion", HOST_LAYER),
        },
    }


def test_which_of_awss_policies_are_attached() -> None:
    attached = {
        name: {arn.rpartition("/")[2] for arn in role.get("ManagedPolicyArns", [])}
        for name, role in STACK.of_type("AWS::IAM::Role").items()
    }
    inside = {"AWSLambdaBasicExecutionRole", "AWSLambdaVPCAccessExecutionRole"}
    assert attached == {
        "ApiFunctionRole": {"AWSLambdaBasicExecutionRole"},
        "TraceWriterFunctionRole": inside | {"AWSLambdaSQSQueueExecutionRole"},
        "ModelSyncFunctionRole": inside,
        "SpillSweepFunctionRole": inside,
        "SpillSweepFunctionEveryFiveMinutesRole": set(),
        "AuditFunctionRole": {"AWSLambdaBasicExecutionRole"},
        "AuditFunctionDailyRole": set(),
        "ModelSyncFunctionEveryMinuteRole": set(),
        "MlflowRole": {"AmazonSSMManagedInstanceCore"},
    }


def test_a_role_is_taken_on_by_one_service() -> None:
    services = {
        name: [listed(statement["Principal"]["Service"]) for statement in role["AssumeRolePolicyDocument"]["Statement"]]
        for name, role in STACK.of_type("AWS::IAM::Role").items()
    }
    functions = {f"{name}Role": [["lambda.amazonaws.com"]] for name in STACK.of_type("AWS::Lambda::Function")}
    others = {
        "ModelSyncFunctionEveryMinuteRole": [["scheduler.amazonaws.com"]],
        "SpillSweepFunctionEveryFiveMinutesRole": [["scheduler.amazonaws.com"]],
        "AuditFunctionDailyRole": [["scheduler.amazonaws.com"]],
        "MlflowRole": [["ec2.amazonaws.com"]],
    }
    assert services == {**functions, **others}


def test_nobody_may_do_or_touch_everything() -> None:
    for name, document in documents(STACK):
        for statement in document["Statement"]:
            if statement["Effect"] == "Deny":
                assert name in TLS_ONLY
                continue
            assert not [action for action in listed(statement["Action"]) if "*" in action], name
            # A star may end a resource below a folder or a bucket of the stack, and is nowhere else.
            stars = [one for one in listed(statement.get("Resource", [])) if "*" in one]
            assert all(one.endswith("/*") and one.count("*") == 1 and one[0] != "*" for one in stars), name


def test_whose_policies_are_for_everybody_within_the_network_or_refuse() -> None:
    everybody = {
        name for name, document in documents(STACK) for one in document["Statement"] if one.get("Principal") == "*"
    }
    assert everybody == TLS_ONLY | {"S3Endpoint", "SecretsEndpoint", "QueueEndpoint"}


@pytest.mark.parametrize("name", ["TraceWriterFunctionRole", "SpillSweepFunctionRole", "ModelSyncFunctionRole"])
def test_the_endpoints_let_through_what_the_functions_may(name: str) -> None:
    endpoints = STACK.of_type("AWS::EC2::VPCEndpoint").values()
    passed = {line for one in endpoints for line in granted(one["PolicyDocument"])}
    for action, resource in roles(STACK)[name]:
        allowed = {one for verb, one in passed if verb == action}
        assert any(resource == one or (one.endswith("*") and resource.startswith(one[:-1])) for one in allowed), (
            resource
        )


def test_the_machine_reaches_queue_and_secrets_through_the_same_endpoints() -> None:
    endpoints = [STACK[name]["PolicyDocument"] for name in ("SecretsEndpoint", "QueueEndpoint")]
    passed = {line for document in endpoints for line in granted(document)}
    needed = {line for line in roles(STACK)["MlflowRole"] if line[0].startswith(("sqs:", "secretsmanager:"))}
    assert len(needed) == 8
    assert needed <= passed


def test_who_may_invoke_a_function() -> None:
    permissions = {one["FunctionName"]: one for one in STACK.of_type("AWS::Lambda::Permission").values()}
    assert permissions == {
        "ApiFunction": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": "ApiFunction",
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": "arn:aws:execute-api:us-east-1:123456789012:HttpApi/*",
        },
        "SpillSweepFunction": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": "SpillSweepFunction",
            "Principal": "logs.amazonaws.com",
            "SourceArn": "arn:aws:logs:us-east-1:123456789012:log-group:ApiLogs:*",
        },
    }
