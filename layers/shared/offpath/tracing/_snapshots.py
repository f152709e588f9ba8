"""Let each environment that Lambda restores from one snapshot (SnapStart) be a process of its own."""

import importlib
import logging
from collections.abc import Callable, Mapping, Sequence

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
_INITIALIZATION_TYPE = "AWS_LAMBDA_INITIALIZATION_TYPE"
_RUNTIMES_HOOKS = "snapshot_restore_py"

_log = logging.getLogger(__name__)


def is_snapshotted(environ: Mapping[str, str]) -> bool:
    """Return whether environments are restored from a snapshot of this one."""
    return environ.get(_INITIALIZATION_TYPE) == "snap-start"


def at_snapshot(before: Callable[[], None], after_restore: Sequence[Callable[[], None]]) -> None:
    """Call the one before the snapshot is taken, and the others in each restored environment, before its invocations.

    Lambda's runtime for Python has the hooks (https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html).
    """
    try:
        hooks = importlib.import_module(_RUNTIMES_HOOKS)
    except ImportError:
        _log.warning("%s is not there: environments restored from a snapshot share their numbers", _RUNTIMES_HOOKS)
        return
    hooks.register_before_snapshot(before)
    for begin_anew in after_restore:
        hooks.register_after_restore(begin_anew)
