"""Leaving Credly: R3, R4, R5."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.rules.admin import FIRST_AID, MARCH, ROBIN, complete, enroll, missed
from tests.support.desk import URL, ConnectedAfter, Desk

NAME = "Larkfield Skills Institute"


def link_first_aid(desk: Desk) -> None:
    desk.json("link", FIRST_AID, "first-aid")
    enroll(desk)
    desk.pass_time(minutes=1)


@pytest.fixture
def linked(connected_after: ConnectedAfter) -> Desk:
    """First Aid at Work is linked to the First Aid Course, in which Robin is enrolled."""
    return connected_after(link_first_aid)


def plain(text: str) -> str:
    return re.sub(r"\x1b\[\d*m", "", text)


def files_of(desk: Desk) -> set[str]:
    return {str(path.relative_to(desk.home)) for path in desk.home.rglob("*") if path.is_file()}


# R3: what works afterwards


@pytest.mark.further
def test_r3_no_hint_leads_to_what_ends_as_not_connected(linked: Desk) -> None:
    linked.learns(f"hal@example.com,first-aid,{MARCH},completed,{linked.clock.now().isoformat()},,")
    linked.run("sync")
    linked.pass_time(minutes=1)
    linked.json("disconnect", "--yes")
    complete(linked)
    linked.imports("learners", "email,first_name,last_name\nhal@example.com,Hal,Hill\n")
    assert linked.run("retry").err == "Next: credly connect\n"
    assert "credly grant " not in linked.run("missed", terminal=True).err
    assert "credly grant " not in linked.run("explain", ROBIN, FIRST_AID).out
    way = "credly connect, then: credly sync"
    wide = linked.run("badges", terminal=True, environ={"COLUMNS": "200"})
    assert f"A badge that is missing here: {way}" in wide.err
    assert linked.json("link", "Juggling", "first-aid", code=5)["error"]["hint"].endswith(way)
    assert linked.json("missed", "Juggling", code=5)["error"]["hint"].endswith(way)


@pytest.mark.parametrize("command", ["link a b", "unlink a", "missed a", "badges", "doctor"])
def test_r3_before_connecting_each_hint_to_sync_names_connecting_first(desk: Desk, command: str) -> None:
    ran = desk.run(*command.split(), terminal=True, environ={"COLUMNS": "200"})
    assert "credly connect, then: credly sync" in ran.out + ran.err


@pytest.mark.parametrize("options", [["--list"], [FIRST_AID], [FIRST_AID, "--dry-run"]], ids=" ".join)
def test_r3_nothing_is_asked_of_granting_by_hand(linked: Desk, options: list[str]) -> None:
    linked.json("disconnect", "--yes")
    assert linked.json("grant", ROBIN, *options, code=4)["error"]["code"] == "not-connected"
    ran = linked.run("grant", ROBIN, *options, stdin="y\n", terminal=True)
    assert (ran.code, "[y/N]" in ran.err) == (4, False)


# R3: asking


def test_r3_it_warns_before_it_asks(linked: Desk) -> None:
    ran = linked.run("disconnect", stdin="y\n", terminal=True)
    assert ran.code == 0
    asked = ran.err.index(f"Disconnect from {NAME}? [y/N]")
    assert all(len(line) <= 80 for line in plain(ran.err[:asked]).splitlines())
    for words in (
        "Remove pages made for learners",
        "cannot be looked up",
        "Links are kept",
        "--purge takes all traces",
        "untouched",
    ):
        assert ran.err.index(words) < asked
    assert f"Disconnected from {NAME} and forgot the token." in ran.out
    assert "credly connect" in ran.err


@pytest.mark.sampled
@pytest.mark.parametrize("answer", ["n\n", "\n", "", "no\n", "maybe\n"])
def test_r3_anything_but_yes_changes_nothing(linked: Desk, answer: str) -> None:
    ran = linked.run("disconnect", stdin=answer, terminal=True)
    assert ran.code == 6
    assert plain(ran.err).endswith("[y/N] Nothing was changed.\n")
    assert linked.json("status")["connected"]
    assert "token" in files_of(linked)


@pytest.mark.parametrize("how", [{}, {"terminal": True, "environ": {"CREDLY_NO_INPUT": "1"}}])
def test_r3_where_nobody_can_answer_the_flag_is_named(linked: Desk, how: dict[str, Any]) -> None:
    ran = linked.run("disconnect", **how)
    assert ran.code == 2
    assert "--yes" in ran.err
    assert linked.json("status")["connected"]


def test_r3_with_json_nobody_is_asked(linked: Desk) -> None:
    ran = linked.run("disconnect", "--json", stdin="y\n", terminal=True)
    assert (ran.code, ran.err) == (2, "")
    assert "--yes" in ran.json["error"]["message"]


def test_r3_yes_answers_and_still_warns(linked: Desk) -> None:
    ran = linked.run("disconnect", "--yes")
    assert (ran.code, ran.out) == (0, f"Disconnected from {NAME} and forgot the token.\n")
    assert "Warning: Remove pages made for learners" in ran.err


def test_r3_the_answer_for_scripts(linked: Desk) -> None:
    assert linked.json("disconnect", "--yes") == {"connected": False, "purged": False, "left": []}


# R3: afterwards


def test_r3_the_token_is_forgotten(linked: Desk) -> None:
    linked.json("disconnect", "--yes")
    assert "token" not in files_of(linked)
    assert linked.sandbox.token.encode() not in (linked.home / "credly.db").read_bytes()


@pytest.mark.sampled
@pytest.mark.parametrize(
    "command",
    [
        ("sync",),
        ("sync", "--dry-run"),
        ("grant", ROBIN, FIRST_AID),
        ("grant", ROBIN, FIRST_AID, "--dry-run"),
        ("learner-badges", ROBIN),
        ("widget", ROBIN),
    ],
)
def test_r3_what_needs_credly_is_not_connected_whatever_the_environment_holds(
    linked: Desk, command: tuple[str, ...]
) -> None:
    linked.json("disconnect", "--yes")
    file = linked.file("own-token", linked.sandbox.token)
    Path(file).chmod(0o600)
    linked.config(f'[credly]\ntoken_command = ["cat", "{file}"]\n')
    for environ in ({}, {"CREDLY_TOKEN": linked.sandbox.token}, {"CREDLY_TOKEN_FILE": file}):
        error = linked.json(*command, code=4, environ={**environ, "CREDLY_API_URL": URL})["error"]
        assert error["code"] == "not-connected"
        assert "credly connect" in error["hint"]


@pytest.mark.further
def test_r3_the_rest_works_on_the_store_and_links_are_kept(linked: Desk) -> None:
    before = {command: linked.json(command) for command in ("badges", "content", "learners", "missed", "grants")}
    linked.json("disconnect", "--yes")
    assert {command: linked.json(command) for command in before} == before
    (badge,) = (row for row in linked.json("badges") if row["content"])
    assert badge["content"]["title"] == "First Aid Course"
    assert any(row["badges"] for row in linked.json("content"))
    linked.json("link", "Facilitator", "hygiene")
    assert linked.json("unlink", "Facilitator")["changed"]
    enroll(linked, "kim@example.com", name="Kim,Other")
    status = linked.json("status")
    assert (status["connected"], status["organization"]["name"], status["linked"]) == (False, NAME, 1)


def test_r3_badges_on_credly_are_untouched(linked: Desk) -> None:
    linked.json("grant", ROBIN, FIRST_AID)
    linked.json("disconnect", "--yes")
    assert [badge.state for badge in linked.issued()] == ["pending"]


def test_r3_disconnecting_again_changes_nothing_and_succeeds(linked: Desk) -> None:
    linked.json("disconnect", "--yes")
    ran = linked.run("disconnect")
    assert (ran.code, ran.out) == (0, f"This profile is not connected to {NAME}.\n")


def test_r3_before_connecting_there_is_nothing_to_disconnect(desk: Desk) -> None:
    ran = desk.run("disconnect")
    assert (ran.code, ran.out) == (0, "This profile is not connected to Credly.\n")
    assert files_of(desk) == set()


def test_r3_a_token_that_was_refused_can_be_disconnected(linked: Desk) -> None:
    linked.sandbox.expire_token()
    assert not linked.json("disconnect", "--yes")["connected"]


# R3, R4: connecting again


def test_r4_connecting_again_goes_on_with_the_links(linked: Desk) -> None:
    linked.json("disconnect", "--yes")
    linked.pass_time(minutes=1)
    linked.connect()
    complete(linked)
    assert linked.json("sync")["grants"]["issued"] == 1


def test_r4_what_was_completed_in_between_is_not_granted_and_listed(linked: Desk) -> None:
    linked.json("disconnect", "--yes")
    complete(linked)
    linked.pass_time(minutes=1)
    linked.connect()
    complete(linked, "kim@example.com", name="Kim,Other")
    assert linked.json("sync")["grants"]["issued"] == 1
    assert [badge.email for badge in linked.issued()] == ["kim@example.com"]
    assert missed(linked) == {(FIRST_AID, MARCH): "disconnected"}


def test_r4_what_arrives_late_counts_when_it_was_completed_while_connected(linked: Desk) -> None:
    linked.json("disconnect", "--yes")
    linked.pass_time(minutes=10)
    linked.connect()
    linked.learns(f"{ROBIN},first-aid,{MARCH},completed,2026-03-02T09:30:30Z,Robin,Sample")
    assert linked.json("sync")["grants"]["issued"] == 1


@pytest.mark.further
def test_r4_a_later_since_overrides_it(linked: Desk) -> None:
    linked.json("disconnect", "--yes")
    complete(linked)
    linked.pass_time(minutes=1)
    linked.connect()
    linked.json("sync")
    change = linked.json("link", FIRST_AID, "first-aid", "--since", "2026-03-01")
    assert change["earlier"] == 1
    assert linked.json("sync")["grants"]["issued"] == 1
    assert missed(linked) == {}


def test_r4_a_since_said_before_does_not_override_it(linked: Desk) -> None:
    linked.json("link", FIRST_AID, "first-aid", "--since", "2026-03-01")
    linked.pass_time(minutes=1)
    linked.json("disconnect", "--yes")
    complete(linked)
    linked.pass_time(minutes=1)
    linked.connect()
    assert linked.json("sync")["grants"]["planned"] == 0


@pytest.mark.further
def test_r4_each_time_without_a_connection_counts(linked: Desk) -> None:
    for number in range(3):
        linked.json("disconnect", "--yes")
        complete(linked, f"person{number}@example.com")
        linked.pass_time(minutes=1)
        linked.connect()
    assert linked.json("sync")["grants"]["planned"] == 0
    assert [row["reason"] for row in linked.json("missed")] == ["disconnected"] * 3


def test_r4_leaving_twice_within_a_second_is_leaving(linked: Desk) -> None:
    for _ in range(2):
        linked.connect()
        linked.json("disconnect", "--yes")
    complete(linked)
    linked.pass_time(minutes=1)
    linked.connect()
    assert linked.json("sync")["grants"]["planned"] == 0


@pytest.mark.parametrize("how", ["expired", "rotated"])
def test_r4_a_token_that_expired_or_was_refused_is_no_disconnection(linked: Desk, how: str) -> None:
    linked.sandbox.expire_token() if how == "expired" else linked.sandbox.rotate_token()
    complete(linked)
    assert linked.run("sync").code == 4
    linked.pass_time(minutes=1)
    linked.sandbox.rotate_token()
    linked.connect()
    assert linked.json("sync")["grants"]["issued"] == 1
    assert missed(linked) == {}


# R3, R5: a store that cannot be read


def corrupt(desk: Desk) -> None:
    (desk.home / "credly.db").write_bytes(b"no database at all" * 500)


def newer(desk: Desk) -> None:
    with desk.store() as store:
        store.connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize("trouble", [corrupt, newer])
def test_r3_the_token_is_forgotten_also_where_the_store_cannot_be_read(
    linked: Desk, trouble: Callable[[Desk], None]
) -> None:
    trouble(linked)
    error = linked.json("disconnect", code=74)["error"]
    assert str(linked.home / "token") in error["message"]
    assert "credly disconnect --yes" in error["hint"]
    assert "token" in files_of(linked)
    error = linked.json("disconnect", "--yes", code=74)["error"]
    assert "The token is forgotten." in error["message"]
    assert "token" not in files_of(linked)
    error = linked.json("disconnect", "--purge", "--confirm", NAME, code=74)["error"]
    assert str(linked.home / "credly.db") in error["message"]
    assert "credly.db" in files_of(linked)


# R5


def test_r5_purging_removes_every_trace(linked: Desk) -> None:
    linked.file("config.toml", "")
    linked.file("notes.txt", "mine")
    linked.file("progress.csv.rejects.csv", "email\n")
    linked.file("credly.db-before-1.bak", "")
    linked.file("sync.log", "")
    answer = linked.json("disconnect", "--purge", "--confirm", NAME)
    assert answer == {"connected": False, "purged": True, "left": [str(linked.home / "config.toml")]}
    assert files_of(linked) == {"config.toml", "notes.txt", "content.csv", "progress.csv"}
    assert linked.json("status")["organization"] is None


def test_r5_the_name_is_typed_after_a_warning(linked: Desk) -> None:
    ran = linked.run("disconnect", "--purge", stdin=f"  {NAME.upper()}\n", terminal=True)
    assert ran.code == 0
    assert ran.err.index("All links, learners, completions") < ran.err.index(f"type the name {NAME}")
    assert "removed what was stored here" in ran.out
    assert "credly.db" not in files_of(linked)


@pytest.mark.parametrize("typed", ["", "\n", "yes\n", "Larkfield\n"])
def test_r5_another_name_removes_nothing(linked: Desk, typed: str) -> None:
    before = files_of(linked)
    ran = linked.run("disconnect", "--purge", stdin=typed, terminal=True)
    assert ran.code == 2
    assert NAME in ran.err
    error = linked.json("disconnect", "--purge", "--confirm", typed.strip(), code=2)["error"]
    assert error["code"] == "usage"
    assert files_of(linked) == before
    assert linked.json("status")["connected"]


def test_r5_where_nobody_can_type_the_flag_is_named(linked: Desk) -> None:
    for options in ((), ("--yes",)):
        ran = linked.run("disconnect", "--purge", *options)
        assert ran.code == 2
        assert "--confirm" in ran.err
    assert linked.json("status")["connected"]


def test_r5_confirm_alone_is_wrong_usage(linked: Desk) -> None:
    assert linked.json("disconnect", "--yes", "--confirm", NAME, code=2)["error"]["code"] == "usage"
    assert linked.json("status")["connected"]


def test_r5_after_disconnecting_the_rest_can_still_be_purged(linked: Desk) -> None:
    linked.json("disconnect", "--yes")
    assert linked.json("disconnect", "--purge", "--confirm", NAME)["purged"]
    assert "credly.db" not in files_of(linked)


def test_r5_what_was_written_outside_the_home_goes_too(linked: Desk, tmp_path: Path) -> None:
    for name in ("progress.csv", "learners.csv"):
        (tmp_path / name).write_text("email,first_name,last_name\nno address,Robin,Sample\n")
    (tmp_path / "other.csv.rejects.csv").write_text("mine")
    linked.json("import", "learners", str(tmp_path / "learners.csv"), code=3)
    linked.config(f'[lms]\nsource = "files"\n[lms.files]\nlearners = ["{tmp_path}/progress.csv"]\n')
    linked.json("sync", "--log-file", str(tmp_path / "credly.log"), code=3)
    assert len(list(tmp_path.glob("*.rejects.csv"))) == 3
    answer = linked.json("disconnect", "--purge", "--confirm", NAME)
    assert answer["left"] == [str(linked.home / "config.toml")]
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"home", "progress.csv", "learners.csv", "other.csv.rejects.csv"}


def test_r5_a_link_in_place_of_the_log_is_not_ours_to_remove(linked: Desk, tmp_path: Path) -> None:
    log = tmp_path / "credly.log"
    linked.json("sync", "--log-file", str(log))
    log.rename(tmp_path / "kept")
    log.symlink_to(tmp_path / "kept")
    linked.json("disconnect", "--purge", "--confirm", NAME)
    assert log.exists()


def test_r5_a_token_in_the_environment_is_named(linked: Desk) -> None:
    ran = linked.run("disconnect", "--purge", "--confirm", NAME, environ={"CREDLY_TOKEN": "secret"})
    assert "CREDLY_TOKEN stays in the environment" in ran.err
    assert "secret" not in ran.err


def own_token(desk: Desk) -> Path:
    own = Path(desk.file("own-token", desk.sandbox.token))
    own.chmod(0o600)
    return own


def test_r5_a_token_file_is_named_also_when_it_was_disconnected_before(desk: Desk) -> None:
    own = own_token(desk)
    desk.run("connect", "--token-file", str(own), "--api-url", URL)
    desk.connect()
    desk.json("disconnect", "--yes")
    assert desk.json("disconnect", "--purge", "--confirm", NAME)["left"] == [str(own)]


def test_r5_a_token_file_of_the_users_own_stays_and_is_named(desk: Desk) -> None:
    own = own_token(desk)
    assert desk.run("connect", "--token-file", str(own), "--api-url", URL).code == 0
    assert desk.json("disconnect", "--purge", "--confirm", NAME)["left"] == [str(own)]
    assert own.exists()
    desk.run("connect", "--token-file", str(own), "--api-url", URL)
    ran = desk.run("disconnect", "--purge", "--confirm", NAME)
    assert f"{own} stays: it is a token file of your own." in ran.err


def test_r5_what_cannot_be_removed_is_named(linked: Desk) -> None:
    stubborn = linked.home / "credly.db.old"
    stubborn.mkdir()  # whoever runs the tests may remove any file
    answer = linked.json("disconnect", "--purge", "--confirm", NAME)
    assert (answer["purged"], answer["left"]) == (True, [str(stubborn)])


def test_r5_a_folder_that_may_not_be_written_leaves_its_files_named(
    linked: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, missing_ok: bool = False) -> None:  # noqa: ARG001
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    left = linked.json("disconnect", "--purge", "--confirm", NAME)["left"]
    assert {str(linked.home / name) for name in ("token", "credly.db", "credly.db.lock")} <= set(left)


@pytest.mark.parametrize("answer", [("--yes",), ("--confirm", NAME)])
def test_r5_a_store_that_was_never_connected_is_purged_after_a_question(desk: Desk, answer: tuple[str, ...]) -> None:
    desk.imports("learners", f"email,first_name,last_name\n{ROBIN},Robin,Sample\n")
    ran = desk.run("disconnect", "--purge")
    assert ran.code == 2
    assert "--yes" in ran.err
    assert desk.json("disconnect", "--purge", *answer)["purged"]
    assert files_of(desk) == {"learners.csv"}


@pytest.mark.further
def test_r5_another_profile_is_another_matter(linked: Desk) -> None:
    other = ("--profile", "other")
    linked.run("connect", "--token-stdin", "--api-url", URL, *other, stdin=linked.sandbox.token)
    assert "profiles/other/credly.db" in files_of(linked)
    linked.json("disconnect", "--purge", "--confirm", NAME, *other)
    assert not (linked.home / "profiles").exists()
    assert linked.json("status")["connected"]
    linked.run("connect", "--token-stdin", "--api-url", URL, *other, stdin=linked.sandbox.token)
    linked.json("disconnect", "--purge", "--confirm", NAME)
    assert linked.json("status", *other)["connected"]


def test_r5_after_a_purge_one_can_connect_anew(linked: Desk) -> None:
    linked.json("disconnect", "--purge", "--confirm", NAME)
    linked.connect()
    assert linked.json("sync")["badges"]["added"] == 8
    assert [row["content"] for row in linked.json("badges")] == [None] * 8
