"""Releases of this code, each a folder that processes run from: the previous one, today's, and a made-up next one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.sources import ROOT

# "<version> <commit>" of the release before this one; whoever makes a release names it here.
PREVIOUS = ROOT / "tests" / "contract" / "previous_release"
SOURCES = ("functions/api", "functions/trace_writer", "functions/model_sync", "layers/shared", ".")
# What of a checkout processes run.
FOLDERS = ("functions", "layers", "local", "training")
# The module that runs a part, as today's release and those before it call it.
MODULES = {
    "api": ("uvicorn",),
    "writer": ("local.aws.writer_loop", "local.writer"),
    "model_sync": ("local.aws.sync_loop", "local.sync_loop"),
    "worker": ("training.worker",),
}


class HistoryMissing(AssertionError):
    """The previous release is not available in this checkout."""


@dataclass(frozen=True)
class Release:
    """A release in a folder of its own."""

    name: str
    folder: Path

    @property
    def environ(self) -> dict[str, str]:
        """Lets a process that is started in the folder import this release, and no other."""
        return {"PYTHONPATH": os.pathsep.join(str((self.folder / source).resolve()) for source in SOURCES)}

    def module(self, part: str) -> str:
        """Return the module that runs that part."""
        return next(name for name in MODULES[part] if name == "uvicorn" or self._has(name))

    def run(self, code: str, *arguments: str, **environ: str) -> str:
        """Run Python code with this release's modules, and return what it prints."""
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=self.folder,
            env=os.environ | self.environ | environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _has(self, module: str) -> bool:
        path = self.folder.joinpath(*module.split("."))
        return path.is_dir() or path.with_suffix(".py").is_file()


TODAY = Release("today's", ROOT)


def previous_release(folder: Path, named: str | None = None) -> Release:
    """Export the release that is named, or PREVIOUS names. Raises HistoryMissing where this checkout lacks it."""
    version, commit = (named or PREVIOUS.read_text()).split()
    archive = folder / "previous.tar"
    export = ["git", "-C", str(ROOT), "archive", "--output", str(archive), commit, *FOLDERS]
    done = subprocess.run(export, capture_output=True, text=True, check=False)
    if done.returncode:
        raise HistoryMissing(
            f"release {version} is the commit {commit}, which git cannot export ({done.stderr.strip()}): tests of "
            "rolling deployments need the whole history; in a shallow clone, `git fetch --unshallow` brings it"
        )
    shutil.unpack_archive(archive, folder / version)
    return Release(version, folder / version)


Edits = Mapping[str, Sequence[tuple[str, str]]]


def next_release(folder: Path, edits: Edits) -> Release:
    """Copy today's release, with these edits: path → texts that stand there once, and what takes their places."""
    for source in FOLDERS:
        shutil.copytree(ROOT / source, folder / source, ignore=shutil.ignore_patterns("__pycache__", "linked"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name, replacements in edits.items():
        path = folder / name
        text = path.read_text()
        for old, new in replacements:
            assert text.count(old) == 1, f"{name} has {old!r} {text.count(old)} times"
            text = text.replace(old, new)
        path.write_text(text)
    return Release("the next", folder)
