"""SQS's batch calls are, in IAM, the single calls' actions. In MiniStack SendMessageBatch is one of its own."""

from typing import Any

from ministack.core import iam_actions

TARGET = {"x-amz-target": "AmazonSQS.SendMessageBatch", "content-type": "application/x-amz-json-1.0"}


def is_needed() -> bool:
    """Return whether the batch call has another action than the single one."""
    return bool(iam_actions.extract_iam_action("sqs", "POST", "/", TARGET, b"{}", {}) != "sqs:SendMessage")


def install() -> None:
    """Name it as AWS does."""
    former = iam_actions.extract_iam_action

    def action(service: str, *rest: Any) -> Any:
        name = former(service, *rest)
        return name.removesuffix("Batch") if name and name.startswith("sqs:") else name

    iam_actions.extract_iam_action = action
