"""Build the image that functions run in: Lambda's base image, with the runtime emulator of SAM CLI before it.

The public base image has an emulator of its own; this one is the same wherever the base image comes from.
"""

import platform
import shutil
import tempfile
from pathlib import Path

from local.errors import CommandRefused
from local.sources import ROOT
from local.testbed.docker import docker

BASE = "public.ecr.aws/lambda/python:3.13"
# What the emulator puts before the name of each base image.
PREFIX = "offpath-deployed"
IMAGE = f"{PREFIX}/{BASE}"
ENTRY = """#!/bin/sh
export _HANDLER="$1"
exec /usr/local/bin/aws-lambda-rie /var/runtime/bootstrap
"""
DOCKERFILE = f"""FROM {BASE}
COPY aws-lambda-rie /usr/local/bin/aws-lambda-rie
COPY entry.sh /entry.sh
ENTRYPOINT ["/entry.sh"]
"""
PROCESSORS = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def build() -> None:
    """Build it; what was built before is taken from Docker's cache. Raises CommandRefused or ServiceFailed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(_runtime_emulator(), folder / "aws-lambda-rie")
        (folder / "entry.sh").write_text(ENTRY, encoding="utf-8")
        for program in ("aws-lambda-rie", "entry.sh"):
            (folder / program).chmod(0o755)
        (folder / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
        docker("build", "--quiet", "--tag", IMAGE, name)


def _runtime_emulator() -> Path:
    processor = PROCESSORS.get(platform.machine().lower(), "")
    found = list((ROOT / ".venv-sam").glob(f"lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{processor}"))
    if not found:
        raise CommandRefused(f"SAM CLI has no Lambda runtime emulator for {platform.machine()}")
    return found[0]
