"""Put the machine's CA certificate where the functions fetch it: `python -m offpath_host.publish_ca FILE`."""

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import boto3

from offpath_host.settings import HostSettings


def publish(certificate: bytes, target: str, region: str) -> None:
    """Put the certificate (PEM) under an address like `s3://bucket/key`. Raises what the SDK raises."""
    parts = urlsplit(target)
    client = boto3.client("s3", region_name=region)
    client.put_object(
        Bucket=parts.netloc, Key=parts.path.lstrip("/"), Body=certificate, ContentType="application/x-pem-file"
    )


if __name__ == "__main__":
    settings = HostSettings.load(os.environ)
    publish(Path(sys.argv[1]).read_bytes(), settings.ca_object, settings.region)
