"""Find the repository's own packages: pyproject.toml lists their folders, once, under pytest's `pythonpath`.

`python local/sources.py` makes them importable in the environment that runs it: a `.pth` file in its site-packages
names them, so that no command needs PYTHONPATH.
"""

import sysconfig
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PTH_NAME = "offpath-workspace.pth"


def source_folders() -> list[Path]:
    """Return the folders that the repository's packages lie in, in the order of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return [ROOT / folder for folder in project["tool"]["pytest"]["ini_options"]["pythonpath"]]


def main() -> None:
    """Write the `.pth` file of the environment that runs this."""
    lines = "".join(f"{folder}\n" for folder in source_folders())
    (Path(sysconfig.get_path("purelib")) / PTH_NAME).write_text(lines)


if __name__ == "__main__":
    main()
