"""An SQS that lasts: MiniStack's SQS, with its messages in a file."""
