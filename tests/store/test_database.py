"""The store's file: private, strict, safe on disk, and opened only when it is ours."""

import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from credly_cli.errors import Failure
from credly_cli.store import database
from credly_cli.store.database import APPLICATION_ID, Store
from credly_cli.store.schema import MIGRATIONS
from tests.support.desk import Desk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "credly.db"


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


def value(store: Store, pragma: str) -> object:
    return store.value(f"PRAGMA {pragma}")


@pytest.mark.usefixtures("umask")
def test_the_file_is_private_in_a_private_folder_under_any_umask(path: Path) -> None:
    with Store.open(path) as store, store.transaction():
        store.change("INSERT INTO disconnections (started_at) VALUES ('x')")
        files = sorted(entry.name for entry in path.parent.iterdir())
        assert files == ["credly.db", "credly.db-shm", "credly.db-wal"]
        assert {mode(entry) for entry in path.parent.iterdir()} == {oct(0o600)}
    assert mode(path.parent) == oct(0o700)


def test_a_file_that_a_restored_copy_opened_to_others_is_closed_again(path: Path) -> None:
    Store.open(path).close()
    path.chmod(0o644)
    Store.open(path).close()
    assert mode(path) == oct(0o600)


def test_a_folder_that_was_there_is_left_as_it_is(path: Path) -> None:
    path.parent.mkdir(mode=0o755)
    path.parent.chmod(0o755)
    Store.open(path).close()
    assert mode(path.parent) == oct(0o755)


def test_the_settings_are_those_that_exactly_once_needs(path: Path) -> None:
    with Store.open(path) as store:
        settings = {
            name: value(store, name) for name in ("journal_mode", "synchronous", "foreign_keys", "trusted_schema")
        }
        assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "trusted_schema": 0}
        assert value(store, "application_id") == APPLICATION_ID
        assert value(store, "user_version") == len(MIGRATIONS)
        assert value(store, "busy_timeout") == 10_000


def test_every_table_is_strict(path: Path) -> None:
    with Store.open(path) as store:
        tables = store.rows(
            "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'"
        )
        assert len(tables) > 10
        assert [table["name"] for table in tables if not table["strict"]] == []
        with pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT"):
            store.change("INSERT INTO content (id, title, released) VALUES ('a', 'A', 'perhaps')")


def test_a_link_to_what_is_not_there_is_refused(path: Path) -> None:
    with Store.open(path) as store, pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        store.change("INSERT INTO links (badge_id, content_id, linked_at, counts_from) VALUES ('b', 'c', 'x', 'x')")


def test_a_badge_has_one_link_that_stands_whatever_the_program_believes(connected: Desk) -> None:
    connected.json("link", "Facilitator", "first-aid")
    with connected.store() as store, pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        store.change(
            "INSERT INTO links (badge_id, content_id, linked_at, counts_from)"
            " SELECT badge_id, 'hygiene', linked_at, counts_from FROM links"
        )


# Files that are not ours


