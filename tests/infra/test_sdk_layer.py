"""The stack has a layer and a policy for Lambdas of other teams, and outputs that name them."""

import pytest

from local.built.sdk_layer import PYTHONS
from offpath.contracts.names import CLAIMS_PREFIX, SPILL_PREFIX
from tests.infra.policies import granted
from tests.infra.rendered import LEAST, Stack
from tests.infra.template import written

STACK = Stack(LEAST)
[LAYER] = [name for name in STACK.resources if name.startswith("SdkLayer")]
WRITTEN = written("AWS::Serverless::LayerVersion")["SdkLayer"]["Properties"]


def test_layer_runs_in_the_pythons_that_it_is_built_for() -> None:
    assert STACK[LAYER]["CompatibleRuntimes"] == [f"python{version}" for version in PYTHONS]


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_layer_is_for_the_processors_that_are_asked_for(architecture: str) -> None:
    stack = Stack({**LEAST, "Architecture": architecture})
    assert stack[LAYER]["CompatibleArchitectures"] == [architecture]


def test_layer_is_uploaded_as_make_layer_built_it() -> None:
    assert WRITTEN["ContentUri"] == "dist/layer"


@pytest.mark.parametrize("prefix", ["SdkLayer", "SharedLayer"])
def test_layer_versions_stay_when_newer_ones_come(prefix: str) -> None:
    [name] = [name for name in STACK.resources if name.startswith(prefix)]
    assert STACK.resources[name]["DeletionPolicy"] == "Retain"


def test_functions_of_the_stack_do_without_the_sdks_layer() -> None:
    layers = [layer for one in STACK.of_type("AWS::Lambda::Function").values() for layer in one["Layers"]]
    assert {layer.rstrip("0123456789abcdef") for layer in layers} == {"SharedLayer"}


def test_producer_may_send_traces_and_keep_large_ones() -> None:
    assert granted(STACK["ProducerPolicy"]["PolicyDocument"]) == {
        ("sqs:SendMessage", "TraceQueue.Arn"),
        ("s3:PutObject", f"ArchiveBucket.Arn/{CLAIMS_PREFIX}*"),
        ("s3:PutObject", f"ArchiveBucket.Arn/{SPILL_PREFIX}*"),
    }


def test_no_key_of_ones_own_asks_producers_for_more() -> None:
    assert STACK["TraceQueue"]["SqsManagedSseEnabled"] is True
    [rule] = STACK["ArchiveBucket"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_outputs_name_what_a_producer_needs() -> None:
    outputs = STACK.outputs
    assert outputs["SdkLayerArn"] == LAYER
    assert outputs["ProducerPolicyArn"] == "ProducerPolicy"
    assert outputs["TraceQueueUrl"] == "TraceQueue"
    assert outputs["ArchiveBucket"] == "ArchiveBucket"
