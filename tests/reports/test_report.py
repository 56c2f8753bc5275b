"""`credly report`: figures as JSON, CSV, rows, bars and a page."""

import csv
import json
import re
from html import unescape
from io import StringIO
from pathlib import Path

from tests.support import faults
from tests.support.desk import Desk, completes


def with_badges(desk: Desk) -> Desk:
    """Issue one badge by the program and let Credly issue three others, one of them long ago."""
    completes(desk)
    desk.json("sync")
    first_aid = desk.badge_id("First Aid at Work")
    for email, day, state in (
        ("ben@example.com", "2026-01-05", "accepted"),
        ("cem@example.com", "2026-03-01", "rejected"),
        ("dora@example.com", "2026-03-01", "revoked"),
    ):
        with desk.store() as store:
            store.change(
                "INSERT INTO issued_badges (id, badge_id, badge_name, email, email_key, state, issued_at, expires_at,"
                " stored_at) VALUES (?, ?, 'First Aid at Work', ?, ?, ?, ?, ?, ?)",
                (email, first_aid, email, email, state, f"{day}T00:00:00Z", "2026-04-20T00:00:00Z", f"{day}T00:00:00Z"),
            )
    return desk


def test_it_counts_months_states_expiries_and_failures(connected: Desk) -> None:
    desk = with_badges(connected)
    desk.learns("eve@example.com,first-aid,first-aid-march,completed,2026-03-02T09:40:00Z,,")
    desk.pass_time(minutes=20)
    assert desk.run("sync", "--only", "grants").code == 3
    answer = desk.json("report")
    assert answer["months"] == [{"month": "2026-01", "issued": 1}, {"month": "2026-03", "issued": 3}]
    (row,) = answer["badges"]
    assert row["badge"]["name"] == "First Aid at Work"
    assert [row[key] for key in ("issued", "pending", "accepted", "rejected", "revoked")] == [4, 1, 1, 1, 1]
    assert answer["funnel"] == {"pending": 1, "accepted": 1, "rejected": 1, "revoked": 1}
    assert answer["expiring"] == {"30": 0, "60": 1, "90": 1}
    assert answer["failures"] == [
        {
            "code": "missing-name",
            "count": 1,
            "reasons": [{"message": "The first or the last name is not known.", "count": 1}],
        }
    ]


def test_why_credly_refused_is_told_in_its_words_and_without_addresses(connected: Desk, tmp_path: Path) -> None:
    desk = connected
    for email in ("eve@example.com", "fay@example.com"):
        completes(desk, email)
        body = json.dumps({"data": {"message": f"Recipient email {email} is invalid"}}).encode()
        desk.sandbox.faults.add(faults.answers(422, body), "POST", "badges")
        assert desk.run("sync", "--only", "grants").code == 3
    (failure,) = desk.json("report")["failures"]
    told = "Credly refused: Recipient email (address) is invalid."
    assert failure == {"code": "unexpected", "count": 2, "reasons": [{"message": told, "count": 2}]}
    page = tmp_path / "report.html"
    desk.run("report", "--html", str(page))
    assert told in desk.run("report", terminal=True).out
    assert told in page.read_text()
    assert f"unexpected\tfailure\t{told}\tgrants\t2\n" in desk.run("report").out


