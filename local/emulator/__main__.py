"""Run the emulator: `python -m local.emulator`. With `needed`, print as JSON which workarounds MiniStack needs."""

import json
import sys
from collections.abc import Sequence

from local.emulator.workarounds import ALL, install_all, needed


def main(arguments: Sequence[str]) -> None:
    """Serve until a signal ends it, or report on the workarounds: before they are installed, and after."""
    if list(arguments) == ["needed"]:
        before = needed(ALL)
        install_all()
        print(json.dumps({"before": before, "after": needed(ALL)}))  # noqa: T201
        return
    install_all()
    from ministack.app import main as serve

    serve()


if __name__ == "__main__":
    main(sys.argv[1:])
