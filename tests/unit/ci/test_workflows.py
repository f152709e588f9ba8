"""Workflows and `.ci/run` call the same targets, and workflows may do no more than they need."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKE = re.compile(r"^\s*make ([a-z-]+)", re.MULTILINE)

every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


@cache
def read(path: Path) -> dict[str, Any]:
    """The workflow in that file."""
    workflow: dict[str, Any] = yaml.safe_load(path.read_text())
    return workflow


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    """A workflow's jobs, by name."""
    found: dict[str, dict[str, Any]] = read(path)["jobs"]
    return found


def steps(path: Path) -> list[dict[str, Any]]:
    """All steps of a workflow's jobs, in their order."""
    return [step for job in jobs(path).values() for step in job["steps"]]


def called(path: Path) -> list[str]:
    """The targets of make that a workflow calls."""
    return [target for step in steps(path) for target in MAKE.findall(step.get("run", ""))]


@every_workflow
def test_called_targets_are_in_the_makefile(path: Path) -> None:
    targets = re.findall(r"^\.PHONY: (\S+)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert called(path)
    assert set(called(path)) <= set(targets)


def test_the_ci_workflow_calls_what_ci_run_calls() -> None:
    script = MAKE.findall((ROOT / ".ci" / "run").read_text())
    assert sorted(called(ROOT / ".github" / "workflows" / "ci.yml")) == sorted(script)


@every_workflow
def test_actions_are_githubs_own_and_pinned_by_major_version(path: Path) -> None:
    uses = [step["uses"] for step in steps(path) if "uses" in step]
    assert [action for action in uses if not re.fullmatch(r"actions/[a-z-]+@v\d+", action)] == []


@every_workflow
def test_without_a_word_of_its_job_it_only_reads(path: Path) -> None:
    assert read(path)["permissions"] == {"contents": "read"}


@every_workflow
def test_what_runs_others_code_cannot_write(path: Path) -> None:
    writing = [job for job in jobs(path).values() if "write" in job.get("permissions", {}).values()]
    assert [step["run"] for job in writing for step in job["steps"] if MAKE.search(step.get("run", ""))] == []
    reading = [step for job in jobs(path).values() if job not in writing for step in job["steps"]]
    checkouts = [step for step in reading if step.get("uses", "").startswith("actions/checkout@")]
    assert [step["with"]["persist-credentials"] for step in checkouts] == [False] * len(checkouts)


@every_workflow
def test_every_job_ends_within_half_an_hour(path: Path) -> None:
    assert all(job["timeout-minutes"] <= 30 for job in jobs(path).values())


@every_workflow
def test_runs_of_one_branch_do_not_pile_up(path: Path) -> None:
    assert read(path)["concurrency"]["group"]
