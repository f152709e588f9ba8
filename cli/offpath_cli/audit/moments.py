"""Read a moment as people write it."""

import re
from datetime import UTC, datetime, timedelta

import typer

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
EXPECTED = "expected an age, as 30m, 24h or 7d, or a time in UTC, as 2026-11-25 or 2026-11-25T14:00"


def moment(text: str, now: datetime, option: str) -> datetime:
    """Return the moment that an age or a time in UTC names. Raises BadParameter, which names the option."""
    try:
        if found := re.fullmatch(r"(\d+)([mhd])", text.strip()):
            return now - timedelta(**{_UNITS[found[2]]: int(found[1])})
        time = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(f"{text!r}: {EXPECTED}", param_hint=option) from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def duration(text: str, option: str) -> timedelta:
    """Return the time that an age such as 15m names. Raises BadParameter."""
    now = datetime.now(UTC)
    if not re.fullmatch(r"\d+[mhd]", text.strip()):
        raise typer.BadParameter(f"{text!r}: expected a number with its unit, as 15m or 1h", param_hint=option)
    return now - moment(text, now, option)
