"""Run code where only listed packages can be imported: `python listed_packages.py REQUIREMENTS CODE`.

Of what is installed here, an import of a package that the requirements file does not list fails as if it were missing.
"""

import re
import sys
from collections.abc import Set as AbstractSet
from importlib.abc import MetaPathFinder
from importlib.metadata import packages_distributions
from pathlib import Path


class MissingPackages(MetaPathFinder):
    """Refuse to import these packages."""

    def __init__(self, names: AbstractSet[str]) -> None:
        self._names = names

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        if fullname.partition(".")[0] in self._names:
            raise ModuleNotFoundError(f"No module named {fullname!r}: the requirements do not list it", name=fullname)


def unlisted(requirements: str) -> set[str]:
    """Return the importable names of the installed distributions that the text of a requirements file does not list."""
    listed = set(map(_normalized, re.findall(r"^([\w.-]+)==", requirements, re.MULTILINE)))
    found = packages_distributions()
    return {name for name, distributions in found.items() if listed.isdisjoint(map(_normalized, distributions))}


def _normalized(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


if __name__ == "__main__":
    sys.meta_path.insert(0, MissingPackages(unlisted(Path(sys.argv[1]).read_text())))
    exec(sys.argv[2], {"__name__": "__main__"})  # the tests' own code
