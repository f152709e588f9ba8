"""A code update deletes the former code's folder at once, under containers that are just being made of it.

The folders lie below the emulator's temporary folder, which is removed with it.
"""

import io
import zipfile
from pathlib import Path

from ministack.services import lambda_svc


def is_needed() -> bool:
    """Return whether a sweep removes a folder of code that no function has any more, whoever else uses it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("handler.py", "")
    folder = Path(lambda_svc._docker_extracted_dir(packed.getvalue(), "code"))
    lambda_svc._sweep_extract_cache()
    return not folder.exists()


def install() -> None:
    """Sweep nothing."""
    lambda_svc._sweep_extract_cache = _sweep_nothing


def _sweep_nothing() -> None:
    """Leave the folders where they are."""
