import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.errors import CommandRefused
from local.stack import lock
from local.stack.home import LAYOUT, Home


def test_a_new_folder_gets_its_layout(tmp_path: Path) -> None:
    home = Home(tmp_path / "deep" / "state")
    home.prepare()
    assert json.loads(home.version.read_text()) == {"layout": LAYOUT}
    assert home.s3.is_dir()
    assert home.logs.is_dir()
    assert home.database.parent.is_dir()
    home.prepare()


def test_a_folder_of_another_layout_is_refused_with_both_versions(tmp_path: Path) -> None:
    Home(tmp_path).version.write_text('{"layout": 7}')
    with pytest.raises(CommandRefused, match=f"has layout 7; this version reads layout {LAYOUT}") as refused:
        Home(tmp_path).prepare()
    assert "start afresh" in str(refused.value)
    assert not Home(tmp_path).s3.exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", "not json"])
def test_an_unreadable_version_is_refused(tmp_path: Path, content: str) -> None:
    Home(tmp_path).version.write_text(content)
    with pytest.raises(CommandRefused, match="has layout unknown"):
        Home(tmp_path).prepare()


def test_somebody_elses_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(CommandRefused, match="is not a state folder"):
        Home(tmp_path).prepare()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(CommandRefused, match="cannot be written"):
        Home(tmp_path / "state").prepare()


NOBODY = 65534


@pytest.fixture
def _not_root(tmp_path: Path) -> Iterator[None]:
    """Root may write anywhere; as root, the test is somebody else for a while."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    yield
    if is_root:
        os.seteuid(0)


@pytest.mark.usefixtures("_not_root")
def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    if os.geteuid() != NOBODY:
        tmp_path.chmod(0o500)
    with pytest.raises(CommandRefused, match="cannot be written"):
        Home(tmp_path).prepare()


def test_a_second_stack_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with lock.held(path):
        assert lock.holder(path) == os.getpid()
        with pytest.raises(CommandRefused, match=rf"already \(process {os.getpid()}\)"), lock.held(path):
            pass
    assert lock.holder(path) is None


def test_nobody_holds_a_lock_that_is_not_there(tmp_path: Path) -> None:
    assert lock.holder(tmp_path / "lock") is None
