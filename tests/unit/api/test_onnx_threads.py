"""A call of a model takes as many threads as the memory or a setting allows."""

import pytest

from offpath.contracts.errors import SettingsError
from prediction_api.adapters.onnx_session import onnx_threads
from prediction_api.settings import ApiSettings


@pytest.mark.parametrize(
    ("memory", "threads"),
    [(None, 1), ("", 1), ("128", 1), ("1769", 1), ("3537", 1), ("3538", 2), ("10240", 5), ("much", 1)],
)
def test_lambdas_memory_says_how_many_cpus_there_are(memory: str | None, threads: int) -> None:
    assert onnx_threads(None, memory) == threads


def test_a_setting_decides() -> None:
    settings = ApiSettings.load({"OFFPATH_BUCKET": "offpath-archive", "OFFPATH_ONNX_THREADS": "3"})
    assert onnx_threads(settings.onnx_threads, "10240") == onnx_threads(settings.onnx_threads, None) == 3


@pytest.mark.parametrize("text", ["0", "many"])
def test_an_unusable_number_of_threads_stops_the_start(text: str) -> None:
    with pytest.raises(SettingsError, match="OFFPATH_ONNX_THREADS"):
        ApiSettings.load({"OFFPATH_BUCKET": "offpath-archive", "OFFPATH_ONNX_THREADS": text})
