"""Files of data that somebody names on the command line."""

from pathlib import Path

import pytest

from tests.support.builders.training_recipes import PARCELS
from training.data.files import check_paths, read_dataset, read_text, refuse_rows
from training.recipe import TrainingError
from training.recipes.iris import RECIPE as IRIS


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    check_paths([tmp_path])
    with pytest.raises(TrainingError, match=r"no such file or folder: .*gone\.csv \(looked for from /"):
        check_paths([tmp_path, tmp_path / "gone.csv"])


def test_a_recipe_that_reads_no_files_refuses_them(tmp_path: Path) -> None:
    assert read_dataset(IRIS, []) is None
    for recipe in (IRIS, PARCELS):
        with pytest.raises(TrainingError, match=f"{recipe.name} brings its own data and reads no files: leave --data"):
            read_dataset(recipe, [tmp_path])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_a_text_is_read_in_each_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "text"
    path.write_bytes("d\xe9j\xe0 vu".encode(encoding))
    assert read_text(path) == "d\xe9j\xe0 vu"


def test_what_is_no_text_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be read: Is a directory"):
        read_text(tmp_path)
    (tmp_path / "text").write_bytes(b"\xff\xfe\x00")  # half a character
    with pytest.raises(TrainingError, match="not a text file"):
        read_text(tmp_path / "text")


def test_only_rows_that_are_wrong_are_refused() -> None:
    refuse_rows("a.csv", 10, [])
    with pytest.raises(TrainingError, match=r"a\.csv: 1 of 10 rows cannot be used: line 3: no number\. Mend or remove"):
        refuse_rows("a.csv", 10, [(3, "no number")])