def test_its_page_goes_to_standard_output_alone_where_a_dash_is_named(connected: Desk, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    connected.run("report", "--html", str(page))
    ran = connected.run("report", "--html", "-")
    assert (ran.code, ran.out, ran.err) == (0, page.read_text("utf-8"), "")


def test_badges_deleted_in_credly_are_left_out(connected: Desk) -> None:
    desk = with_badges(connected)
    with desk.store() as store:
        store.change("UPDATE issued_badges SET deleted_at = '2026-03-02T00:00:00Z' WHERE id = 'ben@example.com'")
    assert sum(row["issued"] for row in desk.json("report")["months"]) == 3


def test_a_badge_that_was_replaced_is_counted_once(connected: Desk) -> None:
    """R8, R26: Credly keeps the row of the old one beside the new one."""
    desk = connected
    dates = {"issued_at": "2026-03-01 00:00:00 +0000", "expires_at": "2026-04-20 00:00:00 +0000"}
    issued = desk.sandbox.issue_in_credly(desk.badge_id("First Aid at Work"), "ben@example.com", "Ben", "Berg", **dates)
    old = desk.sandbox.accept(issued.id)
    desk.json("sync")
    before = desk.json("report")
    desk.sandbox.replace(old.id, {"badge_template_id": old.template_id, **dates})
    desk.json("sync")
    answer = desk.json("report")
    assert [row["issued"] for row in answer["months"]] == [row["issued"] for row in before["months"]] == [1]
    assert [(row["issued"], row["accepted"]) for row in answer["badges"]] == [(1, 1)]
    assert answer["funnel"]["accepted"] == 1
    assert answer["expiring"] == before["expiring"] == {"30": 0, "60": 1, "90": 1}


def test_before_connecting_it_is_empty(desk: Desk) -> None:
    answer = desk.json("report")
    assert answer["months"] == answer["badges"] == answer["failures"] == []
    assert not list(desk.home.iterdir())


def test_csv_has_a_header_and_one_number_a_row(connected: Desk) -> None:
    rows = list(csv.DictReader(StringIO(with_badges(connected).run("report", "--csv").out)))
    assert {"section": "month", "id": "2026-03", "name": "", "measure": "issued", "count": "3"} in rows
    assert {row["section"] for row in rows} == {"month", "badge", "funnel", "expiring"}


def test_a_pipe_gets_the_same_rows_without_header_the_id_first(connected: Desk) -> None:
    out = with_badges(connected).run("report").out
    assert out.startswith("2026-01\tmonth\t\tissued\t1\n")
    assert "\naccepted\tfunnel\t\tbadges\t1\n" in out


def test_a_terminal_gets_tables_with_bars(connected: Desk) -> None:
    out = with_badges(connected).run("report", terminal=True).out
    assert re.search(r"2026-03 +3 +█{30}", out)
    assert re.search(r"2026-02 +0 *\n", out)
    assert "Expiring soon" in out


def test_a_terminal_shows_the_last_twelve_months_and_says_what_was_before(connected: Desk) -> None:
    desk = with_badges(connected)
    with desk.store() as store:
        store.change("UPDATE issued_badges SET issued_at = '2024-05-05T00:00:00Z' WHERE id = 'ben@example.com'")
    out = desk.run("report", terminal=True).out
    assert re.findall(r"^20\d\d-\d\d", out, re.MULTILINE) == [
        *(f"2025-{month:02}" for month in range(4, 13)), "2026-01", "2026-02", "2026-03",
    ]  # fmt: skip
    assert "\nand 1 before\n" in out
    assert {"month": "2024-05", "issued": 1} in desk.json("report")["months"]


def test_the_page_has_charts_and_loads_nothing(connected: Desk, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    ran = with_badges(connected).run("report", "--html", str(page))
    assert ran.code == 0
    assert str(page) in ran.out
    text = page.read_text()
    assert text.count("<svg") == 3
    assert text.count('class="bar"') == 3 + 4 * 1 + 3
    assert text.count('class="legend ') == 4
    assert "default-src 'none'" in unescape(text)
    assert not re.search(r"<script|<link|<img|\bsrc=|\bhref=|@import|url\(|\sstyle=|<style type", text)
    assert "http" not in text.replace("http-equiv", "")


def test_a_long_name_is_cut_in_the_chart_and_whole_in_the_table(connected: Desk, tmp_path: Path) -> None:
    desk, name = with_badges(connected), "Certified Practitioner of Accessible Documents, Level 3"
    with desk.store() as store:
        store.change("UPDATE badges SET name = ?", (name,))
    page = tmp_path / "report.html"
    desk.run("report", "--html", str(page))
    (drawn,) = re.findall(r'class="label"[^>]*>([^<]*)', page.read_text())
    assert drawn == "4 · Certified Practitioner of Accessible Do…"
    assert f'<th scope="row"><bdi>{name}</bdi></th>' in page.read_text()


def test_where_no_badge_ends_soon_the_page_says_so(connected: Desk, tmp_path: Path) -> None:
    desk = with_badges(connected)
    with desk.store() as store:
        store.change("UPDATE issued_badges SET expires_at = NULL")
    page = tmp_path / "report.html"
    desk.run("report", "--html", str(page))
    assert "No badge ends within 90 days." in page.read_text()


def test_a_hostile_badge_name_stays_text(connected: Desk, tmp_path: Path) -> None:
    desk = with_badges(connected)
    with desk.store() as store:
        store.change("UPDATE badges SET name = ?", ('</text></svg><script>alert("1")</script>\x1b[31m',))
    page = tmp_path / "report.html"
    assert desk.run("report", "--html", str(page)).code == 0
    assert "<script" not in page.read_text()
    assert "\x1b" not in page.read_text()
    assert "\x1b[31m" not in desk.run("report", terminal=True).out


def test_an_empty_page_says_so(desk: Desk, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert desk.run("report", "--html", str(page)).code == 0
    assert "Nothing was issued yet." in page.read_text()
    assert "Nothing failed." in page.read_text()


def test_the_page_and_its_figures_come_together_on_request(connected: Desk, tmp_path: Path) -> None:
    assert connected.json("report", "--html", str(tmp_path / "report.html"))["months"] == []
    assert (tmp_path / "report.html").exists()
