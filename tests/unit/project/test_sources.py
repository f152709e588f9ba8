"""The source folders are listed once; the tools that need a copy have the same one."""

import sysconfig
import tomllib
from pathlib import Path

from local.sources import PTH_NAME, ROOT, source_folders

TOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
LISTED = TOOLS["pytest"]["ini_options"]["pythonpath"]


def test_ruff_and_mypy_have_the_same_folders() -> None:
    assert TOOLS["ruff"]["src"] == LISTED
    assert TOOLS["mypy"]["mypy_path"].split(":") == LISTED


def test_every_source_folder_exists() -> None:
    assert [folder for folder in source_folders() if not folder.is_dir()] == []


def test_environment_makes_source_folders_importable() -> None:
    written = (Path(sysconfig.get_path("purelib")) / PTH_NAME).read_text().splitlines()
    assert written == [str(folder) for folder in source_folders()]


def test_mypy_checks_every_folder_with_code() -> None:
    tops = {path.relative_to(ROOT).parts[0] for folder in source_folders() for path in folder.glob("*/*.py")}
    assert tops == set(TOOLS["mypy"]["files"])
