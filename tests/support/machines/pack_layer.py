"""Run by SAM CLI's own Python: `pack_layer.py FOLDER FILE` makes the zip file that `sam deploy` uploads."""

import shutil
import sys

from samcli.lib.package.utils import make_zip, zip_folder  # type: ignore[import-not-found]

if __name__ == "__main__":
    with zip_folder(sys.argv[1], make_zip) as (packed, _):
        shutil.copy(packed, sys.argv[2])
