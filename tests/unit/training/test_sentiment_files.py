"""Reviews from files of many kinds."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.recipe import Dataset, TrainingError
from training.recipes.sentiment.files import read
from training.recipes.sentiment.tfidf import RECIPE, TfidfParameters
from training.train_pipeline import train


def rows(data: Dataset) -> list[tuple[str, int]]:
    return list(zip(data.features.text.tolist(), data.target.tolist(), strict=True))


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.csv", "text,label\nGood film,1\nBad film,0\n", [("Good film", 1), ("Bad film", 0)]),
        ("a.csv", 'id,Sentiment,Review\n7,positive,"Good, ""really""\ngood"\n', [('Good, "really"\ngood', 1)]),
        ("a.csv", "\ufeffSentence,Polarity\r\nGood,POS\r\nBad, neg \r\n\r\n", [("Good", 1), ("Bad", 0)]),
        ("a.csv", "It was good,1\n", [("It was good", 1)]),
        ("a.tsv", 'label\ttext\npos\t"Good" they said: "\nneg\tBad\n', [('"Good" they said: "', 1), ("Bad", 0)]),
        ("a_labelled.txt", 'So "good.  \t1\nBad.\x85Bad.\t0\n', [('So "good.', 1), ("Bad.\x85Bad.", 0)]),
    ],
)
def test_a_table_is_read_by_its_columns(tmp_path: Path, name: str, content: str, found: list[tuple[str, int]]) -> None:
    (tmp_path / name).write_bytes(content.encode())
    data = read([tmp_path / name])
    assert rows(data) == found
    assert (data.source, data.synthetic) == (name, False)


def test_a_review_longer_than_csvs_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text(f"text,label\n{'x' * 300_000},1\n")
    assert len(rows(read([path]))[0][0]) == 300_000


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (
            "stars,comments\n5,Good\n",
            r"the first row is 'stars', 'comments'; expected a column of texts \(text, review",
        ),
        ("text\nGood\n", "the first row is 'text'; expected a column of texts .* and one of labels"),
        ("Good\t3\n", "the first row is 'Good', '3'; expected"),
        ("", "is empty: expected a text and a label in each row"),
        (
            "text,label\nGood,1\nBad,2\n,0\nMeh\n",
            "3 of 4 rows .* line 3: label '2', .* line 4: no text; line 5: 1 columns",
        ),
        ('text,label\nGood,1\n"Bad,0\n', r"line 3: not CSV: unexpected end of data"),
        ("text,label\nGood,1\nBa\0d,0\n", "not a text file: it holds NUL bytes"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text(content)
    with pytest.raises(TrainingError, match=complaint):
        read([path])


def _pair(folder: Path, negative: str, positive: str) -> tuple[Path, Path]:
    (folder / negative).write_bytes("dull , clich\xe9d .\n\nit isn\x92t good \x85 at all\n".encode("latin-1"))
    (folder / positive).write_bytes("a caf\xe9 of delights \r\n".encode("latin-1"))
    return folder / negative, folder / positive


@pytest.mark.parametrize(
    ("negative", "positive"),
    [("rt-polarity.neg", "rt-polarity.pos"), ("neg.txt", "pos.txt"), ("My_Negative.txt", "my_positive.txt")],
)
def test_two_files_of_lines_are_read(tmp_path: Path, negative: str, positive: str) -> None:
    below = tmp_path / "data"
    below.mkdir()
    (tmp_path / "compose.README.1.0.txt").write_text("Nothing of use.")
    files = _pair(below, negative, positive)
    for paths in ([tmp_path], [below], list(files), list(reversed(files))):
        data = read(paths)
        assert rows(data) == [
            ("dull , clich\xe9d .", 0),
            ("it isn\x92t good \x85 at all", 0),
            ("a caf\xe9 of delights", 1),
        ]
        assert data.source == f"{negative} and {positive}"


def test_ambiguous_or_empty_files_of_lines_are_refused(tmp_path: Path) -> None:
    negative, positive = _pair(tmp_path, "a.neg", "a.pos")
    for paths in ([negative, negative], [negative], [negative, tmp_path / "other.txt"]):
        with pytest.raises(TrainingError, match="expected one file of negative lines"):
            read(paths)
    (tmp_path / "b.pos").write_text("Good\n")
    with pytest.raises(TrainingError, match=r"2 files \(a\.pos, b\.pos\) named \*\.pos or pos\*"):
        read([tmp_path])
    positive.write_text("\n")
    with pytest.raises(TrainingError, match=r"a\.pos is empty: expected a sentence a line"):
        read([negative, positive])


def test_a_single_sentiment_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "good.csv"
    path.write_text("text,label\n" + "Good,1\n" * 50)
    with pytest.raises(TrainingError, match=r"good\.csv: too few rows of a class \(0 of negative\)"):
        train(RECIPE, TfidfParameters(), 1, read([path]))


def test_texts_without_a_word_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "dots.csv"
    path.write_text("text,label\n" + "...,1\n!!!,0\n" * 50)
    with pytest.raises(TrainingError, match=r"the training failed: .*vocabulary"):
        train(RECIPE, TfidfParameters(), 1, read([path]))
