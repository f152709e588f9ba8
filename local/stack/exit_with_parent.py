"""Become another program that ends with its parent, where the system can see to that.

It is called by its path, `python -I -S exit_with_parent.py SIGNAL PARENT COMMAND…`, so that it costs a few milliseconds
and nothing of the project is imported. On Linux the kernel sends SIGNAL when PARENT dies (prctl PR_SET_PDEATHSIG, kept
across exec). Elsewhere the command just runs, and the next start of the stack ends what is left over.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(number: int, parent: int, command: list[str]) -> None:
    """Let the command take this process over. It never returns."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # it died before it could be watched
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606  (no shell is wanted)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
