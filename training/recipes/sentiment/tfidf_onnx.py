"""Write TF-IDF and a logistic regression over one column of texts in ONNX, operator by operator.

Skl2onnx's own form asks for the locale en_US.UTF-8, which small images lack, and splits words in another way than
Python.
The texts go through a Scan one by one: in one matrix, a thousand records would take as many rows as wide as the
vocabulary, and one long text would pad all others to its length. Sums are taken in double precision, as scikit-learn
does, over the words that a text has.
"""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from training.onnx_artifact.convert import OPSET
from training.recipe import Estimator, Onnx
from training.recipes.sentiment.tokenization import TOKEN, spellings

Attributes = dict[str, Any]

_DOMAINS = {"": OPSET, "com.microsoft": 1}
_IR_VERSION = 10  # of onnx 1.16, which brought operator set 21


def to_onnx(vectorizer: Estimator, classifier: Estimator, column: str) -> Onnx:
    """Return the ONNX model of a fitted TfidfVectorizer and a fitted binary LogisticRegression.

    The vectorizer uses `tokenization.fold` and `tokenization.split`, sublinear_tf, norm l2 and smooth_idf.

    Input: the column's name, string [N, 1]. Outputs: `label`, int64 [N], and `probabilities`, float32 [N, 2].
    """
    nodes = [
        helper.make_node("Scan", [column], ["score"], body=_score_graph(vectorizer, classifier), num_scan_inputs=1),
        helper.make_node("Greater", ["score", "zero"], ["positive"]),
        helper.make_node("Cast", ["positive"], ["index"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["index", "flat"], ["label"]),
        helper.make_node("Sigmoid", ["score"], ["of_positive"]),
        helper.make_node("Sub", ["one", "of_positive"], ["of_negative"]),
        helper.make_node("Concat", ["of_negative", "of_positive"], ["both"], axis=1),
        helper.make_node("Cast", ["both"], ["probabilities"], to=TensorProto.FLOAT),
    ]
    graph = helper.make_graph(
        nodes,
        "tfidf",
        [helper.make_tensor_value_info(column, TensorProto.STRING, [None, 1])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, [None]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2]),
        ],
        [_constant("zero", [0.0]), _constant("one", [1.0]), _constant("flat", [-1], np.int64)],
    )
    domains = [helper.make_opsetid(name, number) for name, number in _DOMAINS.items()]
    model = helper.make_model(graph, opset_imports=domains, producer_name="offpath", ir_version=_IR_VERSION)
    onnx.checker.check_model(model)
    return model


def _score_graph(vectorizer: Estimator, classifier: Estimator) -> Any:
    """Return the graph from one text, string [1], to the classifier's decision function, double [1]."""
    return helper.make_graph(
        [*_count_nodes(vectorizer), *_weight_nodes(), *_decision_nodes()],
        "score",
        [helper.make_tensor_value_info("text", TensorProto.STRING, [1])],
        [helper.make_tensor_value_info("decision", TensorProto.DOUBLE, [1])],
        [
            _constant("features", [len(vectorizer.idf_)], np.int64),
            _constant("first_axis", [0], np.int64),
            _constant("unit", [1.0]),
            _constant("idf", vectorizer.idf_),
            _constant("coefficients", classifier.coef_[0]),
            _constant("intercept", classifier.intercept_),
        ],
    )


def _count_nodes(vectorizer: Estimator) -> list[Any]:
    """Return nodes from the text to `counts`, float [features]: how often it has each n-gram of the vocabulary."""
    lowered: Attributes = {"case_change_action": "LOWER", "locale": "C"}
    split: Attributes = {"tokenexp": TOKEN, "mark": 0, "mincharnum": 1, "pad_value": "#"}
    return [
        helper.make_node("StringNormalizer", ["text"], ["lowered"], **lowered),
        helper.make_node("Tokenizer", ["lowered"], ["tokens"], domain="com.microsoft", **split),
        helper.make_node("TfIdfVectorizer", ["tokens"], ["row"], **_ngrams(vectorizer)),
        helper.make_node("Reshape", ["row", "features"], ["counts"]),
    ]


def _ngrams(vectorizer: Estimator) -> Attributes:
    """Return the vocabulary as TfIdfVectorizer takes it: by length, and each spelling counted for the same feature."""
    longest = vectorizer.ngram_range[1]
    by_length: list[list[tuple[tuple[str, ...], int]]] = [[] for _ in range(longest)]
    for ngram, feature in sorted(vectorizer.vocabulary_.items()):
        words = tuple(ngram.split(" "))
        by_length[len(words) - 1] += [(spelling, int(feature)) for spelling in spellings(words)]
    starts = np.cumsum([0, *(length * len(group) for length, group in enumerate(by_length, start=1))])
    return {
        "mode": "TF",
        "min_gram_length": 1,
        "max_gram_length": longest,
        "max_skip_count": 0,
        "pool_strings": [word for group in by_length for spelling, _ in group for word in spelling],
        "ngram_counts": starts[:-1].tolist(),
        "ngram_indexes": [feature for group in by_length for _, feature in group],
    }


def _weight_nodes() -> list[Any]:
    """Return nodes from the counts to `weights`, double [n-grams found], and `found`, their features.

    A weight is (1 + log count) times idf.
    """
    return [
        helper.make_node("NonZero", ["counts"], ["found_2d"]),
        helper.make_node("Squeeze", ["found_2d", "first_axis"], ["found"]),
        helper.make_node("Gather", ["counts", "found"], ["found_counts"]),
        helper.make_node("Cast", ["found_counts"], ["times"], to=TensorProto.DOUBLE),
        helper.make_node("Log", ["times"], ["log_times"]),
        helper.make_node("Add", ["log_times", "unit"], ["sublinear"]),
        helper.make_node("Gather", ["idf", "found"], ["found_idf"]),
        helper.make_node("Mul", ["sublinear", "found_idf"], ["weights"]),
    ]


def _decision_nodes() -> list[Any]:
    """Return nodes from the weights, scaled to a length of 1, to their product with the coefficients.

    A text with no known n-gram has the length 0; all others have at least 1, as no weight is less.
    """
    return [
        helper.make_node("Gather", ["coefficients", "found"], ["found_coefficients"]),
        helper.make_node("Mul", ["weights", "found_coefficients"], ["products"]),
        helper.make_node("ReduceSum", ["products", "first_axis"], ["sum"], keepdims=1),
        helper.make_node("ReduceL2", ["weights", "first_axis"], ["length"], keepdims=1),
        helper.make_node("Max", ["length", "unit"], ["divisor"]),
        helper.make_node("Div", ["sum", "divisor"], ["scaled"]),
        helper.make_node("Add", ["scaled", "intercept"], ["decision"]),
    ]


def _constant(name: str, values: Any, dtype: Any = np.float64) -> Any:
    return numpy_helper.from_array(np.asarray(values, dtype=dtype), name)
