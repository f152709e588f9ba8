"""Read from when and until when: an age such as 24h, or a time in ISO 8601."""

import re
from datetime import UTC, datetime, timedelta

from offpath_cli.errors import CommandError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
PERIOD_HELP = "An age, as 30m, 24h or 7d, or a time, as 2026-11-25T14:00 (UTC unless it says otherwise)."


def moment(text: str, now: datetime, option: str) -> datetime:
    """Return the time, in UTC, that an option names. Raises CommandError."""
    try:
        if age := re.fullmatch(r"(\d+)([smhd])", text.strip()):
            return now - timedelta(**{_UNITS[age[2]]: int(age[1])})
        found = datetime.fromisoformat(text.strip())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise CommandError(f"{option} {text!r}: expected an age, as 30m, 24h or 7d, or a time in ISO 8601") from error
