"""The template as it is written, and as AWS's transform makes it."""

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from cfnlint.decode.cfn_yaml import load

ROOT = Path(__file__).parents[2]
SAM_PYTHON = ROOT / ".venv-sam" / "bin" / "python"
TEMPLATE: dict[str, Any] = load(str(ROOT / "template.yaml"))


@cache
def translated() -> dict[str, Any]:
    """Return the template without SAM's types, as CloudFormation makes the stack of it."""
    command = [SAM_PYTHON, Path(__file__).with_name("translate.py"), ROOT / "template.yaml"]
    environ = {**os.environ, "AWS_DEFAULT_REGION": "us-east-1"}
    text = subprocess.run(list(map(str, command)), env=environ, stdout=subprocess.PIPE, check=True).stdout
    template: dict[str, Any] = json.loads(text)
    return template


def written(kind: str) -> dict[str, Any]:
    """The resources of a type, by name, as they are written."""
    found = {name: resource for name, resource in TEMPLATE["Resources"].items() if resource["Type"] == kind}
    assert found, f"the template has no {kind}"
    return found
