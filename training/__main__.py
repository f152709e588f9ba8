"""`python -m training MODEL`: train a model, check it and register it in MLflow."""

import typer

from training.command import train

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command()(train)


if __name__ == "__main__":
    app(prog_name="python -m training")
