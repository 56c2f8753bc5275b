"""`[lms] source = "files"`: nightly exports are taken once each, by `credly sync`."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from credly_cli.store import runs
from credly_cli.store.database import Store
from tests.support.desk import START, Desk

OULAD = Path(__file__).resolve().parents[3] / "shared" / "data" / "oulad"
LEARNERS = "email,first_name,last_name\nada@example.org,Ada,Lovelace\n"
CONTENT = "content_id,title\nc1,First Aid\n"
HEADER = "email,content_id,status,completed_at\n"
DONE = f"{HEADER}ada@example.org,c1,completed,2026-02-01T10:00:00Z\n"
NEWS = f"{HEADER}ada@example.org,c1,completed,2026-02-03T10:00:00Z\n"
CONFIG = """
[lms]
source = "files"
[lms.files]
learners = ["exports/learners*.csv"]
content = ["exports/content*.csv"]
progress = ["exports/progress*.csv"]
access = ["exports/access*.csv"]
"""


@pytest.fixture
def night(only_connected: Desk) -> Desk:
    """A desk that is connected and told to read nightly files."""
    only_connected.config(CONFIG)
    (only_connected.home / "exports").mkdir()
    for kind in ("learners", "content", "progress", "access"):  # that nothing ever matched is a matter of its own
        put(only_connected, f"{kind}-empty.csv", "", 24 * 60)
    return only_connected


def put(desk: Desk, name: str, text: str, minutes_ago: float = 60) -> Path:
    path = desk.home / "exports" / name
    path.write_text(text)
    moment = desk.clock.now().timestamp() - minutes_ago * 60
    os.utime(path, (moment, moment))
    return path


def lms(desk: Desk, *options: str, code: int = 0) -> Any:
    return desk.json("sync", "--only", "lms", *options, code=code)["lms"]


def read(desk: Desk, *options: str, code: int = 0) -> dict[str, int]:
    return {kind: counts["read"] for kind, counts in lms(desk, *options, code=code).items() if counts["read"]}


def test_files_of_all_kinds_come_in_with_content_before_what_needs_it(night: Desk) -> None:
    put(night, "access.csv", "content_id,email\nc1,ada@example.org\n", 90)
    put(night, "progress.csv", DONE, 80)
    put(night, "content.csv", CONTENT, 70)
    put(night, "learners.csv", LEARNERS, 60)
    row = {"read": 1, "added": 1, "changed": 0, "unchanged": 0, "rejected": 0}
    assert lms(night) == {"learners": row, "content": row, "progress": row, "access": row}


def test_a_file_is_taken_once(night: Desk) -> None:
    put(night, "content.csv", CONTENT)
    put(night, "progress.csv", DONE)
    assert read(night) == {"content": 1, "progress": 1}
    assert read(night) == {}


def test_a_changed_file_is_taken_again(night: Desk) -> None:
    put(night, "content.csv", CONTENT)
    put(night, "progress.csv", DONE)
    lms(night)
    put(night, "progress.csv", NEWS, 5)
    assert lms(night)["progress"]["changed"] == 1


def test_the_same_content_under_another_name_is_not_taken_twice(night: Desk) -> None:
    put(night, "content.csv", CONTENT)
    first = put(night, "progress.csv", DONE)
    lms(night)
    first.rename(first.with_name("progress-old.csv"))
    put(night, "progress-copy.csv", DONE, 5)
    assert read(night) == {}


def test_a_renamed_file_is_not_taken_again_after_a_newer_one(night: Desk) -> None:
    put(night, "content.csv", CONTENT)
    first = put(night, "progress-1.csv", DONE)
    lms(night)
    put(night, "progress-2.csv", NEWS, 30)
    first.rename(first.with_name("progress-0.csv"))
    assert read(night) == {"progress": 1}
    assert read(night) == {}


def test_an_old_file_that_is_copied_or_touched_after_a_newer_one_is_not_taken_again(night: Desk) -> None:
    put(night, "content.csv", CONTENT)
    put(night, "access-1.csv", "content_id,email\nc1,ada@example.org\n", 30)
    lms(night)
    put(night, "access-2.csv", "content_id,email\nc1,bo@example.org\n", 20)
    assert read(night) == {"access": 1}
    put(night, "access-1.csv", "content_id,email\nc1,ada@example.org\n", 10)
    put(night, "access-3.csv", "content_id,email\nc1,ada@example.org\n", 10)
    assert read(night) == {}


@pytest.mark.further
def test_files_that_are_rotated_are_taken_once_each(night: Desk) -> None:
    put(night, "content.csv", CONTENT)
    exports = night.home / "exports"
    for night_number in range(4):
        for number in reversed(range(night_number)):
            (exports / f"progress.{number}.csv").rename(exports / f"progress.{number + 1}.csv")
        put(night, "progress.0.csv", DONE.replace("10:00", f"10:0{night_number}"), 30 - night_number)
        assert read(night)["progress"] == 1


def test_what_was_taken_long_ago_from_a_file_that_is_gone_is_forgotten(
    night: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("credly_cli.lms.files_source._REMEMBERED", 2)
    paths = [put(night, f"content-{number}.csv", f"{CONTENT}c{number},Title\n") for number in range(5)]
    assert read(night) == {"content": 10}
    for path in paths[:2]:
        path.unlink()
    assert read(night) == {}
    with night.store() as store:
        assert store.value("SELECT count(*) FROM bookmarks WHERE name GLOB 'lms:file:content:*'") == 4
    assert read(night) == {}


def test_where_it_left_off_is_read_once_however_many_files_there_are(
    night: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        put(night, f"content-{number}.csv", f"content_id,title\nc{number},Title\n")
    lms(night)
    asked: list[object] = []
    read_all = runs.bookmarks

    def noted(store: Store, prefix: str) -> dict[str, str]:
        asked.append(prefix)
        return read_all(store, prefix)

    monkeypatch.setattr(runs, "bookmarks", noted)
    assert read(night) == {}
    assert len(asked) == 1


def test_content_that_comes_back_says_something_again(night: Desk) -> None:
    put(night, "content.csv", CONTENT)
    put(night, "access.csv", "content_id,email\nc1,ada@example.org\n", 30)
    lms(night)
    put(night, "access.csv", "content_id,email\nc1,bo@example.org\n", 20)
    assert lms(night)["access"]["changed"] == 1
    put(night, "access.csv", "content_id,email\nc1,ada@example.org\n", 10)
    assert lms(night)["access"]["added"] == 1


def test_older_files_are_taken_before_newer_ones(night: Desk) -> None:
    put(night, "content-a.csv", "content_id,title\nc1,New title\n", 10)
    put(night, "content-b.csv", "content_id,title\nc1,Old title\n", 20)
    lms(night)
    assert night.json("content")[0]["title"] == "New title"


def test_full_takes_all_again(night: Desk) -> None:
    put(night, "content.csv", CONTENT)
    lms(night)
    assert lms(night, "--full")["content"] == {"read": 1, "added": 0, "changed": 0, "unchanged": 1, "rejected": 0}
    assert read(night) == {}


def test_a_dry_run_says_what_would_come_in_and_takes_nothing(night: Desk) -> None:
    put(night, "content.csv", CONTENT + ",No id\n")
    dry = lms(night, "--dry-run")["content"]
    assert dry == {"read": 2, "added": 1, "changed": 0, "unchanged": 0, "rejected": 1}
    assert not list(night.home.rglob("*.rejects.csv"))
    assert night.json("content") == []
    assert lms(night, code=3)["content"] == dry


def test_rejected_rows_are_a_problem_once_and_never_taken_for_input(night: Desk) -> None:
    put(night, "content.csv", CONTENT + ",No id\n")
    answer = night.json("sync", "--only", "lms", code=3)
    assert [entry["code"] for entry in answer["problems"]] == ["import-rejected"]
    assert "content.csv.rejects.csv" in answer["problems"][0]["message"]
    assert (night.home / "exports" / "content.csv.rejects.csv").stat().st_mode & 0o777 == 0o600
    assert read(night) == {}


def test_what_is_no_such_file_is_a_problem_and_the_others_go_in(night: Desk) -> None:
    put(night, "content-a.csv", "PK\x03\x04 a workbook", 30)
    put(night, "content-b.csv", CONTENT)
    answer = night.json("sync", "--only", "lms", code=3)
    assert answer["lms"]["content"]["added"] == 1
    assert [entry["code"] for entry in answer["problems"]] == ["lms-file-refused"]


def test_r33_a_refused_file_needs_a_person_until_it_is_taken_or_gone(night: Desk) -> None:
    put(night, "content.csv", CONTENT)
    path = put(night, "progress.csv", "Learner,Kurs,Fertig\nAda,c1,2026-02-01\n")
    for _ in range(2):
        (told,) = night.json("sync", "--only", "lms", code=3)["problems"]
        assert told["code"] == "lms-file-refused"
        assert "[[lms.files.progress]]" in told["hint"]
        assert "map = {" in told["hint"]
    assert [each["code"] for each in night.json("status")["waiting_for_person"]] == ["lms-file-refused"]
    assert night.run("status", "--max-age", "1d").code == 3
    path.unlink()
    assert night.json("sync", "--only", "lms")["problems"] == []
    assert night.json("status")["needs_person"] == 0


def test_r33_a_table_says_how_its_files_are_read(night: Desk) -> None:
    night.config(
        CONFIG.replace('progress = ["exports/progress*.csv"]\n', "")
        + '[[lms.files.progress]]\npath = "exports/progress*.csv"\nmap = {completed_at = "Fertig", email = "Wer"}\n'
        + 'values = {status = {"Erledigt" = "completed"}}\ndate_format = "%d/%m/%Y"\n'
    )
    put(night, "content.csv", CONTENT)
    put(night, "progress.csv", "Wer,content_id,status,Fertig\nada@example.org,c1,Erledigt,01/02/2026\n")
    assert lms(night)["progress"]["added"] == 1


def test_r33_rejected_rows_are_read_again_when_the_table_says_more(night: Desk) -> None:
    put(night, "content.csv", CONTENT)
    put(night, "progress.csv", f"{HEADER}ada@example.org,c1,Blorped,2026-02-01\n")
    (told,) = night.json("sync", "--only", "lms", code=3)["problems"]
    assert 'values = {status = {"Blorped" = "completed"}}' in told["hint"]
    assert read(night) == {}
    table = '[[lms.files.progress]]\npath = "exports/progress*.csv"\nvalues = {status = {"Blorped" = "completed"}}\n'
    night.config(CONFIG.replace('progress = ["exports/progress*.csv"]\n', "") + table)
    assert lms(night)["progress"]["added"] == 1
    assert night.json("status")["needs_person"] == 0


def test_r33_a_glob_that_never_matched_anything_needs_a_person(night: Desk) -> None:
    night.config(CONFIG.replace("exports/progress", "export/progress"))
    for _ in range(2):
        (told,) = night.json("sync", "--only", "lms", code=3)["problems"]
        assert (told["code"], "export/progress*.csv" in told["message"]) == ("lms-file-missing", True)


def test_r33_progress_that_runs_dry_needs_a_person(night: Desk) -> None:
    put(night, "learners.csv", LEARNERS)
    assert lms(night)
    night.pass_time(days=9)
    (told,) = night.json("sync", "--only", "lms", code=3)["problems"]
    assert (told["code"], "10 days old" in told["message"]) == ("lms-stale", True)
    night.config(CONFIG.replace("[lms.files]", "max_age_days = 0\n[lms.files]"))
    assert night.json("sync", "--only", "lms")["problems"] == []
    night.config(CONFIG.replace("[lms.files]", "max_age_days = 30\n[lms.files]"))
    (night.home / "exports" / "progress-empty.csv").unlink()
    assert night.json("sync", "--only", "lms")["problems"] == []
    night.pass_time(days=31)
    (told,) = night.json("sync", "--only", "lms", code=3)["problems"]
    assert told["code"] == "lms-file-missing"


def test_r33_an_entry_that_brought_completions_and_brings_none_needs_a_person(night: Desk) -> None:
    put(night, "content.csv", CONTENT)
    put(night, "progress.csv", DONE)
    lms(night)
    put(night, "progress.csv", "email,content_id,done\nada@example.org,c1,yes\n", 20)
    for _ in range(2):
        assert [told["code"] for told in night.json("sync", "--only", "lms", code=3)["problems"]] == ["lms-stale"]
    put(night, "progress.csv", NEWS, 5)
    assert night.json("sync", "--only", "lms")["problems"] == []


def test_a_run_logs_what_was_understood_of_each_file(night: Desk) -> None:
    put(night, "content.csv", CONTENT)
    put(night, "progress.csv", DONE.replace("status", "status,Team").replace("completed,", "completed,East,"))
    log = night.home / "log.jsonl"
    night.json("sync", "--only", "lms", "--log-file", str(log))
    told = [json.loads(line) for line in log.read_text().splitlines()]
    (progress,) = [line for line in told if line["event"] == "file" and line["completions"]]
    assert (progress["file"].endswith("progress.csv"), progress["columns"]["unused"]) == (True, ["Team"])
    assert "ada@" not in log.read_text()


def test_no_files_are_no_error(night: Desk) -> None:
    assert read(night) == {}


def test_a_file_modified_just_now_is_waited_for(night: Desk) -> None:
    put(night, "content.csv", CONTENT, 0)
    assert read(night) == {"content": 1}
    assert (night.clock.now() - START).total_seconds() == pytest.approx(2, abs=0.1)


def test_a_file_that_goes_on_growing_is_left_for_the_next_run(night: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(night, "content.csv", CONTENT, 0)
    wait = night.clock.sleep

    def grow(seconds: float) -> None:
        wait(seconds)
        with path.open("a") as file:
            file.write("c2,Half a tit")

    monkeypatch.setattr(night.clock, "sleep", grow)
    assert read(night) == {}
    monkeypatch.setattr(night.clock, "sleep", wait)
    put(night, "content.csv", f"{CONTENT}c2,Half a title\n")
    assert read(night) == {"content": 2}


HALF_A_MINUTE, TWO_MINUTES = 30, 120
FORMS = [
    pytest.param(CONTENT, "c2,Half a tit", id="CSV"),
    pytest.param(
        '{"content_id": "c1", "title": "First Aid"}\n', '{"content_id": "c2", "title": "Half a tit', id="JSON Lines"
    ),
]


@pytest.mark.sampled
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(("whole", "cut"), FORMS)
def test_a_file_that_ends_within_a_row_is_left_until_it_surely_is_all(
    night: Desk, whole: str, cut: str, encoding: str
) -> None:
    def rows_read(text: str, age: float) -> int:
        path = put(night, "content.csv", "")
        path.write_bytes(("\ufeff" + text).encode(encoding))
        modified = night.clock.now().timestamp() - age
        os.utime(path, (modified, modified))
        return int(read(night).get("content", 0))

    assert rows_read("", HALF_A_MINUTE) == 0
    assert rows_read(whole + cut, HALF_A_MINUTE) == 0
    assert rows_read(whole, HALF_A_MINUTE) == 1
    assert rows_read(whole.rstrip("\n"), TWO_MINUTES) == 1, "old enough to be all, though its last line has no end"


def test_json_that_is_whole_need_not_end_with_a_line(night: Desk) -> None:
    put(night, "content.csv", '[{"content_id": "c1", "title": "First Aid"}]', 0)
    assert read(night) == {"content": 1}


def test_a_file_that_cannot_be_opened_is_reported_until_it_can(night: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    put(night, "content-1.csv", CONTENT)
    put(night, "content-2.csv", "content_id,title\nc2,Second Aid\n")
    with monkeypatch.context() as closed:
        closed.setattr("credly_cli.lms.files_source._digest_of", denied)
        for _ in range(2):
            problems = night.json("sync", "--only", "lms", code=3)["problems"]
            assert {entry["code"] for entry in problems} == {"lms-file-refused"}
            told = " ".join(entry["message"] for entry in problems)
            assert "content-1.csv cannot be opened: Permission denied." in told
    assert read(night) == {"content": 2}


def denied(path: Path) -> str:
    raise PermissionError(13, "Permission denied", path)


def test_a_file_that_vanishes_is_no_error(night: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(night, "content.csv", CONTENT, 0)
    monkeypatch.setattr(night.clock, "sleep", lambda _: path.unlink())
    assert read(night) == {}


def test_what_an_export_calls_complete_no_more_is_reported_once(night: Desk) -> None:
    put(night, "content.csv", CONTENT)
    put(night, "progress.csv", DONE, 30)
    lms(night)
    another = "bo@example.org,c1,completed,2026-02-01T10:00:00Z"
    put(night, "progress.csv", f"{HEADER}ada@example.org,c1,withdrawn,\n{another}\n", 20)
    (told,) = night.json("sync", "--only", "lms", code=3)["problems"]
    assert (told["code"], told["email"]) == ("import-rejected", "ada@example.org")
    put(night, "progress.csv", f"{HEADER}ada@example.org,c1,withdrawn,\n{another}\n\n", 10)
    assert night.json("sync", "--only", "lms")["problems"] == []


def contents(desk: Desk) -> str:
    tables = ("content", "sessions", "learners", "enrollments", "access", "former_emails")
    with desk.store() as store:
        return json.dumps([store.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables])  # noqa: S608


@pytest.mark.slow
@pytest.mark.skipif(not OULAD.is_dir(), reason="the real input is not beside this repository")
def test_a_real_lms_by_files_gives_the_same_store_as_by_import(tmp_path: Path) -> None:
    by_import, by_files = Desk(tmp_path / "import"), Desk(tmp_path / "files")
    by_import.home.mkdir()
    for kind in ("learners", "content", "progress"):
        by_import.json("import", kind, str(OULAD / f"{kind}.csv"))
    by_files.home.mkdir()
    by_files.connect()
    kinds = "\n".join(f'{kind} = ["{OULAD}/{kind}*.csv"]' for kind in ("learners", "content", "progress"))
    by_files.config(f'[lms]\nsource = "files"\n[lms.files]\n{kinds}\n')
    assert read(by_files) == {"learners": 12400, "content": 12, "progress": 12489}
    assert contents(by_files) == contents(by_import)


def test_a_file_that_brought_no_completion_is_read_again_once_its_entry_says_which_column_tells_it(night: Desk) -> None:
    put(night, "content.csv", CONTENT, 90)
    put(night, "progress.csv", "email,content_id,Wann\nada@example.org,c1,2026-02-01T10:00:00Z\n")
    assert lms(night)["progress"]["added"] == 1
    assert read(night) == {}
    whole = '\nprogress = ["exports/progress*.csv"]'
    entry = '[[lms.files.progress]]\npath = "exports/progress*.csv"\nmap = {completed_at = "Wann"}\n'
    night.config(CONFIG.replace(whole, "") + entry)
    assert lms(night)["progress"]["changed"] == 1
    assert read(night) == {}


def test_what_a_person_should_look_at_is_told_to_scripts_too(night: Desk) -> None:
    put(night, "content.csv", CONTENT)
    put(night, "progress.csv", "email,content_id,end_date,Leave Time\nada@example.org,c1,2026-02-01,2026-01-31\n")
    (warning,) = night.json("sync", "--only", "lms", "--dry-run")["warnings"]
    assert warning.startswith("progress.csv: No row is a completion. Not used, and like one: Leave Time")
    said = night.run("sync", "--only", "lms").err
    assert said.count(warning) == 1


def test_r25_an_id_that_is_told_to_be_somebody_elses_is_given_once(night: Desk) -> None:
    table = '[[lms.files.learners]]\npath = "exports/people*.csv"\nids = {"5" = "%s"}\n'
    header = "learner_id,email,first_name,last_name\n"

    def people() -> list[tuple[str, str | None]]:
        return sorted((each["email"], each["learner_id"]) for each in night.json("learners"))

    def reads(name: str, row: str, code: int = 0) -> Any:
        put(night, name, f"{header}{row}\n", minutes_ago=0)
        night.pass_time(hours=1)
        return night.json("sync", "--only", "lms", code=code)

    night.config('[lms]\nsource = "files"\n' + table % "new")
    reads("people1.csv", "5,ada@example.org,Ada,Bell")
    reads("people2.csv", "5,zoe@example.org,Zoe,Quill")
    assert people() == [("ada@example.org", None), ("zoe@example.org", "5")]
    reads("people3.csv", "5,zoe.smith@example.org,Zoe,Smith")  # who has the id now has another address
    assert people() == [("ada@example.org", None), ("zoe.smith@example.org", "5")]
    (problem,) = reads("people4.csv", "5,max@example.org,Max,Power", code=3)["problems"]
    assert 'ids = {"5" = "same"} if it is one person' in problem["message"]
    assert "if the LMS gave the id to somebody else once more, credly import ... --id 5=new" in problem["message"]
    night.json("import", "learners", night.file("max.csv", f"{header}5,max@example.org,Max,Power\n"), "--id", "5=new")
    assert people() == [("ada@example.org", None), ("max@example.org", "5"), ("zoe.smith@example.org", None)]
    night.json("forget", "max@example.org", "--yes")
    with night.store() as store:
        assert runs.bookmarks(store, "given:") == {}


def test_r25_sync_says_who_changed_the_address(night: Desk) -> None:
    put(night, "content.csv", CONTENT)
    header = "learner_id,email,first_name,last_name\n"
    put(night, "learners.csv", f"{header}5,ada@example.org,Ada,Bell\n")
    night.json("sync", "--only", "lms")
    put(night, "learners-new.csv", f"{header}5,ada@new.example,Ada,King\n", minutes_ago=0)
    sentence = "5 changed the address: ada@example.org is now ada@new.example."
    assert night.json("sync", "--only", "lms", "--dry-run")["warnings"] == [sentence]
    assert sentence in night.run("sync", "--only", "lms").err


def test_a_source_that_lacks_something_stops_no_other_and_no_grant(night: Desk) -> None:
    night.json("sync")
    night.imports("content", CONTENT)
    night.imports("learners", LEARNERS)
    night.json("link", "First Aid at Work", "c1")
    night.pass_time(hours=1)
    put(night, "progress.csv", f"{HEADER}ada@example.org,c1,completed,{night.clock.now().isoformat()}\n")
    night.config(CONFIG.replace('"files"', '["xapi", "files"]'))
    answer = night.json("sync", code=78)
    assert [problem["code"] for problem in answer["problems"]] == ["config-invalid"]
    assert answer["grants"]["issued"] == 1
