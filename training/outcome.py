"""Tell what became of a registered version, and the commands for what may be done next."""

import shutil
import sys
from pathlib import Path

from rich.markup import escape

from offpath.contracts.names import CHAMPION
from training.registry.versions import Registered


def outcome(registered: Registered) -> str:
    """Return lines for a terminal, in rich's markup."""
    pages = f"         version  {registered.version_url}\n         run      {registered.run_url}"
    return f"{_headline(registered)}\n{pages}{_next(registered)}"


def way_back(name: str, before: str | None) -> str:
    """Return the line that says how to undo a promotion, or nothing where no version was champion before."""
    return f"\n         back to version {before}: {command()} rollback {name}" if before else ""


def command() -> str:
    """Return what to type for the command `offpath`: its path where the shell would not find it."""
    if shutil.which("offpath"):
        return "offpath"
    path = Path(sys.prefix) / "bin" / "offpath"
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _headline(registered: Registered) -> str:
    version = f"{registered.name} version {registered.version}"
    if registered.alias:
        return f"[green]{version} is {registered.alias}[/green]"
    stays = f"; {CHAMPION} stays version {registered.champion_before}" if registered.champion_before else ""
    return f"[yellow]{version} is registered{stays}[/yellow]"


def _next(registered: Registered) -> str:
    name, number, before = registered.name, registered.version, registered.champion_before
    why = f"\n         {escape(registered.verdict.reason)}" if registered.verdict and before else ""
    if registered.alias == CHAMPION:
        return why + way_back(name, before if before != number else None)
    if registered.alias is None and before:
        return f"{why}\n         make it {CHAMPION}: {command()} promote {name} {number}"
    return ""
