"""A fitted sentiment model over words that are hard to agree on, and texts made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from training.data.dataset import make_dataset
from training.recipe import Dataset, Estimator
from training.recipes.sentiment.tfidf import TfidfParameters, build

GOOD = ("don't stop", "CAFÉ", "café", "ПРИВЕТ", "\u00dfüß", "rock'n'roll", "😀", "great film", "i\u0307stanbul")
BAD = (
    "isn\u2019t good",
    "ÉTÉ",
    "naïve",
    "привет",
    "a'b'c'd",
    "👍🏽",
    "film noir",
    "straße",
    "İSTANBUL",
    "\uff21\uff22\uff23",
)
HARD_TEXTS = (
    "",
    " ",
    "\x00",
    "great\x00film",
    "GREAT FILM",
    "Don\u2019t STOP, don't stop; DON\u2019T!",
    "Rock\u2019n'Roll rock'n\u2019roll ROCK'N'ROLL",
    "a'b'c'd'e \u2019a'b' ''' don'",
    "É é E\u0301 e\u0301 ÉTÉ été",
    "İstanbul ISTANBUL \u0131stanbul i\u0307stanbul \u212a \u017f ß ẞ",
    "😀😀 👍🏽👍 👩\u200d👩\u200d👧 ❤\ufe0f",
    "\ufeffgreat\u200bfilm\u00a0film\u2028noir\u0085x",
    "film\tnoir\r\nfilm\x0bnoir # # #",
    "中文字 日本語 \uff41\uff42\uff43 \uff21\uff22\uff23",
    "nothing of this is known",
    "great film " * 9_500,  # 100 kB
    "é" * 50_000,
    "x" * 100_000,
    "' " * 50_000,
)


def reviews() -> Dataset:
    """Return 85 reviews, about half of them positive, each of two of the words."""
    texts = [f"{first} {second}" for words in (GOOD, BAD) for first in words for second in words[:5]][:85]
    return make_dataset({"text": texts}, [int(at < 45) for at in range(len(texts))], "made up", synthetic=True)


def fitted(**parameters: Any) -> Estimator:
    """Return the recipe's own estimator, fitted on these reviews."""
    data = reviews()
    return build(TfidfParameters(**({"min_df": 1} | parameters)), 1).fit(data.features, data.target)


def expected(estimator: Estimator, texts: list[str]) -> NDArray[Any]:
    """Return scikit-learn's probabilities."""
    frame = make_dataset({"text": texts}, [0] * len(texts), "", synthetic=True).features
    probabilities: NDArray[Any] = estimator.predict_proba(frame)
    return probabilities


def answered(session: InferenceSession, texts: list[str]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return ONNX Runtime's labels and probabilities."""
    labels, probabilities = session.run(
        ["label", "probabilities"], {"text": np.array(texts, dtype=object).reshape(-1, 1)}
    )
    return labels, probabilities
