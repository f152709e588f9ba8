"""Buckets and logs."""

import pytest

from tests.infra.rendered import LEAST, Stack

STACK = Stack(LEAST)
BUCKETS = STACK.of_type("AWS::S3::Bucket")
LOGS = STACK.of_type("AWS::Logs::LogGroup")


@pytest.mark.parametrize("name", BUCKETS)
def test_a_bucket_is_private_encrypted_and_versioned(name: str) -> None:
    block = BUCKETS[name]["PublicAccessBlockConfiguration"]
    assert set(block) == {"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"}
    assert set(block.values()) == {True}
    assert BUCKETS[name]["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    [encryption] = BUCKETS[name]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert BUCKETS[name]["VersioningConfiguration"] == {"Status": "Enabled"}


@pytest.mark.parametrize("name", BUCKETS)
def test_a_bucket_outlives_the_stack(name: str) -> None:
    assert STACK.resources[name]["DeletionPolicy"] == STACK.resources[name]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("name", BUCKETS)
def test_what_a_bucket_has_no_use_for_is_cleared_away(name: str) -> None:
    rules = BUCKETS[name]["LifecycleConfiguration"]["Rules"]
    whole = [rule for rule in rules if rule["Status"] == "Enabled" and "Prefix" not in rule]
    assert {"DaysAfterInitiation": 1} in [rule.get("AbortIncompleteMultipartUpload") for rule in whole]
    assert {"NoncurrentDays": 30} in [rule.get("NoncurrentVersionExpiration") for rule in whole]


def test_only_what_belongs_to_expired_messages_expires() -> None:
    going = [
        (name, rule.get("Prefix"), rule["ExpirationInDays"])
        for name, bucket in BUCKETS.items()
        for rule in bucket["LifecycleConfiguration"]["Rules"]
        if "ExpirationInDays" in rule
    ]
    days = sum(STACK[queue]["MessageRetentionPeriod"] for queue in ("TraceQueue", "DeadLetterQueue")) / 86400
    assert going == [("ArchiveBucket", prefix, 30) for prefix in ("claims/", "waiting/", "verdicts/")]
    assert days <= 30


@pytest.mark.parametrize("name", BUCKETS)
def test_a_bucket_takes_tls_only(name: str) -> None:
    [policy] = [one for one in STACK.of_type("AWS::S3::BucketPolicy").values() if one["Bucket"] == name]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"], statement["Principal"]) == ("Deny", "s3:*", "*")
    assert statement["Resource"] == [f"{name}.Arn", f"{name}.Arn/*"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("name", LOGS)
def test_logs_do_not_stay_for_ever(name: str) -> None:
    assert Stack({**LEAST, "LogRetentionDays": "90"})[name]["RetentionInDays"] == "90"


@pytest.mark.parametrize("name", STACK.of_type("AWS::Lambda::Function"))
def test_a_functions_log_group_is_one_of_these(name: str) -> None:
    logging = STACK[name]["LoggingConfig"]
    assert logging["LogGroup"] in LOGS
    assert logging["LogFormat"] == "JSON"
