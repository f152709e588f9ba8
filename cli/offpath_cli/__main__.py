"""Run `offpath`, or `python -m offpath_cli`."""

from offpath_cli.app import app

app(prog_name="offpath")
