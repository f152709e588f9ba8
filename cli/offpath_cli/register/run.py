"""One registration, from its order to the alias."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from offpath_cli.register.registration_spec import Order, check_order
from offpath_cli.register.source import fetch, is_uri
from training.registry.mlflow_server import checked_address, wait_for

if TYPE_CHECKING:
    from offpath_cli.register.candidate import Candidate
    from offpath_cli.register.model_task import Purpose
    from offpath_cli.register.original import Original
    from training.recipes.recipe import Say
    from training.registry.versions import Registered


def register_model(order: Order, max_bytes: int, say: "Say") -> "Registered":
    """Read, convert, try, compare, register. Everything that can be told wrong is, before anything lasting is done.

    max_bytes: that the ONNX file may have. Raises Refused, TrainingError, or an OffpathError of the sync or the API.
    """
    check_order(order)
    address = checked_address(order.tracking_uri)
    in_mlflow = is_uri(order.source)
    wait_for(address, 0)
    say(f"reading {order.source}")

    from offpath_cli.register.candidate import Trial  # these take seconds to import
    from offpath_cli.register.examples import read_example
    from offpath_cli.register.model_task import purpose_of
    from offpath_cli.register.registration import new_version
    from training.registry.versions import register_version

    original = _read(order, address, in_mlflow=in_mlflow)
    purpose = purpose_of(original, order)
    say(f"{original.kind}: {_told(purpose)}")
    example = read_example(order.example) if order.example else original.example
    candidate = Trial(original, purpose, example, max_bytes, order.opset).run()
    say(_tried(candidate))
    return register_version(new_version(order, original, candidate), address, order.alias, say)


def _read(order: Order, address: str, *, in_mlflow: bool) -> "Original":
    from offpath_cli.register.original import read_file, read_folder

    logged = order.example is None
    if not in_mlflow:
        path = Path(order.source)
        return read_folder(path, with_example=logged) if path.is_dir() else read_file(path)
    with tempfile.TemporaryDirectory(prefix="offpath-") as folder:
        return read_folder(fetch(order.source, address, Path(folder)), with_example=logged)


def _told(purpose: "Purpose") -> str:
    return f"{purpose.task} of {', '.join(purpose.labels)}" if purpose.labels else purpose.task


def _tried(candidate: "Candidate") -> str:
    size = f"{candidate.bytes / 1e3:,.1f} kB"
    if candidate.difference is not None:
        return (
            f"converted: {size}; answers as the original does on {candidate.records} record(s) of the input example, "
            f"largest difference {candidate.difference:.1e}"
        )
    if candidate.records:
        return (
            f"ONNX as it is: {size}; answers {candidate.records} record(s) of the input example, compared with nothing"
        )
    return f"ONNX as it is: {size}; runs on zeros, and compared with nothing: --example FILE.json would try it on more"
