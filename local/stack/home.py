"""Keep the state folder: where everything lies in it, and the version of that layout."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from local.errors import CommandRefused

LAYOUT = 1


@dataclass(frozen=True, slots=True)
class Home:
    """Name the files of the state folder, which is `OFFPATH_HOME`."""

    path: Path

    @property
    def s3(self) -> Path:
        """The folder of SeaweedFS's data."""
        return self.path / "s3"

    @property
    def s3_identities(self) -> Path:
        """The file that says who may use S3."""
        return self.path / "s3.json"

    @property
    def database(self) -> Path:
        """MLflow's SQLite file."""
        return self.path / "mlflow" / "mlflow.db"

    @property
    def queues(self) -> Path:
        """The file of the queues and their messages."""
        return self.path / "queues" / "queues.db"

    @property
    def last_resort(self) -> Path:
        """The file of what neither queue nor S3 took."""
        return self.path / "queues" / "last-resort.jsonl"

    @property
    def logs(self) -> Path:
        """The folder with one log a service."""
        return self.path / "logs"

    @property
    def lock(self) -> Path:
        """The file that the process that runs the stack holds; its content is that process's id."""
        return self.path / "lock"

    @property
    def processes(self) -> Path:
        """The file that lists the processes of the services, while they run."""
        return self.path / "processes.json"

    @property
    def version(self) -> Path:
        """The file that holds the version of the layout."""
        return self.path / "state.json"

    def prepare(self) -> None:
        """Make the folder and its version file.

        Raises CommandRefused for a folder that is no state folder, is of another layout, or cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._check()
            for folder in (self.s3, self.database.parent, self.queues.parent, self.logs):
                folder.mkdir(exist_ok=True)
            self.version.write_text(json.dumps({"layout": LAYOUT}) + "\n")
        except OSError as error:
            raise CommandRefused(
                f"OFFPATH_HOME={self.path} cannot be written: {error.strerror}.\n"
                "Make it writable, or set OFFPATH_HOME to another folder."
            ) from error

    def _check(self) -> None:
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise PermissionError(None, "permission denied")
        if self.version.exists():
            self._check_layout()
        elif any(self.path.iterdir()):
            raise CommandRefused(
                f"OFFPATH_HOME={self.path} is not empty and holds no {self.version.name}: it is not a state folder.\n"
                "Set OFFPATH_HOME to a new or an empty folder."
            )

    def _check_layout(self) -> None:
        found = _layout(self.version.read_text())
        if found != LAYOUT:
            raise CommandRefused(
                f"OFFPATH_HOME={self.path} has layout {found}; this version reads layout {LAYOUT}.\n"
                "Use the version of offpath that made it, or start afresh: move the folder away, or set OFFPATH_HOME "
                "to another one."
            )


def _layout(text: str) -> object:
    try:
        return json.loads(text)["layout"]
    except (ValueError, TypeError, KeyError):
        return f"unknown ({text.strip()[:40]!r})"
