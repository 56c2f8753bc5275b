"""`missed --credly-upload`: earlier completions in the form of Credly's own bulk issue."""

import csv
import stat
from pathlib import Path

import pytest

from credly_cli.reports import missed
from tests.support.desk import Desk

EARLY = "first-aid,first-aid-march,completed,2026-01-{:02}T10:00:00Z"


def misses(desk: Desk, *people: str) -> None:
    """Let people complete the course before the badge was linked."""
    desk.json("link", "First Aid at Work", "first-aid")
    rows = [
        f"{person.partition(',')[0]},{EARLY.format(n % 28 + 1)},{person.partition(',')[2]}"
        for n, person in enumerate(people)
    ]
    desk.learns(*rows)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_file_has_credlys_columns_and_dates(connected: Desk, tmp_path: Path) -> None:
    misses(connected, "anna@example.com,Anna,Ångström", "ben@example.com,Ben,O'Neill", 'cem@example.com,Cem,"Yil, maz"')
    path = tmp_path / "upload.csv"
    ran = connected.run("missed", "--credly-upload", str(path))
    assert ran.code == 0
    assert "Wrote 3 rows" in ran.out
    assert path.read_text(encoding="utf-8").startswith("Badge Template ID,Recipient Email,Issued To First Name,")
    first = rows(path)[0]
    assert list(first)[5] == "Issued at"
    assert first.pop("Issuer Earner ID")  # the mark by which it is recognised afterwards
    assert {key: value for key, value in first.items() if value} == {
        "Badge Template ID": connected.badge_id("First Aid at Work"),
        "Recipient Email": "anna@example.com",
        "Issued To First Name": "Anna",
        "Issued To Last Name": "Ångström",
        "Issued at": "01/01/26",
    }
    assert [row["Issued To Last Name"] for row in rows(path)] == ["Ångström", "O'Neill", "Yil, maz"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_beside_it_the_list_can_be_had_as_csv(connected: Desk, tmp_path: Path) -> None:
    misses(connected, "anna@example.com,Anna,Adler")
    ran = connected.run("missed", "--csv", "--credly-upload", str(tmp_path / "upload.csv"))
    assert ran.out == connected.run("missed", "--csv").out
    assert "Wrote 1 row to" in ran.err
    assert len(rows(tmp_path / "upload.csv")) == 1


def test_it_goes_to_standard_output_alone_where_a_dash_is_named(connected: Desk, tmp_path: Path) -> None:
    misses(connected, "anna@example.com,Anna,Ångström", "ben@example.com,Ben,")
    path = tmp_path / "upload.csv"
    connected.run("missed", "--credly-upload", str(path))
    ran = connected.run("missed", "--credly-upload", "-")
    assert ran.out.splitlines() == path.read_text("utf-8").splitlines()
    assert ran.err.splitlines()[:2] == [
        "Left out, the first or last name is not known: ben@example.com.",
        "Wrote 1 row to standard output.",
    ]


def test_what_is_more_than_one_file_does_not_go_to_standard_output(
    connected: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(missed, "ROWS_A_FILE", 1)
    misses(connected, "anna@example.com,Anna,Adler", "ben@example.com,Ben,Bear")
    ran = connected.run("missed", "--credly-upload", "-")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Error: There are 2 rows, and Credly takes 1 in a file.\n")


def test_where_nothing_is_to_be_credited_standard_output_stays_empty(connected: Desk) -> None:
    ran = connected.run("missed", "--credly-upload", "-")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "There is nothing to credit; standard output was not written.\n"


def test_only_who_may_be_credited_is_in_it(connected: Desk, tmp_path: Path) -> None:
    misses(connected, "anna@example.com,Anna,Adler", "ben@example.com,Ben,", "cem@example.com,=cmd(),Can")
    path = tmp_path / "upload.csv"
    ran = connected.run("missed", "--credly-upload", str(path))
    assert [row["Recipient Email"] for row in rows(path)] == ["anna@example.com"]
    assert "Left out, the first or last name is not known: ben@example.com.\n" in ran.err
    assert "Left out, a spreadsheet would take it for a formula: cem@example.com.\n" in ran.err


def test_of_many_who_are_left_out_the_first_are_named(connected: Desk, tmp_path: Path) -> None:
    misses(connected, *(f"p{n:02}@example.com,Pat," for n in range(23)))
    ran = connected.run("missed", "--credly-upload", str(tmp_path / "upload.csv"))
    assert "p19@example.com and 3 more.\n" in ran.err
    assert "p20" not in ran.err


def test_a_badge_that_is_earned_once_has_one_row_a_learner(connected: Desk, tmp_path: Path) -> None:
    misses(connected, "anna@example.com,Anna,Adler")
    connected.learns("anna@example.com,first-aid,first-aid-april,completed,2026-01-20T10:00:00Z,Anna,Adler")
    path = tmp_path / "upload.csv"
    connected.run("missed", "--credly-upload", str(path))
    assert [row["Issued at"] for row in rows(path)] == ["01/01/26"]


def test_what_credly_issued_from_the_file_is_missed_no_more(connected: Desk, tmp_path: Path) -> None:
    misses(connected, "anna@example.com,Anna,Adler")
    connected.json("link", "First Aid at Work", "first-aid", "--since", "2025-01-01")
    connected.json("sync")
    ran = connected.run("missed", "--credly-upload", str(tmp_path / "upload.csv"))
    assert "nothing to credit" in ran.out
    assert not (tmp_path / "upload.csv").exists()


@pytest.mark.parametrize("badge", ["First Aid at Work", "Webinar Participant"])
def test_what_was_uploaded_is_recognised_by_its_mark_whatever_day_it_bears(
    connected: Desk, tmp_path: Path, badge: str
) -> None:
    """R18, R20: `Issuer Earner ID` is what `sync` itself would send for the completion."""
    connected.json("link", badge, "first-aid")
    header = "learner_id,email,content_id,session_id,status,completed_at,first_name,last_name\n"
    completions = "7,anna@example.com,first-aid,first-aid-march,completed,2026-01-05T10:00:00Z,Anna,Adler\n"
    connected.imports("progress", header + completions)
    path = tmp_path / "upload.csv"
    connected.run("missed", "--credly-upload", str(path))
    (row,) = rows(path)
    connected.sandbox.issue_in_credly(
        row["Badge Template ID"], "anna.adler@elsewhere.example", "Anna", "Adler",
        issued_at="2026-02-17 00:00:00 +0000", issuer_earner_id=row["Issuer Earner ID"],
    )  # fmt: skip
    connected.json("link", badge, "first-aid", "--since", "2025-01-01")
    assert connected.json("sync")["grants"]["covered"] == 1
    assert len(connected.issued()) == 1


def test_the_mark_in_the_file_is_that_of_a_badge_that_is_sent(connected: Desk, tmp_path: Path) -> None:
    """R17: of each session its own."""
    connected.json("link", "Webinar Participant", "first-aid")
    for month, session in ((1, "march"), (2, "april")):
        at = f"2026-0{month}-05T10:00:00Z"
        connected.learns(f"anna@example.com,first-aid,first-aid-{session},completed,{at},Anna,Adler")
    path = tmp_path / "upload.csv"
    connected.run("missed", "--credly-upload", str(path))
    marks = [row["Issuer Earner ID"] for row in rows(path)]
    connected.json("link", "Webinar Participant", "first-aid", "--since", "2025-01-01")
    connected.json("sync")
    assert sorted(marks) == sorted(badge.details.issuer_earner_id for badge in connected.issued())
    assert len(set(marks)) == 2


def test_more_than_credly_takes_goes_into_several_files(
    connected: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(missed, "ROWS_A_FILE", 2)
    misses(connected, *(f"p{n}@example.com,Pat,Number{n}" for n in range(5)))
    connected.run("missed", "--credly-upload", str(tmp_path / "upload.csv"))
    assert [len(rows(tmp_path / name)) for name in ("upload.csv", "upload-2.csv", "upload-3.csv")] == [2, 2, 1]


def test_the_header_of_credlys_own_template_is_taken(connected: Desk, tmp_path: Path) -> None:
    misses(connected, "anna@example.com,Anna,Adler")
    template = tmp_path / "template.csv"
    template.write_text(
        "\ufeffBadge Template ID,Recipient Email,First Name,Middle Name,Last Name,Issued At Date,Locale\nexample\n"
    )
    path = tmp_path / "upload.csv"
    connected.run("missed", "--credly-upload", str(path), "--credly-template", str(template))
    assert list(rows(path)[0].values())[1:] == ["anna@example.com", "Anna", "", "Adler", "01/01/26", ""]
    assert list(rows(path)[0])[-1] == "Locale"


def test_a_template_that_is_none_is_refused(connected: Desk, tmp_path: Path) -> None:
    misses(connected, "anna@example.com,Anna,Adler")
    template = tmp_path / "template.csv"
    template.write_text("a,b\n")
    arguments = ("--credly-upload", str(tmp_path / "upload.csv"), "--credly-template", str(template))
    assert "Download" in connected.json("missed", *arguments, code=2)["error"]["hint"]


def test_with_json_the_answer_stays_the_list(connected: Desk, tmp_path: Path) -> None:
    misses(connected, "anna@example.com,Anna,Adler")
    (row,) = connected.json("missed", "--credly-upload", str(tmp_path / "upload.csv"))
    assert row["reason"] == "before-link"
    assert (tmp_path / "upload.csv").exists()


def test_a_file_that_cannot_be_written_is_named_as_the_user_does(connected: Desk) -> None:
    misses(connected, "anna@example.com,Anna,Adler")
    error = connected.json("missed", "--credly-upload", "/dev/null/credly.csv", code=74)["error"]
    assert error["message"].startswith("/dev/null/credly.csv cannot be written")
