"""Make zip files, and tell their sizes."""

import zipfile
from pathlib import Path

EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip file can hold
READABLE = 0o100644


def zip_folder(folder: Path, archive: Path) -> Path:
    """Write all files below the folder, and return the archive. The same content makes the same archive."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as content:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EARLIEST)
            entry.external_attr = READABLE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            content.writestr(entry, path.read_bytes())
    return archive


def sizes(archive: Path) -> str:
    """Return a line with the archive's name and its sizes. archive: a wheel, or another zip file."""
    with zipfile.ZipFile(archive) as content:
        unzipped = sum(entry.file_size for entry in content.infolist())
    return f"{archive.name}: {archive.stat().st_size / 1e6:.2f} MB, {unzipped / 1e6:.2f} MB unzipped"
