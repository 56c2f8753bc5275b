"""The command `import`: files, standard input, rejected rows, dry runs, access lists."""

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from credly_cli.lms.records import AccessRecord
from credly_cli.lms.rejects import RejectFilter, RejectsFile
from credly_cli.progress import Progress
from tests.support.desk import Desk

CONTENT = "content_id,title\nc1,One\nc2,Two\n"
BROKEN = "content_id,title\nc1,One\n,No id\n"


def given(desk: Desk) -> list[tuple[Any, ...]]:
    with desk.store() as store:
        rows = store.rows("SELECT content_id, subject_kind, subject FROM access ORDER BY 1, 2, 3")
    return [tuple(row.values()) for row in rows]


# Access


def test_an_access_file_is_the_whole_list_of_each_content_that_it_names(desk: Desk) -> None:
    desk.imports("content", CONTENT)
    desk.imports("access", "content_id,email,panorama,sublicense\nc1,Ada@Example.org,,\nc1,,North,\nc2,,,Main\n")
    whole = [("c1", "learner", "ada@example.org"), ("c1", "panorama", "north"), ("c2", "sublicense", "main")]
    assert given(desk) == whole
    answer = desk.imports("access", "content_id,panorama\nc1,NORTH\nc1,north\n")
    assert (answer["added"], answer["changed"], answer["unchanged"]) == (0, 1, 2)
    assert given(desk) == whole[1:]


def test_only_a_file_of_progress_is_warned_of_for_want_of_completions(desk: Desk) -> None:
    desk.imports("content", CONTENT)
    assert desk.imports("learners", "email,first_name\nada@example.org,Ada\n")["warnings"] == []
    answer = desk.imports("progress", "email,content_id,status\nada@example.org,c1,in progress\n")
    assert answer["warnings"] == ["No row is a completion."]


def test_a_session_in_an_access_file_means_its_content(desk: Desk) -> None:
    desk.imports("content", "content_id,title,session_id\nc1,One,s1\n")
    desk.imports("access", "content_id,email\ns1,ada@example.org\n")
    assert given(desk) == [("c1", "learner", "ada@example.org")]


@pytest.mark.parametrize(("row", "kept"), [("c2,cy", True), ("c1,", True), ("nowhere,cy@example.org", False)])
def test_an_access_file_with_rows_that_cannot_be_read_takes_nothing_away_and_says_so(
    desk: Desk, row: str, *, kept: bool
) -> None:
    desk.imports("content", CONTENT)
    desk.imports("access", "content_id,email\nc1,ada@example.org\n")
    ran = desk.run("import", "access", desk.file("access.csv", f"content_id,email\nc1,bo@example.org\n{row}\n"))
    assert ran.code == 3
    assert [row[2] for row in given(desk)] == ["ada@example.org"] * kept + ["bo@example.org"]
    assert ("nobody's access was taken away" in ran.err) is kept


def test_an_access_file_wins_over_what_content_told_of_who_may_see_it(desk: Desk) -> None:
    content = "content_id,title,panoramas\nc1,One,North\nc2,Two,North\n"
    desk.imports("content", content)
    access = "content_id,email\nc1,ada@example.org\n"
    desk.imports("access", access)
    assert given(desk) == [("c1", "learner", "ada@example.org"), ("c2", "panorama", "north")]
    assert desk.imports("content", content)["unchanged"] == 2
    assert desk.imports("access", access)["unchanged"] == 1


# Rejected rows


def test_good_rows_go_in_and_bad_ones_to_a_private_file_with_the_reasons(desk: Desk) -> None:
    answer = desk.imports("content", BROKEN, code=3)
    path = Path(answer["rejects_file"])
    assert path == desk.home / "content.csv.rejects.csv"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == "row,column,reason\n3,content_id,is empty\n"
    assert (answer["read"], answer["added"], answer["rejected"]) == (2, 1, 1)


def test_a_later_import_without_rejects_removes_the_file(desk: Desk) -> None:
    path = Path(desk.imports("content", BROKEN, code=3)["rejects_file"])
    assert desk.imports("content", CONTENT)["rejects_file"] is None
    assert not path.exists()


def test_the_file_of_rejected_rows_is_never_taken_for_input(desk: Desk) -> None:
    path = desk.imports("content", BROKEN, code=3)["rejects_file"]
    ran = desk.run("import", "content", path)
    assert ran.code == 2
    assert "rejected" in ran.err


