"""How a text becomes words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper
from onnxruntime import InferenceSession

from training.recipes.sentiment.tokenization import TOKEN, fold, spellings, split


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A great FILM, isn't it?", ["a", "great", "film", "isn't", "it"]),
        ("isn\u2019t 'quoted' rock\u2019n'roll", ["isn't", "quoted", "rock'n'roll"]),
        ("Été 2024 ÉTÉ", ["Été", "2024", "ÉtÉ"]),
        ("so good😀😀!", ["so", "good", "😀", "😀"]),
        ("привет, мир — 日本語。", ["привет", "мир", "日本語"]),
        ("a'b'c'd", ["a'b'c", "d"]),
        ("... \x00\n''", []),
        ("", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert split(fold(text)) == words


def test_each_spelling_of_a_run_of_words() -> None:
    assert spellings(("great",)) == [("great",)]
    assert spellings(("isn't", "it")) == [("isn't", "it"), ("isn\u2019t", "it")]
    assert len(spellings(("rock'n'roll", "isn't"))) == 8


def _operators() -> InferenceSession:
    nodes = [
        helper.make_node("StringNormalizer", ["text"], ["lowered"], case_change_action="LOWER", locale="C"),
        helper.make_node(
            "Tokenizer",
            ["lowered"],
            ["words"],
            domain="com.microsoft",
            tokenexp=TOKEN,
            mark=0,
            mincharnum=1,
            pad_value="#",
        ),
    ]
    given = [helper.make_tensor_value_info("text", TensorProto.STRING, [1])]
    found = [helper.make_tensor_value_info("words", TensorProto.STRING, [1, None])]
    graph = helper.make_graph(nodes, "words", given, found)
    domains = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=domains, ir_version=10)
    return InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


OPERATORS = _operators()


@given(st.text(alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from("aZ'\u2019 9é😀"))))
def test_onnx_runtime_finds_the_same_words_in_any_text(text: str) -> None:
    (found,) = OPERATORS.run(None, {"text": np.array([text], dtype=object)})
    assert [fold(word) for word in found[0]] == split(fold(text))


def test_onnx_runtime_takes_every_character_for_what_python_takes_it() -> None:
    """One text of them all, each between two letters: it is a letter, a word of its own, or what separates words."""
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    text = " ".join(f"x{character}x" for character in characters)
    (found,) = OPERATORS.run(None, {"text": np.array([text], dtype=object)})
    assert [fold(word) for word in found[0]] == split(fold(text))
