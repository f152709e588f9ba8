"""Other versions of what was built: of the template, and of a package."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

Template = dict[str, Any]


def changed(built: Path, target: Path, change: Callable[[Template], None]) -> Path:
    """Write a changed copy of a built template to `target`, whose packages stay where they are; return its path."""
    template: Template = yaml.safe_load(built.read_text(encoding="utf-8"))
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        for key in {"CodeUri", "ContentUri"} & properties.keys():
            if not properties[key].startswith("s3://"):
                properties[key] = str((built.parent / properties[key]).resolve())
    change(template)
    target.write_text(yaml.safe_dump(template, sort_keys=False), encoding="utf-8")
    return target


def with_line(package: Path, module: str, line: str, target: Path) -> str:
    """Copy a built package to `target`, with a line of code at the end of a module; return its path."""
    shutil.copytree(package, target, copy_function=os.link)
    source = target / module
    code = source.read_text(encoding="utf-8")
    source.unlink()  # it is a link to the other one's file
    source.write_text(f"{code}\n{line}\n", encoding="utf-8")
    for compiled in (source.parent / "__pycache__").glob(f"{source.stem}.*.pyc"):
        compiled.unlink()  # Python would not compare it with the source
    return str(target)
