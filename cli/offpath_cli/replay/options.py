"""The options of `offpath replay`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer

from offpath_cli.audit.moments import moment
from offpath_cli.replay.event import Period, Selection
from offpath_cli.where import StackName

_ARCHIVE_AGE = timedelta(hours=24)
_WHEN = "30m, 24h, 7d, 2026-11-25 or 2026-11-25T14:00 (UTC). Of the archive: whole hours."


class SourceName(StrEnum):
    """Name a place that events are read from."""

    archive = "archive"
    spill = "spill"
    log = "log"
    dead_letters = "dead-letters"


class TargetName(StrEnum):
    """Name a place that events are delivered to."""

    queue = "queue"
    mlflow = "mlflow"
    otlp = "otlp"


class Outcome(StrEnum):
    """Name what became of a request."""

    answered = "answered"
    refused = "refused"
    failed = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """Hold the options of `offpath replay`."""

    places: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE] [URL]", help="The log's file (- is standard input), and OTLP's URL."),
    ] = None
    source: Annotated[SourceName, typer.Option("--from", help="Where events are read.")]
    target: Annotated[TargetName, typer.Option("--to", help="Where they are delivered.")]
    since: Annotated[str, typer.Option(metavar="WHEN", help=f"From when on: {_WHEN}")] = ""
    until: Annotated[str, typer.Option(metavar="WHEN", help="Until when.")] = ""
    model: Annotated[str, typer.Option(help="Only events of this model.")] = ""
    trace_id: Annotated[list[str] | None, typer.Option(help="Only this trace; may be given again.")] = None
    outcome: Annotated[Outcome | None, typer.Option(help="Only events with this outcome.", show_default=False)] = None
    rate: Annotated[float, typer.Option(min=0, help="The most events a second; 0 for no bound.")] = 0
    patience: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How long a target that takes nothing is waited for.")
    ] = 300
    experiment: Annotated[str, typer.Option(help="The MLflow experiment of events that name none.")] = ""
    header: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A header for OTLP; may be given again.")
    ] = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count the events, and deliver none.")] = False
    stack: StackName = ""
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False

    def paths(self) -> tuple[str, str]:
        """Return the log's file and OTLP's URL, empty where they are not needed. Raises BadParameter."""
        given = list(self.places or ())
        needed = {"FILE": self.source is SourceName.log, "URL": self.target is TargetName.otlp}
        if len(given) != sum(needed.values()):
            wanted = " and ".join(name for name, is_needed in needed.items() if is_needed) or "neither FILE nor URL"
            raise typer.BadParameter(f"--from {self.source} --to {self.target} takes {wanted}")
        file = given.pop(0) if needed["FILE"] else ""
        return file, given.pop(0) if needed["URL"] else ""

    def selection(self) -> Selection:
        """Return which events are wanted."""
        trace_ids = frozenset(given.removeprefix("tr-").lower() for given in self.trace_id or ())
        return Selection(self.model, trace_ids, self.outcome or "")

    def period(self, now: datetime) -> Period:
        """Return from when to when; of the archive the last 24 hours, if nothing was said. Raises BadParameter."""
        since = moment(self.since, now, "--since") if self.since else None
        until = moment(self.until, now, "--until") if self.until else None
        if self.source is SourceName.archive:
            since, until = since or now - _ARCHIVE_AGE, until or now
        if since and until and until <= since:
            raise typer.BadParameter(f"{self.until!r} is not after --since", param_hint="--until")
        return Period(since, until)

    def headers(self) -> dict[str, str]:
        """Return the headers for OTLP. Raises BadParameter."""
        pairs = [given.partition("=") for given in self.header or ()]
        if wrong := [name for name, sign, _ in pairs if not (sign and name.strip())]:
            raise typer.BadParameter(f"--header {wrong[0]!r}: expected NAME=VALUE")
        return {name.strip(): value.strip() for name, _, value in pairs}
