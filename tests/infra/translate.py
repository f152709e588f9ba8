"""Run by SAM CLI's own Python: `translate.py TEMPLATE` prints the template as AWS's transform makes it, as JSON.

Folders are replaced by addresses in S3, as `sam package` does.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform  # type: ignore[import-not-found]
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-not-found]

FOLDERS = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


class NoManagedPolicies:
    """Knows no policy of AWS by its name, as the template names ARNs."""

    def load(self) -> Mapping[str, str]:
        """Return no policy."""
        return {}


def translated(text: str) -> dict[str, Any]:
    """Return the template without SAM's types."""
    template = yaml_parse(text)
    for name, resource in template["Resources"].items():
        if resource["Type"] in FOLDERS:
            resource["Properties"][FOLDERS[resource["Type"]]] = f"s3://packages/{name}"
    done: dict[str, Any] = transform(template, {}, NoManagedPolicies())
    return done


if __name__ == "__main__":
    json.dump(translated(Path(sys.argv[1]).read_text(encoding="utf-8")), sys.stdout)
