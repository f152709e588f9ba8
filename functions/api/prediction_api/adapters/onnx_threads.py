"""How many threads one call of a model may take."""

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
MB_PER_CPU = 1_769


def onnx_threads(setting: int | None, lambda_memory_mb: str | None) -> int:
    """The setting, or as many as a Lambda function of that memory has whole CPUs for; one outside Lambda.

    A server outside Lambda runs several requests at once, so that more threads for each gain nothing by themselves.
    """
    if setting is not None:
        return setting
    memory = int(lambda_memory_mb) if lambda_memory_mb and lambda_memory_mb.isdecimal() else 0
    return max(1, memory // MB_PER_CPU)
