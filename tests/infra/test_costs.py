"""The table of costs in docs/deploy.md."""

import re
from decimal import Decimal

from local.sources import ROOT

LINES = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8").splitlines()
ROWS = [
    [cell.strip(" *") for cell in line.strip("|").split("|")] for line in LINES if re.search(r"\d\.\d\d\**? \|$", line)
]


def test_its_rows_add_up_to_its_last() -> None:
    *rows, total = ROWS
    assert total[0] == "together"
    assert len(rows) > 10
    for column in (2, 3):
        assert sum(Decimal(row[column]) for row in rows) == Decimal(total[column])
