"""The widget and `explain` read only what is the learner's, however many others there are."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from credly_cli.learners import explain
from credly_cli.learners.widget import discover, in_progress, read_sessions
from credly_cli.store import eligibility
from credly_cli.store.database import Store
from credly_cli.store.eligibility import Audience
from tests.learners.test_where_it_shows import shown
from tests.support.desk import START
from tests.support.steps import steps

LINKED, ENROLLED, OTHERS = 1000, 500, 1000
AT = "2026-02-20T00:00:00Z"
ROBIN = "robin@example.org"
EVERYBODYS = {"enrollments", "grants", "issued_badges", "learners", "former_emails", "access", "attempts"}


def fill(store: Store, others: int) -> None:
    """1,000 linked badges; Robin in the content of 500; many others who have done much."""
    many = store.connection.executemany
    with store.transaction():
        numbers = [(number, number) for number in range(LINKED)]
        many("INSERT INTO badges (id, name, state, allow_duplicates, listed, fingerprint, raw)"
             " VALUES ('b' || ?, 'Badge ' || ?, 'active', 0, 1, '', '{}')", numbers)  # fmt: skip
        many("INSERT INTO content (id, title, released) VALUES ('c' || ?, 'Content ' || ?, 1)", numbers)
        many("INSERT INTO links (badge_id, content_id, linked_at, counts_from) VALUES ('b' || ?, 'c' || ?, ?, ?)",
             [(*pair, AT, AT) for pair in numbers])  # fmt: skip
        people = [(number, f"learner{number}@example.org") for number in range(2, others + 2)]
        many("INSERT INTO learners (id, email, email_key, first_name, last_name) VALUES (?, ?, ?, 'A', 'B')",
             [(number, email, email) for number, email in [(1, ROBIN), *people]])  # fmt: skip
        rows: list[tuple[object, ...]] = [(1, number, 40.0, None, None) for number in range(ENROLLED)]
        rows += [(learner, number * 37 % LINKED, 100.0, AT, AT) for learner, _ in people for number in range(10)]
        many("INSERT INTO enrollments (learner, content_id, progress, completed_at, completed_latest, rev)"
             " VALUES (?, 'c' || ?, ?, ?, ?, 1)", rows)  # fmt: skip
        issued = [(f"i{learner}-{number}", f"b{number * 37 % LINKED}", email, AT, f"u{learner}")
                  for learner, email in people for number in range(10)]  # fmt: skip
        many("INSERT INTO issued_badges (id, badge_id, email_key, state, stored_at, user_id)"
             " VALUES (?, ?, ?, 'accepted', ?, ?)", issued)  # fmt: skip
        many("INSERT INTO access VALUES (?, 'access', 'learner', ?)",
             [(f"c{number}", email) for number, (_, email) in enumerate(people[:LINKED])])  # fmt: skip


@pytest.fixture(scope="module")
def small() -> Iterator[Store]:
    with Store.in_memory() as store:
        fill(store, others=3)
        yield store


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(Path(tmp_path_factory.mktemp("large")) / "credly.db") as store:
        fill(store, OTHERS)
        yield store


@pytest.mark.further
@pytest.mark.parametrize("act", ["widget", "explain"])
def test_a_thousand_others_add_nothing_to_what_is_read(small: Store, large: Store, act: str) -> None:
    assert steps(large, lambda: run(large, act)) <= steps(small, lambda: run(small, act)) * 1.05


def test_at_size_it_finds_what_is_in_progress_and_what_is_new(large: Store) -> None:
    sessions = read_sessions(large, [1])
    seen = eligibility.discoverable(large, Audience("learner", (ROBIN,)), AT)
    assert len(in_progress(sessions, frozenset())) == ENROLLED
    assert len(discover(seen, sessions, frozenset())) == LINKED - ENROLLED


@pytest.mark.further
def test_a_learner_of_a_panorama_reads_only_its_list(large: Store) -> None:
    with large.rehearsal():
        large.change("INSERT INTO access VALUES ('c900', 'access', 'panorama', 'acme')")
        large.change("UPDATE learners SET panorama = 'Acme' WHERE id = 1")
        sqls = traced(large, "widget")
        assert shown(large).count("discover") == 1
        scanned = [
            line for sql in sqls for line in plans(large, sql) if line.split()[:2] in (["SCAN", "l"], ["SCAN", "c"])
        ]
    assert scanned == []


@pytest.mark.further
def test_no_table_of_everybodys_is_read_through(large: Store) -> None:
    for sql in traced(large, "widget") | traced(large, "explain"):
        for line in plans(large, sql):
            assert not scans_everybody(line, sql), (line, sql)


def test_the_check_would_find_a_fault(large: Store) -> None:
    (plan,) = plans(large, "SELECT 1 FROM enrollments e WHERE e.progress > 50")
    assert scans_everybody(plan, "SELECT 1 FROM enrollments e WHERE e.progress > 50")


def traced(store: Store, act: str) -> dict[str, None]:
    """Return the queries of an answer, each once."""
    found: list[str] = []
    store.connection.set_trace_callback(found.append)
    run(store, act)
    store.connection.set_trace_callback(None)
    queries = dict.fromkeys(sql for sql in found if sql.lstrip().upper().startswith(("SELECT", "WITH")))
    assert len(queries) > 3
    return queries


def run(store: Store, act: str) -> None:
    if act == "widget":
        shown(store)
    else:
        explain.explain(store, ROBIN, None, START)


def plans(store: Store, sql: str) -> list[str]:
    return [str(row[3]) for row in store.connection.execute(f"EXPLAIN QUERY PLAN {sql}")]


def scans_everybody(line: str, sql: str) -> bool:
    """Tell whether a step of a plan goes through a whole table that has rows of everybody."""
    words = line.split()
    if words[0] != "SCAN":
        return False
    aliases = {f" {table} {words[1]}" for table in EVERYBODYS} | {f" {table} AS {words[1]}" for table in EVERYBODYS}
    return words[1] in EVERYBODYS or any(alias in " ".join(sql.split()) for alias in aliases)
