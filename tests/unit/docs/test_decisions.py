"""Decisions are numbered, in the index, and of one form."""

import re
from datetime import date
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "docs" / "decisions"
INDEX = (FOLDER / "README.md").read_text()
PAGES = sorted(FOLDER.glob("[0-9]*.md"))
ROW = re.compile(r"^\| (\d+) \| \[(.+)\]\((.+)\) \| (.+) \| (.+) \|$", re.MULTILINE)
HEAD = re.compile(r"# (\d+)\. (.+)\n\nStatus: (.+)\. Date: (\d{4}-\d{2}-\d{2})\.\n")


def test_numbers_have_no_gap() -> None:
    assert [int(page.name[:4]) for page in PAGES] == list(range(1, len(PAGES) + 1))


def test_the_index_says_of_each_page_what_it_says() -> None:
    heads = [match.groups() for page in PAGES if (match := HEAD.match(page.read_text()))]
    expected = [
        (number, title, page.name, status, day) for page, (number, title, status, day) in zip(PAGES, heads, strict=True)
    ]
    assert ROW.findall(INDEX) == expected


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_page_has_the_same_parts(page: Path) -> None:
    text = page.read_text()
    head = HEAD.match(text)
    assert head
    assert date.fromisoformat(head[4])
    assert re.findall(r"^## (.*)$", text, flags=re.MULTILINE) == ["Context", "Decision", "Consequences", "Measured"]
