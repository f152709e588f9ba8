"""A file that the documentation names is there."""

import re

import pytest

from local.sources import ROOT
from offpath.contracts.names import RECIPES_KEY

PAGES = ["CONTRIBUTING.md", "docs/architecture.md", "docs/contracts.md", "docs/how-it-works.md"]
NAMED = re.compile(r"`((?:functions|layers|local|training|cli|tests|benchmarks|events|docs)/[\w./-]*)`")


@pytest.mark.parametrize("page", PAGES)
def test_named_files_exist(page: str) -> None:
    named = set(NAMED.findall((ROOT / page).read_text())) - {RECIPES_KEY}  # an object in the bucket
    assert named
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
