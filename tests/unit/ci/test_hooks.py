"""The hooks of pre-commit run what `make check` runs, and download nothing."""

import re
import shlex
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
CONFIGURATION = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())


def hooks() -> list[dict[str, Any]]:
    """All hooks, in their order."""
    return [hook for repository in CONFIGURATION["repos"] for hook in repository["hooks"]]


def checks() -> set[str]:
    """The programs of `make check`."""
    rule = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert rule
    return {line.split()[0].replace("$(BIN)", ".venv/bin") for line in rule[1].splitlines()}


def test_hooks_are_local_and_use_what_is_installed() -> None:
    assert {repository["repo"] for repository in CONFIGURATION["repos"]} == {"local"}
    assert {hook["language"] for hook in hooks()} == {"system"}


def test_hooks_of_a_commit_run_programs_of_make_check() -> None:
    programs = {shlex.split(hook["entry"])[0] for hook in hooks() if "stages" not in hook}
    assert programs
    assert programs <= checks()


def test_a_push_is_checked_whole() -> None:
    assert [hook["entry"] for hook in hooks() if hook.get("stages") == ["pre-push"]] == ["make check"]
