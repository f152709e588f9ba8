"""`offpath compare` on the command line."""

import pytest
from typer.testing import CliRunner

from offpath_cli.app import app


def test_the_command_is_listed_with_what_it_does() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    assert "compare" in result.output


@pytest.mark.parametrize("age", ["3w", "h", "-1h", "1.5h", ""])
def test_an_age_without_a_known_unit_is_refused(age: str) -> None:
    result = CliRunner().invoke(app, ["compare", "iris", f"--since={age}"])
    assert result.exit_code == 1
    assert f"--since {age!r}: expected a number with its unit, as 30m, 24h or 7d" in result.stderr


def test_an_age_beyond_the_calendar_is_refused() -> None:
    for age in ("900000d", "9999999999d"):
        result = CliRunner().invoke(app, ["compare", "iris", f"--since={age}"])
        assert result.exit_code == 1
        assert f"--since {age!r}: that is before the calendar begins" in result.stderr


def test_an_address_that_is_none_is_refused() -> None:
    result = CliRunner().invoke(app, ["compare", "iris", "--tracking-uri", "file:mlruns"])
    assert result.exit_code == 1
    assert "expected the http(s)://host:port of an MLflow server" in result.stderr
