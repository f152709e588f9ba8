"""The instrumentations that the SDK is tried beside, and what they instrument."""

# They ask for OpenTelemetry's API of exactly this version, and so have an environment of their own.
VERSION = "0.66b1"
PACKAGES = (
    *(
        f"opentelemetry-instrumentation-{name}=={VERSION}"
        for name in ("asgi", "aws-lambda", "botocore", "fastapi", "httpx", "logging", "requests", "urllib3")
    ),
    f"opentelemetry-instrumentation=={VERSION}",
    f"opentelemetry-util-http=={VERSION}",
    f"opentelemetry-semantic-conventions=={VERSION}",
    "awslambdaric>=4.2",
    "fastapi>=0.165",
    "httpx>=0.28,<1",
    "requests>=2.32",
)
