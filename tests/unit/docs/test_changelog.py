"""The changelog has a heading for the version that is, and keeps its form."""

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import offpath

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "CHANGELOG.md").read_text()
RELEASE = re.compile(r"\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d{2}-\d{2})")
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


@dataclass(frozen=True, slots=True)
class Release:
    """One released version."""

    version: tuple[int, ...]
    day: date


def headings() -> list[str]:
    """The headings of versions, in their order."""
    return re.findall(r"^## (.*)$", TEXT, flags=re.MULTILINE)


def releases() -> list[Release]:
    """The released versions, in their order."""
    found = [RELEASE.fullmatch(heading) for heading in headings()[1:]]
    parts = [match.groups() for match in found if match]
    return [Release(tuple(map(int, part[:3])), date.fromisoformat(part[3])) for part in parts]


def test_what_is_not_released_comes_first() -> None:
    assert headings()[0] == "[Unreleased]"


def test_every_other_heading_is_a_version_and_a_day() -> None:
    assert [heading for heading in headings()[1:] if not RELEASE.fullmatch(heading)] == []


def test_the_newest_release_is_the_projects_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    newest = ".".join(map(str, releases()[0].version))
    assert {newest} == {project["version"], offpath.__version__}


def test_releases_go_from_the_newest_to_the_oldest() -> None:
    versions = [release.version for release in releases()]
    days = [release.day for release in releases()]
    assert versions == sorted(set(versions), reverse=True)
    assert days == sorted(days, reverse=True)


def test_changes_are_of_the_six_known_kinds() -> None:
    assert set(re.findall(r"^### (.*)$", TEXT, flags=re.MULTILINE)) <= KINDS


def test_every_version_says_what_changed() -> None:
    sections = re.split(r"^## .*$", TEXT, flags=re.MULTILINE)[2:]
    assert all(re.search(r"^- ", section, flags=re.MULTILINE) for section in sections)