def test_where_the_folder_cannot_be_written_the_state_folder_has_it(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "content.csv").write_text(BROKEN)
    folder.chmod(0o500)
    if os.geteuid() == 0:  # whom no mode keeps out
        _keep_out_of(folder, monkeypatch)
    answer = desk.json("import", "content", str(folder / "content.csv"), code=3)
    path = Path(answer["rejects_file"])
    assert (path.parent, path.name[8:]) == (desk.home, "-content.csv.rejects.csv")


def _keep_out_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really_open = os.open

    def opened(path: Any, flags: int, *how: Any, **options: Any) -> int:
        if flags & os.O_CREAT and Path(os.fsdecode(path)).parent == folder:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return really_open(path, flags, *how, **options)

    monkeypatch.setattr(os, "open", opened)


def test_rows_of_standard_input_are_rejected_into_the_state_folder(desk: Desk) -> None:
    answer = desk.json("import", "content", "-", stdin=BROKEN, code=3)
    assert answer["rejects_file"] == str(desk.home / "stdin.rejects.csv")


def test_the_file_is_named_to_people_and_the_exit_code_says_so_to_scripts(desk: Desk) -> None:
    ran = desk.run("import", "content", desk.file("x.csv", BROKEN))
    assert ran.code == 3
    assert "x.csv.rejects.csv" in ran.err
    assert "1 rejected" in ran.out


# Files


def test_several_files_make_one_sum(desk: Desk) -> None:
    first, second = desk.file("a.csv", CONTENT), desk.file("b.csv", BROKEN)
    answer = desk.json("import", "content", first, second, code=3)
    assert {key: answer[key] for key in ("kind", "read", "added", "changed", "unchanged", "rejected")} == {
        "kind": "content", "read": 4, "added": 2, "changed": 0, "unchanged": 1, "rejected": 1
    }  # fmt: skip
    assert answer["rejects_file"] == f"{second}.rejects.csv"


def test_an_empty_file_has_no_rows(desk: Desk) -> None:
    for text in ("", "\n\n", "content_id,title\n"):
        answer = desk.imports("content", text)
        assert (answer["read"], answer["rejects_file"]) == (0, None)


def test_a_file_that_is_not_there(desk: Desk) -> None:
    ran = desk.run("import", "content", str(desk.home / "nothing.csv"))
    assert ran.code == 2
    assert "nothing.csv" in ran.err


@pytest.mark.parametrize("data", [b"PK\x03\x04rest", b"\x00\x01\x02\x03" * 50, b"a,b\nc,d\n", b"{]\n"])
def test_what_is_no_such_file_stores_nothing(desk: Desk, data: bytes) -> None:
    path = desk.home / "export.csv"
    path.write_bytes(data)
    answer = desk.json("import", "content", str(path), code=3)
    assert answer["error"]["code"] == "import-rejected"
    assert desk.json("content") == []


def test_of_several_files_the_one_that_is_none_is_found_before_anything_is_stored(desk: Desk) -> None:
    answer = desk.json("import", "content", desk.file("a.csv", CONTENT), desk.file("b.csv", "PK\x03\x04"), code=3)
    assert answer["error"]["code"] == "import-rejected"
    assert desk.json("content") == []


def test_an_unknown_kind_is_a_wrong_usage(desk: Desk) -> None:
    assert desk.run("import", "badges", desk.file("a.csv", CONTENT)).code == 2


def test_columns_are_named_by_map(desk: Desk) -> None:
    text = "Kurs,Name\nc1,One\n"
    assert desk.imports("content", text, "--map", "content_id=Kurs", "--map", "title=Name")["added"] == 1
    for bad in ("content_id", "=Kurs", "nonsense=Kurs", "title=Nowhere"):
        assert desk.run("import", "content", desk.file("a.csv", text), "--map", bad).code == 2


def test_a_report_of_one_course_goes_in_with_its_id_said(desk: Desk) -> None:
    desk.imports("content", CONTENT)
    ran = desk.run("import", "progress", desk.file("report.csv", "email\nada@example.org\n"))
    assert "--map content_id==ID" in ran.err
    assert desk.imports("progress", "email\nada@example.org\n", "--map", "content_id==c1")["added"] == 1


# Dry runs


def test_a_dry_run_tells_the_same_and_changes_nothing(desk: Desk) -> None:
    answer = desk.imports("content", BROKEN, "--dry-run")
    assert (answer["read"], answer["added"], answer["rejected"], answer["rejects_file"]) == (2, 1, 1, None)
    assert sorted(path.name for path in desk.home.iterdir()) == ["content.csv"]


