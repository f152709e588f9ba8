"""Run benchmarks: `python -m benchmarks [NAME ...] [--quick] [--json FILE]`, which `make bench` calls."""

import argparse
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

# In the order in which they run.
BENCHMARKS = {
    "request": ("benchmarks.request_path", "what recording a prediction adds to it, in process"),
    "spans": ("benchmarks.spans", "what making spans adds to a request, by their number and size"),
    "lambda": ("benchmarks.lambda_runtime", "what it adds to an invocation in Lambda's own runtime"),
    "shadow": ("benchmarks.shadow", "what a challenger that predicts after the response adds to an invocation"),
    "models": ("benchmarks.models", "every recipe's model, beside its estimator and `mlflow models serve`"),
    "writer": ("benchmarks.writer", "traces per second into MLflow, in batches and one by one"),
    "queue": ("benchmarks.local_queue", "the local stack's SQS with up to 100,000 messages, beside moto's server"),
    "footprint": ("benchmarks.footprint", "what a trace takes up in the queue, the archive and the database"),
    "ledger": ("benchmarks.ledger", "an audit of a million events: its rate, and the memory that it takes"),
    "memory": ("benchmarks.memory", "memory and start of the API, beside one with mlflow and scikit-learn in it"),
}


_FOREIGN = ("AWS_", "MLFLOW_", "OFFPATH_", "OTEL_")


def main(arguments: Sequence[str]) -> int:
    """Run the benchmarks that are named, or all, and return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.names) - BENCHMARKS.keys()):
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}")
    if find_spec("offpath") is None:
        print("offpath cannot be imported: run `make bench`", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _run(options.names or list(BENCHMARKS), options.json, quick=options.quick)
    except KeyboardInterrupt:
        print("\nstopped; every process that was started has been ended", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    lines = "\n".join(f"  {name:9} {purpose}" for name, (_, purpose) in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"Measure what tracing costs, beside what one would do otherwise.\n\n{lines}",
        epilog="All take some ten minutes, with --quick three. Other work on the machine shows.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="one of those above")
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples: to see that all of it works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    return parser


def _run(names: Sequence[str], file: Path | None, *, quick: bool) -> None:
    from rich.console import Console

    from benchmarks.report import show, show_machine, write_json

    environment = _clean_environment(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    console = Console()
    show_machine(console)
    results = {}
    for name in [name for name in BENCHMARKS if name in names]:
        module = import_module(BENCHMARKS[name][0])
        results[name] = module.run(lambda doing, name=name: print(f"· {name}: {doing}", file=sys.stderr), quick=quick)
        show(results[name], console)
    if file:
        write_json(results, file, quick=quick)
        console.print(f"\nfigures in {file}")


def _clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that every process of a run has: none of the user's own AWS account, MLflow or proxy."""
    kept = {name: value for name, value in environ.items() if not name.startswith(_FOREIGN)}
    return kept | {
        "AWS_ACCESS_KEY_ID": "offpath",
        "AWS_SECRET_ACCESS_KEY": "offpath-local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
