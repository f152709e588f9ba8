"""The made-up reviews: what a model learns from them holds for sentences that people write."""

from importlib import import_module
from typing import Any

import pytest

from training.onnx_artifact.run import run
from training.recipes.sentiment.sample import sample
from training.recipes.sentiment.tfidf import RECIPE, TfidfParameters
from training.train_pipeline import Trained, train

pd: Any = import_module("pandas")  # it is not typed

# Written before the sample was, so that it is not made to fit them.
POSITIVE = """
This movie was amazing!
I loved every minute of it.
Best phone I have ever owned.
The staff were incredibly kind and helpful.
Great value for money, would buy again.
What a fantastic performance by the whole cast.
It works perfectly and arrived on time.
The food was delicious and the portions generous.
Couldn't be happier with this purchase.
A beautiful, moving story.
Absolutely wonderful, I cried at the end.
My kids adore it.
Highly recommended!
Not bad at all.
An instant classic.
The room was clean and comfortable.
Five stars, thank you so much!
I can't stop listening to this album.
Really good coffee and friendly service.
Exceeded my expectations.
""".strip().splitlines()
NEGATIVE = """
This movie was terrible!
I want my two hours back.
Worst customer service ever.
The battery died after a week.
Boring plot and awful acting.
It broke on the first day.
Overpriced and disappointing.
I would not recommend this to anyone.
The waiter was rude and the soup was cold.
A complete waste of time.
Not good.
Don't buy this.
The room was dirty and smelled bad.
I fell asleep halfway through.
Poor quality, it fell apart.
Such a letdown.
The app crashes constantly.
I hated the ending.
Never again.
It was not worth the money.
""".strip().splitlines()


@pytest.fixture(scope="module")
def trained() -> Trained:
    return train(RECIPE, TfidfParameters(), 42)


def test_the_sample_is_made_up_and_the_same_each_time() -> None:
    data = sample()
    assert data.synthetic
    assert data.sha256 == sample().sha256
    assert data.target.value_counts().tolist() == [3_000, 3_000]
    assert len(set(data.features.text)) > 5_000


def test_the_sample_can_be_learnt_but_not_by_heart(trained: Trained) -> None:
    assert 0.85 < trained.metrics["accuracy"] < 0.95
    assert list(trained.figures) == ["confusion_matrix.png"]
    assert trained.example.keys() == {"text"}


def test_most_sentences_of_people_are_understood(trained: Trained) -> None:
    outputs = run(RECIPE, trained.artifact, pd.DataFrame({"text": POSITIVE + NEGATIVE}))
    expected = [1] * len(POSITIVE) + [0] * len(NEGATIVE)
    assert (outputs["label"] == expected).sum() >= 32
    assert outputs["label"][0] == 1, POSITIVE[0]