def failure_of(path: Path) -> Failure:
    before = path.read_bytes()
    with pytest.raises(Failure) as caught:
        Store.open(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    return caught.value


def test_a_newer_store_is_refused_and_left_as_it_is(path: Path) -> None:
    Store.open(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    failure = failure_of(path)
    assert failure.code == "store-newer"
    assert "newer credly-cli" in str(failure.hint)


@pytest.mark.parametrize("application", [0, 77])
def test_a_database_of_another_program_is_refused_and_left_as_it_is(path: Path, application: int) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.execute(f"PRAGMA application_id = {application}")
    connection.commit()
    connection.close()
    path.chmod(0o600)
    assert failure_of(path).code == "store-unusable"


def test_an_empty_file_is_as_good_as_none(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    with Store.open(path) as store:
        assert value(store, "user_version") == len(MIGRATIONS)


@pytest.mark.parametrize("content", [b"text " * 1000, b"\x00" * 8192, b"SQLite format 3\x00" + b"\xff" * 4096])
def test_what_is_no_database_is_unusable(desk: Desk, content: bytes) -> None:
    (desk.home / "credly.db").write_bytes(content)
    for command in (("badges",), ("connect", "--token-stdin"), ("status",)):
        error = desk.json(*command, stdin=desk.sandbox.token, code=74)["error"]
        assert error["code"] == "store-unusable"
        assert error["hint"]
    assert (desk.home / "credly.db").read_bytes() == content


def test_a_page_that_is_corrupt_is_told(connected: Desk) -> None:
    path = connected.home / "credly.db"
    with connected.store() as store:
        store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    content[4096 * 2 :] = b"\x55" * (len(content) - 4096 * 2)
    path.write_bytes(content)
    assert connected.json("badges", code=74)["error"]["code"] == "store-unusable"


def test_a_folder_in_the_place_of_the_store_is_told(desk: Desk) -> None:
    (desk.home / "credly.db").mkdir()
    assert desk.json("badges", code=74)["error"]["code"] == "store-unusable"


def test_a_link_that_leads_nowhere_is_not_followed(desk: Desk, tmp_path: Path) -> None:
    (desk.home / "credly.db").symlink_to(tmp_path / "elsewhere")
    assert desk.json("connect", "--token-stdin", stdin=desk.sandbox.token, code=74)["error"]["code"] == "store-unusable"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_folder_that_is_not_ours_is_told(desk: Desk) -> None:
    desk.run("import", "learners", "-")  # what it imports may lie where others may not read
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        os.seteuid(65534)
        try:
            error = desk.json("import", "learners", "-", environ={"CREDLY_HOME": folder}, code=74)["error"]
        finally:
            os.seteuid(0)
    assert error["code"] == "store-unusable"
    assert folder in error["message"]
    assert "Permission denied" in error["message"]


def test_a_full_disk_is_told_and_leaves_the_store_as_it_was(connected: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with connected.store() as store:
        pages = value(store, "page_count")
    settings = (*database._SETTINGS, f"PRAGMA max_page_count = {pages}")  # a disk of that size
    monkeypatch.setattr(database, "_SETTINGS", settings)
    connected.sandbox.change_template(connected.badge_id("Facilitator"), name="Renamed", description="x" * 100_000)
    assert connected.json("sync", "--only", "badges", code=74)["error"]["code"] == "store-unusable"
    assert "Facilitator" in [badge["name"] for badge in connected.json("badges")]


# Migrations


def schema(path: Path) -> list[str]:
    with Store.open(path) as store:
        return [str(row["sql"]) for row in store.rows("SELECT sql FROM sqlite_master ORDER BY type, name")]


def test_every_step_from_the_first_leads_to_the_same_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = MIGRATIONS
    for number in range(1, len(steps) + 1):
        monkeypatch.setattr(database, "MIGRATIONS", steps[:number])
        Store.open(tmp_path / "stepwise.db").close()
    assert schema(tmp_path / "stepwise.db") == schema(tmp_path / "at-once.db")


def test_a_step_that_fails_in_the_middle_leaves_the_old_store_and_can_be_done_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = schema(path)
    steps = (
        *MIGRATIONS,
        "CREATE TABLE half (x TEXT) STRICT;\nINSERT INTO half VALUES ('a');\nINSERT INTO nowhere VALUES (1);\n",
    )
    monkeypatch.setattr(database, "MIGRATIONS", steps)
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        Store.open(path)
    monkeypatch.setattr(database, "MIGRATIONS", MIGRATIONS)
    assert schema(path) == before
    monkeypatch.setattr(database, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE half (x TEXT) STRICT;\n"))
    assert len(schema(path)) == len(before) + 1


@pytest.mark.further
def test_two_that_migrate_at_once_do_it_once(path: Path) -> None:
    code = f"from pathlib import Path; from credly_cli.store.database import Store; Store.open(Path({str(path)!r}))"
    running = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(4)]  # noqa: S603
    for process in running:
        _, complaint = process.communicate(timeout=60)
        assert (process.returncode, complaint) == (0, b"")
    with Store.open(path) as store:
        assert value(store, "user_version") == len(MIGRATIONS)


# Transactions


def rows(store: Store) -> list[str]:
    return [row["name"] for row in store.rows("SELECT name FROM bookmarks ORDER BY name")]


def note(store: Store, name: str) -> None:
    store.change("INSERT INTO bookmarks VALUES (?, 'x')", (name,))


def fail_after(store: Store, name: str) -> None:
    """Note a name in a transaction that fails."""
    with store.transaction():
        note(store, name)
        raise ZeroDivisionError


def fail_around(store: Store, name: str) -> None:
    """Note a name in a part that succeeds of a transaction that fails."""
    with store.transaction():
        with store.transaction():
            note(store, name)
        raise ZeroDivisionError


def fail_at_the_end(store: Store, name: str) -> None:
    """Note a name in a transaction whose commit fails."""
    with store.transaction():
        store.connection.execute("PRAGMA defer_foreign_keys = ON")
        note(store, name)
        store.change("INSERT INTO former_emails VALUES (99, 'nobody')")


def test_a_transaction_is_done_wholly_or_not_at_all(path: Path) -> None:
    with Store.open(path) as store:
        with store.transaction():
            note(store, "a")
        with pytest.raises(ZeroDivisionError):
            fail_after(store, "b")
        with pytest.raises(ZeroDivisionError):
            fail_around(store, "c")
        assert rows(store) == ["a"]


def test_a_part_that_fails_is_undone_alone(path: Path) -> None:
    with Store.open(path) as store:
        with store.transaction():
            note(store, "a")
            with pytest.raises(ZeroDivisionError):
                fail_after(store, "b")
            with store.transaction():
                note(store, "c")
        assert rows(store) == ["a", "c"]


def test_a_commit_that_fails_is_rolled_back(path: Path) -> None:
    with Store.open(path) as store:
        with pytest.raises(sqlite3.IntegrityError):
            fail_at_the_end(store, "a")
        assert not store.connection.in_transaction
        assert rows(store) == []


def test_a_rehearsal_shows_what_would_be_and_leaves_nothing(path: Path) -> None:
    with Store.open(path) as store:
        with store.rehearsal(), store.transaction():
            note(store, "a")
            assert rows(store) == ["a"]
        assert rows(store) == []


def test_readers_do_not_wait_for_a_writer(path: Path) -> None:
    with Store.open(path) as writer, Store.open(path) as reader, writer.transaction():
        note(writer, "a")
        assert rows(reader) == []


@dataclass(frozen=True, slots=True)
class _Pair:
    number: int
    flag: bool
    text: str | None = None


def test_rows_become_records_by_the_names_of_their_columns() -> None:
    with Store.in_memory() as store:
        two = "SELECT 0 AS flag, 7 AS number UNION ALL SELECT 1, 8"
        assert store.records(_Pair, two) == [_Pair(7, flag=False), _Pair(8, flag=True)]
        assert store.record(_Pair, f"{two} ORDER BY number DESC") == _Pair(8, flag=True)
        assert store.record(_Pair, "SELECT 1 AS number, 1 AS flag WHERE 0") is None
        with pytest.raises(TypeError):
            store.records(_Pair, "SELECT 1 AS number, 1 AS flag, 2 AS surplus")


def test_what_an_older_version_was_refused_for_is_taken_from_the_words_it_kept(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "MIGRATIONS", MIGRATIONS[:3])
    with Store.open(path) as store:
        store.change("PRAGMA foreign_keys = OFF")
        for number, (problem, refusals) in enumerate(
            [("Credly refused: User already has this badge.", 1), ("Credly refused: invalid.", 1), ("already", 0)]
        ):
            store.change(
                "INSERT INTO grants (badge_id, learner, content_id, reason, state, issued_at, once, earner_id, problem,"
                " refusals, created_at, updated_at)"
                " VALUES ('b', ?, 'c', 'completion', 'uncertain', '', 1, '', ?, ?, '', '')",
                (number, problem, refusals),
            )
    monkeypatch.setattr(database, "MIGRATIONS", MIGRATIONS)
    with Store.open(path) as store:
        kept = [row["refusal"] for row in store.rows("SELECT refusal FROM grants ORDER BY id")]
    assert kept == ["held", "invalid", None]
