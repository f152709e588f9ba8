"""Abalone: its file, its sample, its forest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnxruntime import InferenceSession
from sklearn.ensemble import RandomForestRegressor

from training.callbacks import Callbacks, ignore_progress
from training.onnx_artifact.agreement import TOLERANCE
from training.onnx_artifact.convert import to_onnx
from training.recipe import TrainingError
from training.recipes.abalone import RECIPE, AbaloneParameters, build, fit
from training.recipes.abalone_data import COLUMNS, read, sample
from training.train_pipeline import train

GOOD = "M,0.455,0.365,0.095,0.514,0.2245,0.101,0.15,15"
FLAT = "I,0.43,0.34,0,0.428,0.2065,0.086,0.115,8"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(*lines: str, ends: str = "\n", encoding: str = "utf-8") -> Path:
        path = tmp_path / "abalone.data"
        path.write_bytes(("".join(line + ends for line in lines)).encode(encoding))
        return path

    return written


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_uci_file_is_read_as_it_is(write: Write, ends: str, encoding: str) -> None:
    data = read(
        [write(GOOD, FLAT, "f, 0.53 ,0.42,0.135,0.677,0.2565,0.1415,0.21, 9", "", ends=ends, encoding=encoding)]
    )
    assert list(data.features.columns) == RECIPE.column_names
    assert data.features.sex.tolist() == ["M", "I", "F"]
    assert data.features.iloc[0].tolist() == ["M", 0.455, 0.365, 0.095, 0.514, 0.2245, 0.101, 0.15]
    assert data.features.height.tolist() == [0.095, 0.0, 0.135]
    assert data.target.tolist() == [15.0, 8.0, 9.0]
    assert (data.source, data.synthetic) == ("abalone.data", False)


def test_a_header_may_come_first(write: Write) -> None:
    header = "Sex,Length,Diameter,Height,Whole weight,Shucked weight,Viscera weight,Shell weight,Rings"
    assert len(read([write(header, GOOD)]).target) == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (GOOD.rpartition(",")[0], "8 columns, expected 9"),
        (GOOD.replace("M", "X"), "sex 'X', expected M, F or I"),
        (GOOD.replace("0.095", ""), "height '', expected a number from 0 to 5"),
        (GOOD.replace("0.095", "nan"), "height 'nan', expected a number"),
        (GOOD.replace("0.095", "-0.1"), "height '-0.1', expected a number"),
        (GOOD.replace("0.455", "91"), "length '91', expected a number from 0 to 5: mm or g, divided by 200"),
        (GOOD.replace(",15", ",15.5"), "rings '15.5', expected a whole number from 1 on"),
        (GOOD.replace(",15", ",0"), "rings '0', expected a whole number"),
        (GOOD.replace(",15", ",²"), "rings '²', expected a whole number"),
    ],
)
def test_a_bad_row_is_told_with_its_line(write: Write, line: str, reason: str) -> None:
    with pytest.raises(TrainingError) as caught:
        read([write(GOOD, "", line, FLAT)])
    assert str(caught.value).startswith(f"abalone.data: 1 of 3 rows cannot be used: line 3: {reason}")
    assert str(caught.value).endswith(". Mend or remove them")


def test_of_many_bad_rows_the_first_are_told(write: Write) -> None:
    with pytest.raises(
        TrainingError, match=r"7 of 8 rows .* line 2: .* line 6: 1 columns, expected 9; and 2 more\. Mend"
    ):
        read([write(GOOD, *["?"] * 7)])


@pytest.mark.parametrize(
    ("first", "complaint"),
    [
        ("1.0,2.0,3.0", r"the first row has 3 columns \('1.0', '2.0', '3.0'\); expected these 9: sex, length, .*rings"),
        ("sex,length,rings", "the first row has 3 columns"),
        (GOOD.replace(",", ";"), "the first row has 1 columns"),
        (",".join(reversed(COLUMNS)), "the first row has 9 columns .'rings', .*; expected these 9: sex"),
    ],
)
def test_other_columns_are_refused(write: Write, first: str, complaint: str) -> None:
    with pytest.raises(TrainingError, match=complaint):
        read([write(first, GOOD)])


def test_folders_several_files_and_empty_ones_are_refused(write: Write, tmp_path: Path) -> None:
    path = write(GOOD)
    for paths in ([tmp_path], [path, path]):
        with pytest.raises(TrainingError, match="expected one file, the UCI file"):
            read(paths)
    with pytest.raises(TrainingError, match="rows are too few"):
        train(RECIPE, AbaloneParameters(), 1, read([write()]))


def test_the_sample_is_made_up_and_always_the_same(write: Write) -> None:
    data = sample()
    assert data.synthetic
    assert len(data.target) == 2_000
    assert data.sha256 == sample().sha256
    rows = data.features.assign(rings=data.target.astype(int)).to_csv(index=False, header=False).splitlines()
    assert read([write(*rows)]).features.equals(data.features)  # it is as the file's are


def test_it_learns_and_onnx_agrees() -> None:
    steps: list[tuple[int, int]] = []

    def follow(done: int, total: int) -> None:
        steps.append((done, total))

    result = train(RECIPE, AbaloneParameters(), 42, callbacks=Callbacks(progress=follow))
    assert result.metrics["r2"] > 0.53
    assert result.train_metrics["r2"] > result.metrics["r2"]
    assert result.largest_difference <= TOLERANCE
    assert list(result.figures) == ["residuals.png"]
    assert steps == [(trees, 100) for trees in range(10, 101, 10)]


def test_forest_grown_in_steps_is_the_same() -> None:
    data = sample()
    parameters = AbaloneParameters(n_estimators=13, max_depth=4, random_state=9)
    grown = fit(build(parameters, 1), data.features, data.target, ignore_progress)
    at_once = build(parameters, 2).fit(data.features, data.target)
    assert isinstance(grown[-1], RandomForestRegressor)
    np.testing.assert_array_equal(grown.predict(data.features), at_once.predict(data.features))


def test_values_at_the_thresholds_go_the_same_way() -> None:
    """So do single precision's neighbours of every threshold, and a sex that does not exist."""
    data = sample()
    estimator = build(AbaloneParameters(n_estimators=3), 1).fit(data.features, data.target)
    session = InferenceSession(to_onnx(RECIPE, estimator).onnx.SerializeToString(), providers=["CPUExecutionProvider"])
    for tree in estimator[-1].estimators_:
        thresholds = tree.tree_.threshold[tree.tree_.feature >= 0].astype("float32")
        near = [np.nextafter(thresholds, np.float32(0)), thresholds, np.nextafter(thresholds, np.float32(9))]
        values = np.concatenate(near)
        rows = data.features.sample(len(values), replace=True, random_state=1).assign(sex="X")
        for name in RECIPE.column_names[1:]:
            rows[name] = values.astype(float)
        feeds = {name: rows[[name]].to_numpy("object" if name == "sex" else "float32") for name in RECIPE.column_names}
        np.testing.assert_allclose(session.run(None, feeds)[0].reshape(-1), estimator.predict(rows), rtol=TOLERANCE)
