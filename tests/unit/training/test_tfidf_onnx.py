"""TF-IDF and logistic regression in ONNX: what scikit-learn says, and without the system's locales."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnxruntime import InferenceSession

from tests.support.training_reviews import BAD, GOOD, HARD_TEXTS, answered, expected, fitted
from training.recipes.sentiment.tfidf import convert

ESTIMATOR = fitted()
MODEL = convert(ESTIMATOR).onnx.SerializeToString()
SESSION = InferenceSession(MODEL, providers=["CPUExecutionProvider"])

# What somebody runs who has the file and ONNX Runtime, and nothing of this project.
ALONE = """
import json, sys
import numpy, onnxruntime
texts = json.load(open(sys.argv[2], encoding="ascii"))
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
feeds = {"text": numpy.array(texts, dtype=object).reshape(-1, 1)}
print(json.dumps(session.run(["probabilities"], feeds)[0].tolist()))
"""


def check(session: InferenceSession, estimator: Any, texts: list[str]) -> None:
    labels, probabilities = answered(session, texts)
    wanted = expected(estimator, texts)
    np.testing.assert_allclose(probabilities, wanted, atol=1e-6)
    sure = np.abs(wanted[:, 1] - 0.5) > 1e-9
    np.testing.assert_array_equal(labels[sure], wanted.argmax(axis=1)[sure])
    assert (labels.dtype.name, probabilities.dtype.name) == ("int64", "float32")


@pytest.mark.parametrize("text", HARD_TEXTS, ids=lambda text: ascii(text[:20]))
def test_a_hard_text(text: str) -> None:
    check(SESSION, ESTIMATOR, [text])


def test_a_batch_gives_each_text_what_it_gets_alone() -> None:
    check(SESSION, ESTIMATOR, list(HARD_TEXTS))
    check(SESSION, ESTIMATOR, ["", ""])


WORDS = st.sampled_from([word for text in (*GOOD, *BAD) for word in text.split()])
MIXED = st.lists(st.one_of(WORDS, WORDS.map(str.upper), st.text(st.characters(codec="utf-8"), max_size=5)))


@given(st.lists(st.one_of(st.text(st.characters(codec="utf-8")), MIXED.map(" ".join)), min_size=1, max_size=5))
def test_any_texts(texts: list[str]) -> None:
    check(SESSION, ESTIMATOR, texts)


@pytest.mark.parametrize(
    "parameters", [{"ngram_max": 1}, {"ngram_max": 3}, {"min_df": 3}, {"max_features": 7}, {"c": 0.01}], ids=str
)
def test_other_hyperparameters(parameters: dict[str, Any]) -> None:
    estimator = fitted(**parameters)
    session = InferenceSession(convert(estimator).onnx.SerializeToString(), providers=["CPUExecutionProvider"])
    check(session, estimator, list(HARD_TEXTS))


@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "tr_TR.UTF-8"])
def test_a_machine_with_hardly_a_locale(locale: str, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(MODEL)
    (tmp_path / "texts.json").write_text(json.dumps(HARD_TEXTS), "ascii")
    environment = os.environ | {"LC_ALL": locale, "LANG": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-c", ALONE, str(tmp_path / "model.onnx"), str(tmp_path / "texts.json")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    np.testing.assert_allclose(json.loads(done.stdout), expected(ESTIMATOR, list(HARD_TEXTS)), atol=1e-6)
