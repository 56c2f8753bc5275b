"""The rows that were not taken lie in a file for their owner only, with the reasons, safe to open."""

import csv
import stat
from pathlib import Path

import pytest

from credly_cli.errors import Failure
from credly_cli.lms.records import Reject
from credly_cli.lms.rejects import RejectsFile, is_rejects_file

BAD = Reject(3, "email", "'robin' is not an email address")


def _import(source: Path | None, folder: Path, *rejects: Reject) -> RejectsFile:
    with RejectsFile(source, folder) as file:
        for reject in rejects:
            file.add(reject)
    return file


def test_rejected_rows_are_written_beside_the_file_for_its_owner_only(tmp_path: Path) -> None:
    file = _import(tmp_path / "learners.csv", tmp_path / "state", BAD, BAD._replace(row=7))
    assert file.path == tmp_path / "learners.csv.rejects.csv"
    assert file.count == 2
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    with file.path.open(newline="") as stream:
        assert list(csv.reader(stream)) == [
            ["row", "column", "reason"],
            ["3", "email", BAD.reason],
            ["7", "email", BAD.reason],
        ]
    assert list(tmp_path.iterdir()) == [file.path]


def test_rejected_rows_of_standard_input_go_to_the_folder(tmp_path: Path) -> None:
    file = _import(None, tmp_path / "state", BAD)
    assert file.path == tmp_path / "state" / "stdin.rejects.csv"
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_rejected_rows_go_to_the_folder_where_there_is_no_room_beside(tmp_path: Path) -> None:
    beside = tmp_path / "learners.csv.rejects.csv"
    beside.mkdir()
    file = _import(tmp_path / "learners.csv", tmp_path / "state", BAD)
    assert file.path
    assert file.path.parent == tmp_path / "state"
    assert file.path.name.endswith("-learners.csv.rejects.csv")
    beside.rmdir()
    assert _import(tmp_path / "learners.csv", tmp_path / "state", BAD).path == beside
    assert list((tmp_path / "state").iterdir()) == []


def test_files_of_one_name_have_each_their_rejected_rows_in_the_folder(tmp_path: Path) -> None:
    for place in ("north", "south"):
        (tmp_path / place / "learners.csv.rejects.csv").mkdir(parents=True)
        _import(tmp_path / place / "learners.csv", tmp_path / "state", BAD)
    assert len(list((tmp_path / "state").iterdir())) == 2
    _import(tmp_path / "north" / "learners.csv", tmp_path / "state")
    assert len(list((tmp_path / "state").iterdir())) == 1


def test_no_room_at_all_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(Failure) as caught:
        _import(None, tmp_path / "state", BAD)
    assert caught.value.code == "store-unusable"


def test_an_import_without_rejects_writes_nothing_and_removes_the_earlier_file(tmp_path: Path) -> None:
    source = tmp_path / "learners.csv"
    earlier = _import(source, tmp_path, BAD).path
    assert earlier
    assert _import(source, tmp_path).path is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rejects", [[], [BAD._replace(row=9)]])
def test_an_import_that_fails_leaves_the_earlier_file_as_it_was(rejects: list[Reject], tmp_path: Path) -> None:
    earlier = _import(tmp_path / "learners.csv", tmp_path, BAD).path
    assert earlier
    before = earlier.read_text()
    with pytest.raises(KeyboardInterrupt):
        _interrupted_import(tmp_path / "learners.csv", rejects)
    assert earlier.read_text() == before
    assert list(tmp_path.iterdir()) == [earlier]


def _interrupted_import(source: Path, rejects: list[Reject]) -> None:
    with RejectsFile(source, source.parent) as file:
        for reject in rejects:
            file.add(reject)
        raise KeyboardInterrupt


def test_a_cell_is_safe_in_a_spreadsheet_and_in_a_terminal(tmp_path: Path) -> None:
    file = _import(tmp_path / "learners.csv", tmp_path, Reject(2, " =1+1", "\x1b[31m\ud800 is bad"))
    assert file.path
    assert file.path.read_text() == "row,column,reason\n2,' =1+1,\\x1b[31m\\ud800 is bad\n"


def test_a_file_of_rejects_is_known_by_its_name() -> None:
    assert is_rejects_file(Path("learners.csv.rejects.csv"))
    assert not is_rejects_file(Path("rejects.csv"))