def test_a_dry_run_over_a_store_leaves_it_as_it_is(desk: Desk) -> None:
    desk.imports("content", CONTENT)
    with desk.store() as store:
        before = list(store.connection.iterdump())
    desk.imports("content", "content_id,title\nc1,Uno\nc3,Three\n", "--dry-run")
    desk.imports("progress", "email,content_id,completed_at\nada@example.org,c1,2026-01-01\n", "--dry-run")
    with desk.store() as store:
        assert list(store.connection.iterdump()) == before


def test_after_an_import_it_says_what_is_still_to_be_done(desk: Desk) -> None:
    path = desk.file("content.csv", CONTENT)
    assert desk.run("import", "content", path).err.endswith("Next: credly connect\n")
    desk.connect()
    assert desk.run("import", "content", path).err.endswith("Next: credly sync\n")
    desk.json("sync")
    assert desk.run("import", "content", path).err.endswith("Next: credly link BADGE CONTENT\n")


def test_importing_plans_no_grants(connected: Desk) -> None:
    connected.json("link", connected.badge_id("First Aid at Work"), "first-aid")
    connected.learns("ada@example.org,first-aid,first-aid-march,completed,2026-03-02T09:30:00Z,Ada,Lovelace")
    assert connected.json("grants") == []


def test_the_first_rejected_row_and_the_way_to_mend_it_are_said_at_once(desk: Desk) -> None:
    path = desk.file("learners.csv", "email,first_name,last_name\nnobody,Robin,Sample\n")
    ran = desk.run("import", "learners", path)
    assert ran.code == 3
    assert "1 row read" in ran.out
    assert "row 2: email 'nobody' is not an email address" in ran.err
    assert f"Next: correct {path} and import it again." in ran.err


def test_a_quiet_import_says_rejected_rows_in_one_line_and_else_nothing(desk: Desk) -> None:
    path = desk.file("learners.csv", "email,first_name,last_name\nnobody,Robin,Sample\nada@example.org,Ada,Love\n")
    ran = desk.run("import", "-q", "learners", path)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == f"credly import: 1 row was rejected. The reasons are in {path}.rejects.csv.\n"
    ran = desk.run("import", "-q", "learners", desk.file("learners.csv", "email\nada@example.org\n"))
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_content_that_is_not_known_is_imported_first(desk: Desk) -> None:
    path = desk.file("progress.csv", "email,content_id,progress\na@example.com,nowhere,10\n")
    assert "first: credly import content FILE" in desk.run("import", "progress", path).err


def test_a_file_that_is_not_there_has_a_way_out(desk: Desk) -> None:
    assert "Check its name" in desk.json("import", "content", "nofile.csv", code=2)["error"]["hint"]


def test_of_several_files_the_first_rejected_row_is_that_of_the_first_that_has_one(desk: Desk) -> None:
    good = desk.file("a.csv", "email,first_name,last_name\nada@example.org,Ada,Lovelace\n")
    bad = [desk.file(f"{name}.csv", f"email,first_name,last_name\n{name},,\n") for name in ("b", "c")]
    ran = desk.run("import", "learners", good, *bad)
    assert "row 2: email 'b' is not an email address" in ran.err
    assert f"Next: correct {bad[0]} and import it again." in ran.err


def test_of_several_files_each_warning_names_its_own_once(desk: Desk) -> None:
    first = desk.file("a.csv", "email,first_name,last_name\nada@example.org,Ada,Lovelace\n")
    second = desk.file("b.csv", "Report of June\nemail,first_name,last_name\nben@example.org,Ben,Bear\n")
    assert "Warning: b.csv: the header is line 2.\n" in desk.run("import", "learners", first, second).err
    rows = "email,content_id,progress\nada@example.org,c1,10\n"
    desk.imports("content", "content_id,title\nc1,One\n")
    paths = [desk.file(f"{name}.csv", rows) for name in ("c", "d")]
    told = [f"{name}.csv: No row is a completion." for name in ("c", "d")]
    assert desk.json("import", "progress", *paths)["warnings"] == told
    assert desk.json("import", "progress", paths[0])["warnings"] == ["No row is a completion."]


def test_how_far_an_import_is_counts_on_over_its_sources(tmp_path: Path) -> None:
    seen: list[int] = []

    class Noted(Progress):
        def at(self, done: int, total: int | None = None) -> None:
            assert total is None
            seen.append(done)

    records = [AccessRecord(row, "c1", "panorama", "North") for row in range(10_000)]
    rows = RejectFilter(iter(records), RejectsFile(None, tmp_path, keep=False), Noted(), 7_000)
    assert sum(1 for _ in rows) == 10_000
    assert seen == [12_000, 17_000]
