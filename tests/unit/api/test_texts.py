"""Models whose graph takes a text's tokens."""

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto

from local.testbed.models import Model, iris_version, manifest_of
from tests.support.builders.api import Api
from tests.support.builders.text_models import WORDS, published, sum_of_tokens, text_model, tokenizer_file, worth


def api_with(*models: Model, tokenizer: bytes | None = None) -> Api:
    """The application with these models, once their tokenizer has been published, too."""
    api = Api(models=models)
    api.store.add_tokenizer(tokenizer_file() if tokenizer is None else tokenizer)
    api.now += 60
    api.loader.refresh_when_due()
    return api


def problem(api: Api) -> str:
    """Return why the model is not served, as /health has it."""
    models: dict[str, Any] = api.client.get("/health").json()["models"]
    assert models["iris"]["state"] == "serving"
    assert models["worth"]["state"] == "failed"
    return str(models["worth"]["problem"])


API = api_with(text_model())


def values(texts: list[str]) -> list[float]:
    answer = API.client.post("/models/worth/predict", json={"inputs": [{"text": text} for text in texts]})
    assert answer.status_code == 200, answer.text
    return [prediction["value"] for prediction in answer.json()["predictions"]]


def test_a_text_is_read_by_its_tokens() -> None:
    assert values(["great film", "film", "a great great film"]) == [110, 10, 211]
    assert API.client.get("/health").json()["models"]["worth"]["state"] == "serving"


def test_the_scoring_protocol_reads_it_too() -> None:
    bodies = [
        {"dataframe_split": {"columns": ["text"], "data": [["great film"], ["film"]]}},
        {"inputs": ["great film", "film"]},
        {"dataframe_records": [{"text": "great film"}, {"text": "film"}]},
    ]
    answers = [API.client.post("/models/worth/invocations", json=body).json() for body in bodies]
    assert answers == [{"predictions": [{"variable": 110.0}, {"variable": 10.0}]}] * 3


TEXTS = st.one_of(st.text(st.characters(codec="utf-8")), st.lists(st.sampled_from([*WORDS, "x"])).map(" ".join))


@settings(max_examples=50)
@given(st.lists(TEXTS, min_size=1, max_size=20))
def test_each_text_gets_what_it_gets_alone_in_its_place(texts: list[str]) -> None:
    assert values(texts) == [value for text in texts for value in values([text])]


@settings(max_examples=50)
@given(st.lists(st.lists(st.sampled_from([*WORDS.keys() - {"[UNK]"}, "x"])).map(" ".join), min_size=1, max_size=50))
def test_each_text_gets_what_its_words_are_worth(texts: list[str]) -> None:
    assert values(texts) == [worth(text) for text in texts]


HARD = ("", " ", "\x00", "😀 👩\u200d👩\u200d👧", "é" * 50_000, "x" * 100_000, "great " * 20_000)


@pytest.mark.parametrize("text", HARD, ids=lambda text: ascii(text[:5]))
def test_a_hard_text(text: str) -> None:
    assert values([text, "film"])[1] == 10


@pytest.mark.parametrize("path", ["predict", "invocations"])
def test_half_of_a_surrogate_pair_is_not_json(path: str) -> None:
    answer = API.client.post(f"/models/worth/{path}", content=b'{"inputs": [{"text": "\\ud800"}]}')
    assert answer.status_code == 400
    assert "JSON" in answer.text


@pytest.mark.parametrize("dtype", [TensorProto.INT64, TensorProto.INT32])
def test_a_graph_may_take_types_of_tokens_and_smaller_integers(dtype: int) -> None:
    names = ("input_ids", "attention_mask", "token_type_ids")
    api = api_with(text_model(sum_of_tokens(names, dtype)))
    answer = api.client.post("/models/worth/predict", json={"text": "great film"})
    assert answer.json()["predictions"] == [{"value": 0.0}]  # all of the first type, which is 0


def test_another_tokenizer_for_the_same_graph_is_another_model() -> None:
    api = api_with(text_model())
    other = tokenizer_file({"[UNK]": 0, "film": 7})
    api.store.add_tokenizer(other)
    api.store.publish(manifest_of(iris=iris_version(), worth=text_model(tokenizer=other).version))
    api.now += 60
    api.loader.refresh_when_due()
    answer = api.client.post("/models/worth/predict", json={"text": "great film"})
    assert answer.json()["predictions"] == [{"value": 7.0}]


def test_a_tokenizer_that_is_not_there() -> None:
    tokenizer = tokenizer_file()
    assert published(tokenizer).key in problem(api_with(text_model(), tokenizer=b"another"))


def test_a_tokenizer_that_is_damaged() -> None:
    api = Api(models=[text_model()])
    api.store.objects[published(tokenizer_file()).key] = b"{}"
    api.now += 60
    api.loader.refresh_when_due()
    assert "has SHA-256 44136fa3" in problem(api)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no tokenizer", "its tokenizer's file cannot be read"),
        (json.dumps({"model": {"type": "Magic"}}).encode(), "its tokenizer's file cannot be read"),
        (tokenizer_file(truncates=False), "does not truncate: save it after enable_truncation"),
    ],
)
def test_a_tokenizer_that_is_of_no_use(content: bytes, reason: str) -> None:
    assert reason in problem(api_with(text_model(tokenizer=content), tokenizer=content))


@pytest.mark.parametrize("names", [("attention_mask",), ("input_ids", "pixels"), ("text",)])
def test_a_graph_that_takes_something_else(names: tuple[str, ...]) -> None:
    assert "expected input_ids, and beside it only attention_mask and token_type_ids" in problem(
        api_with(text_model(sum_of_tokens(names)))
    )


def test_a_cold_start_without_text_models_imports_no_tokenizers() -> None:
    code = (
        "import sys, prediction_api.http.app, prediction_api.adapters.onnx_model; sys.exit('tokenizers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
