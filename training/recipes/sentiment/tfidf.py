"""The recipe `sentiment-tfidf`: whether a review is positive or negative, from its words."""

from pydantic import Field
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from training.recipe import Estimator, InputColumn, OnnxArtifact, Parameters, Recipe
from training.recipes.sentiment import tokenization
from training.recipes.sentiment.files import LABELS, read
from training.recipes.sentiment.sample import sample
from training.recipes.sentiment.tfidf_onnx import to_onnx

TEXT = "text"


class TfidfParameters(Parameters):
    """Hyperparameters of the n-grams and of the logistic regression."""

    c: float = Field(5.0, gt=0, le=1e6, description="inverse of the regularisation's strength")
    ngram_max: int = Field(2, ge=1, le=3, description="the longest run of words that is a feature")
    min_df: int = Field(2, ge=1, description="the least number of texts that a feature must be in")
    max_features: int = Field(200_000, ge=1, le=1_000_000, description="the most features: the most frequent are kept")
    max_iter: int = Field(1_000, ge=1, le=10_000, description="limit of the solver's iterations")


def build(parameters: TfidfParameters, seed: int) -> Estimator:
    """Return TF-IDF of runs of words into a logistic regression. No word is left out for being frequent: `not` is."""
    vectorizer = TfidfVectorizer(
        preprocessor=tokenization.fold,
        tokenizer=tokenization.split,
        token_pattern=None,
        ngram_range=(1, parameters.ngram_max),
        sublinear_tf=True,
        min_df=parameters.min_df,
        max_features=parameters.max_features,
    )
    model = LogisticRegression(C=parameters.c, max_iter=parameters.max_iter, random_state=seed)
    return make_pipeline(ColumnTransformer([(TEXT, vectorizer, TEXT)]), model)


def convert(estimator: Estimator) -> OnnxArtifact:
    """Return the ONNX form of a fitted pipeline."""
    return OnnxArtifact(to_onnx(estimator[0].named_transformers_[TEXT], estimator[-1], TEXT))


RECIPE = Recipe(
    name="sentiment-tfidf",
    title="TF-IDF and logistic regression",
    description="Whether a review in English is positive or negative, from its words.",
    task="classification",
    columns=(InputColumn(name=TEXT, type="string", description="the review, a sentence or more in English"),),
    labels=LABELS,
    parameters=TfidfParameters,
    load=sample,
    build=build,
    separate_inputs=True,
    read=read,
    convert=convert,
)
